/** The tables of a bridge, by the names that code, alarms and commands have for them. */
export type MessageTable = 'ledger' | 'dedupRecords' | 'state';
export type TableName = MessageTable | 'quarantine';

/** As names of alarms have them. */
export const TABLE_LABELS: Readonly<Record<TableName, string>> = {
  ledger: 'ledger',
  dedupRecords: 'dedup-records',
  state: 'state',
  quarantine: 'quarantine',
};
