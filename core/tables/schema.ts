/** The tables of a bridge, by the names that code, alarms and commands have for them. */
export type MessageTable = 'ledger' | 'dedupRecords' | 'state';
export type TableName = MessageTable | 'quarantine';
