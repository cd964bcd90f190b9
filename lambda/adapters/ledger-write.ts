/**
 * The one write in DynamoDB's words (design §3). The clauses have names; their text is pinned in
 * `test/ledger-write.test.ts`, because every promise hangs on it.
 */
import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { LedgerWrite } from '../../core/ledger-row.ts';
import { attributeOf } from './attributes.ts';

const rowDoesNotExist = 'attribute_not_exists(pk)';
const rowIsOfTheSameBody = '#likeness = :likeness';

export const LEDGER_CONDITION = [rowDoesNotExist, rowIsOfTheSameBody].join(' OR ');

/** One `UpdateItem`, whether the delivery is the first or a copy. */
export function ledgerWriteInput(table: string, write: LedgerWrite): UpdateItemCommandInput {
  const update = firstWriteWins(write.first, write.tries, write.lastSeenAt);
  return {
    TableName: table,
    Key: { pk: { S: write.key.pk }, id: { S: write.key.id } },
    ...update,
    ConditionExpression: LEDGER_CONDITION,
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/**
 * SET of every attribute that the row does not have yet, and the two that every delivery changes.
 * Shared by ledger and quarantine: writing a row again only counts it.
 */
export function firstWriteWins(
  first: object,
  tries: number,
  lastSeenAt: string,
): Pick<
  UpdateItemCommandInput,
  'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
> {
  const sets: string[] = [];
  const names: Record<string, string> = { '#lastSeenAt': 'lastSeenAt', '#tries': 'tries' };
  const values: Record<string, AttributeValue> = {
    ':now': { S: lastSeenAt },
    ':tries': { N: String(tries) },
  };
  for (const [name, value] of Object.entries(first)) {
    sets.push(`#${name} = if_not_exists(#${name}, :${name})`);
    names[`#${name}`] = name;
    values[`:${name}`] = attributeOf(value);
  }
  return {
    UpdateExpression: `SET ${sets.join(', ')}, #lastSeenAt = :now ADD #tries :tries`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
