/** The newest value of each topic on DynamoDB, for `latest`. */
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { epochMillis } from '../../core/base/time.ts';
import { LATEST_CONDITION } from '../../core/guarantees/latest/conditions.ts';
import type { LatestRow, LatestWrite } from '../../core/guarantees/latest/row.ts';
import type { State } from '../../core/tables/ports.ts';
import { integerOf } from './attributes.ts';
import { type Item, rowOf, TableRows } from './table-rows.ts';
import { attributesOf, keyOf, type Update } from './writes.ts';

export function createStateTable(client: DynamoDBClient, table: string): State {
  const rows = new TableRows(client, table, latestRowOf);
  return { put: (write) => rows.replace(write, latestUpdate(write)) };
}

/** Replaces an older value. */
export function latestUpdate(write: LatestWrite): Update {
  const { names, values, sets } = assignments({
    ...write.first,
    tries: write.tries,
    lastSeenAt: write.lastSeenAt,
  });
  return {
    Key: keyOf(write.key),
    UpdateExpression: `SET ${sets.join(', ')}`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
    ConditionExpression: LATEST_CONDITION,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

function assignments(attributes: object): {
  readonly sets: readonly string[];
  readonly names: Record<string, string>;
  readonly values: Record<string, AttributeValue>;
} {
  const names = Object.keys(attributes);
  return {
    sets: names.map((name) => `#${name} = :${name}`),
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: Object.fromEntries(
      Object.entries(attributesOf(attributes)).map(([name, value]) => [`:${name}`, value]),
    ),
  };
}

function latestRowOf(item: Item): LatestRow {
  return { ...rowOf(item), version: epochMillis(integerOf(item, 'version')) };
}
