/** The dedup records on DynamoDB, for `deduplicated`. */
import {
  type DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { epochMillis } from '../../core/base/time.ts';
import {
  DEDUPLICATED_CONDITION,
  PUSH_CONDITION,
  PUSHED_DEDUPLICATED_CONDITION,
  RENEWAL_CONDITION,
} from '../../core/guarantees/deduplicated/conditions.ts';
import type { DeduplicatedRow, DeduplicatedWrite } from '../../core/guarantees/deduplicated/row.ts';
import type { DedupRecords } from '../../core/tables/ports.ts';
import { attributeOf, integerOf } from './attributes.ts';
import { type Item, rowOf, TableRows } from './table-rows.ts';
import {
  attributesOf,
  countOf,
  firstWriteWins,
  keyOf,
  returningOldRow,
  type Update,
} from './writes.ts';

export function createDedupRecordsTable(client: DynamoDBClient, table: string): DedupRecords {
  const rows = new TableRows(client, table, deduplicatedRowOf);
  return {
    admit: (write) => rows.write(write, deduplicatedUpdate(write)),
    find: (key) => rows.find(key),
    count: (write, firstDeliveryId) => rows.count(write, firstDeliveryId),
    push: (write, firstDeliveryId) => rows.countAs(deduplicatedPush(write, firstDeliveryId)),
    renew: (write, old) =>
      rows.unlessRefused('renewing', () =>
        client.send(new PutItemCommand({ TableName: table, ...deduplicatedRenewal(write, old) })),
      ),
  };
}

/** Opens a window, or counts a copy inside it, pushing its end out where the id is device-made. */
export function deduplicatedUpdate(write: DeduplicatedWrite): Update {
  const end = endOf(write);
  const update = write.isPushed
    ? firstWriteWins(write.first, write.tries, write.lastSeenAt, end)
    : firstWriteWins({ ...write.first, ...end }, write.tries, write.lastSeenAt);
  return {
    Key: keyOf(write.key),
    ...update,
    ExpressionAttributeValues: {
      ...update.ExpressionAttributeValues,
      ':receivedAtMillis': attributeOf(write.receivedAtMillis),
      // DynamoDB refuses a value that no expression names.
      ...(!write.isPushed && { ':latestEndMillis': attributeOf(write.latestEndMillis) }),
    },
    ConditionExpression: write.isPushed ? PUSHED_DEDUPLICATED_CONDITION : DEDUPLICATED_CONDITION,
    ...returningOldRow,
  };
}

/** Puts a fresh row in the place of one whose window is over, unless that has changed meanwhile. */
export function deduplicatedRenewal(
  write: DeduplicatedWrite,
  old: DeduplicatedRow,
): Omit<PutItemCommandInput, 'TableName'> {
  const row = {
    ...write.first,
    ...endOf(write),
    tries: write.tries,
    lastSeenAt: write.lastSeenAt,
  };
  return {
    Item: { ...keyOf(write.key), ...attributesOf(row) },
    ConditionExpression: RENEWAL_CONDITION,
    ExpressionAttributeNames: {
      '#firstDeliveryId': 'firstDeliveryId',
      '#windowEndsAtMillis': 'windowEndsAtMillis',
    },
    ExpressionAttributeValues: {
      ':firstDeliveryId': { S: old.firstDeliveryId },
      ':oldEndMillis': attributeOf(old.windowEndsAtMillis),
    },
  };
}

/** Counts a copy that the one write refused, and pushes the window's end like that would have. */
export function deduplicatedPush(write: DeduplicatedWrite, firstDeliveryId: string): Update {
  return countOf(write, firstDeliveryId, PUSH_CONDITION, endOf(write));
}

/** The attributes that say until when copies are known. */
function endOf(write: DeduplicatedWrite) {
  return { windowEndsAtMillis: write.windowEndsAtMillis, expiresAt: write.expiresAtSeconds };
}

function deduplicatedRowOf(item: Item): DeduplicatedRow {
  const windowEndsAtMillis = epochMillis(integerOf(item, 'windowEndsAtMillis'));
  return { ...rowOf(item), windowEndsAtMillis };
}
