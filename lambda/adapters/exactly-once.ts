/** The ledger on DynamoDB, for `exactly-once`. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EXACTLY_ONCE_CONDITION } from '../../core/guarantees/exactly-once/conditions.ts';
import type { ExactlyOnceWrite } from '../../core/guarantees/exactly-once/row.ts';
import type { Ledger } from '../../core/tables/ports.ts';
import { rowOf, TableRows } from './table-rows.ts';
import { firstWriteWins, keyOf, returningOldRow, type Update } from './writes.ts';

export function createLedgerTable(client: DynamoDBClient, table: string): Ledger {
  const rows = new TableRows(client, table, rowOf);
  return {
    book: (write) => rows.write(write, exactlyOnceUpdate(write)),
    find: (key) => rows.find(key),
    count: (write, firstDeliveryId) => rows.count(write, firstDeliveryId),
  };
}

/** Books a billing message, or counts a copy of it. */
export function exactlyOnceUpdate(write: ExactlyOnceWrite): Update {
  return {
    Key: keyOf(write.key),
    ...firstWriteWins(write.first, write.tries, write.lastSeenAt),
    ConditionExpression: EXACTLY_ONCE_CONDITION,
    ...returningOldRow,
  };
}
