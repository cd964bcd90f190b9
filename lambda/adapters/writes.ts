/**
 * The parts of the one write in DynamoDB's words that every guarantee shares. What is pinned of the
 * texts stands in `test/lambda/writes.test.ts`, because every promise hangs on it.
 */
import type { AttributeValue, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { MessageKey } from '../../core/message/id.ts';
import { rowIsOfThisOwner } from '../../core/tables/clauses.ts';
import type { RowWrite } from '../../core/tables/row.ts';
import { attributeOf } from './attributes.ts';

export type Update = Omit<UpdateItemCommandInput, 'TableName'>;

/** Counts a copy of a row that stands, and touches nothing else of it (I1). */
export function copyCount(write: RowWrite, firstDeliveryId: string): Update {
  return countOf(write, firstDeliveryId, rowIsOfThisOwner);
}

export function countOf(
  write: RowWrite,
  firstDeliveryId: string,
  condition: string,
  changing: object = {},
): Update {
  const { ExpressionAttributeNames, ExpressionAttributeValues, UpdateExpression } = firstWriteWins(
    {},
    write.tries,
    write.lastSeenAt,
    changing,
  );
  return {
    Key: keyOf(write.key),
    UpdateExpression,
    ConditionExpression: condition,
    ExpressionAttributeNames: {
      ...ExpressionAttributeNames,
      '#firstDeliveryId': 'firstDeliveryId',
    },
    ExpressionAttributeValues: {
      ...ExpressionAttributeValues,
      ':firstDeliveryId': { S: firstDeliveryId },
    },
  };
}

/** A first delivery is answered with nothing, which is less to send and to read than its own row. */
export const returningOldRow = {
  ReturnValues: 'ALL_OLD',
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
} as const;

/**
 * SET of every attribute that the row does not have yet, and of those that every delivery changes.
 * Shared with the quarantine: writing a row again only counts it.
 */
export function firstWriteWins(
  first: object,
  tries: number,
  lastSeenAt: string,
  changing: object = {},
): Pick<
  UpdateItemCommandInput,
  'UpdateExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
> {
  const { text, names, placeholders } = wordingOf(Object.keys(first), Object.keys(changing));
  const values: Record<string, AttributeValue> = {};
  const all = [...Object.values(first), ...Object.values(changing)];
  // The placeholders are the wording's own: strings made anew would cost more than all the rest.
  placeholders.forEach((placeholder, at) => {
    values[placeholder] = attributeOf(all[at]);
  });
  values[':now'] = { S: lastSeenAt };
  values[':tries'] = { N: String(tries) };
  return {
    UpdateExpression: text,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}

/** What is the same in every update of these attributes. */
interface Wording {
  readonly text: string;
  readonly names: Record<string, string>;
  /** Of the values, in the order of the attributes. */
  readonly placeholders: readonly string[];
}

/** One for each list of attributes, of which the code has a handful: no input makes another. */
const wordings = new Map<string, Wording>();

function wordingOf(kept: readonly string[], changing: readonly string[]): Wording {
  const list = `${kept.join()};${changing.join()}`;
  const known = wordings.get(list);
  if (known !== undefined) return known;
  const sets = [
    ...kept.map((name) => `#${name} = if_not_exists(#${name}, :${name})`),
    ...changing.map((name) => `#${name} = :${name}`),
    '#lastSeenAt = :now',
  ];
  const names = [...kept, ...changing, 'lastSeenAt', 'tries'];
  const wording: Wording = {
    text: `SET ${sets.join(', ')} ADD #tries :tries`,
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    placeholders: [...kept, ...changing].map((name) => `:${name}`),
  };
  wordings.set(list, wording);
  return wording;
}

export function attributesOf(attributes: object): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)]),
  );
}

export function keyOf(key: MessageKey): Record<string, AttributeValue> {
  return { pk: { S: key.pk }, id: { S: key.id } };
}
