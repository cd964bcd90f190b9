/**
 * The one write in DynamoDB's words , for each guarantee. The clauses have names; their
 * text is pinned in `test/lambda/writes.test.ts`, because every promise hangs on it.
 */
import type {
  AttributeValue,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { DeduplicatedRow, DeduplicatedWrite } from '../../core/guarantees/deduplicated/row.ts';
import type { ExactlyOnceWrite } from '../../core/guarantees/exactly-once/row.ts';
import type { LatestWrite } from '../../core/guarantees/latest/row.ts';
import type { MessageKey } from '../../core/message/id.ts';
import type { Release } from '../../core/tables/release.ts';
import type { RowWrite } from '../../core/tables/row.ts';
import { attributeOf } from './attributes.ts';

const rowDoesNotExist = 'attribute_not_exists(pk)';
const rowIsOfTheSameBody = '#fingerprint = :fingerprint';
/** A row of another version lacks attributes that a copy must not add to it (I1). */
const rowHasTheseAttributes = '#rowVersion = :rowVersion';
const windowIsOpen = '#windowEndsAtMillis >= :receivedAtMillis';
/** Copies arrive out of order: one that came earlier must not pull the end of the window back. */
const windowEndsNoLater = '#windowEndsAtMillis <= :windowEndsAtMillis';
/** Equal content in a window that began much later is another event, handled before this one. */
const windowIsNotOfLaterEvent = '#windowEndsAtMillis <= :latestEndMillis';
const rowIsOlder = '#version < :version';
const rowIsOfThisOwner = '#firstDeliveryId = :firstDeliveryId';

/** A row received after the release is of a later life of the id. */
const rowIsNotOfLaterLife = '#receivedAt <= :releasedAt';
const rowIsKeptForLonger = '#expiresAt > :expiresAt';

const either = (...clauses: readonly string[]) => clauses.join(' OR ');
const both = (...clauses: readonly string[]) => `(${clauses.join(' AND ')})`;

const LEDGER_CONDITION = either(rowDoesNotExist, both(rowIsOfTheSameBody, rowHasTheseAttributes));
const copyInWindow = [rowIsOfTheSameBody, rowHasTheseAttributes, windowIsOpen];
const WINDOW_CONDITION = either(rowDoesNotExist, both(...copyInWindow, windowIsNotOfLaterEvent));
const PUSHED_WINDOW_CONDITION = either(rowDoesNotExist, both(...copyInWindow, windowEndsNoLater));
const STATE_CONDITION = either('attribute_not_exists(#version)', rowIsOlder);
/** The row is still the one that was read: no copy has pushed its window since. */
const RENEWAL_CONDITION = both(rowIsOfThisOwner, '#windowEndsAtMillis = :oldEndMillis');
/** No row is made: the message may still be under way, and would meet a row without its body. */
const RELEASE_CONDITION = both('attribute_exists(pk)', rowIsNotOfLaterLife);
const SHORTENING_CONDITION = both('attribute_exists(pk)', rowIsNotOfLaterLife, rowIsKeptForLonger);
const COUNT_CONDITION = rowIsOfThisOwner;
const PUSH_CONDITION = both(rowIsOfThisOwner, windowEndsNoLater);

type Update = Omit<UpdateItemCommandInput, 'TableName'>;

/** Books a billing message, or counts a copy of it. */
export function ledgerUpdate(write: ExactlyOnceWrite): Update {
  return {
    Key: keyOf(write.key),
    ...firstWriteWins(write.first, write.tries, write.lastSeenAt),
    ConditionExpression: LEDGER_CONDITION,
    ...returningOldRow,
  };
}

/** Opens a window, or counts a copy inside it, pushing its end out where the id is device-made. */
export function windowUpdate(write: DeduplicatedWrite): Update {
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
    ConditionExpression: write.isPushed ? PUSHED_WINDOW_CONDITION : WINDOW_CONDITION,
    ...returningOldRow,
  };
}

/** Puts a fresh row in the place of one whose window is over, unless that has changed meanwhile. */
export function windowRenewal(
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

/** Replaces an older value. */
export function stateUpdate(write: LatestWrite): Update {
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
    ConditionExpression: STATE_CONDITION,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}

/** Counts a copy of a row that stands, and touches nothing else of it (I1). */
export function copyCount(write: RowWrite, firstDeliveryId: string): Update {
  return countOf(write, firstDeliveryId, COUNT_CONDITION);
}

/** Counts a copy that the one write refused, and pushes the window's end like that would have. */
export function windowPush(write: DeduplicatedWrite, firstDeliveryId: string): Update {
  return countOf(write, firstDeliveryId, PUSH_CONDITION, endOf(write));
}

/** Marks a row as released; the first release stands. */
export function releaseUpdate({ key, releasedAt }: Release): Update {
  return {
    Key: keyOf(key),
    UpdateExpression: 'SET #releasedAt = if_not_exists(#releasedAt, :releasedAt)',
    ConditionExpression: RELEASE_CONDITION,
    ExpressionAttributeNames: { '#releasedAt': 'releasedAt', '#receivedAt': 'receivedAt' },
    ExpressionAttributeValues: { ':releasedAt': { S: releasedAt } },
  };
}

/** The same, and shortens the life of the row to L from then on. */
export function shorteningRelease(release: Release): Update {
  const update = releaseUpdate(release);
  return {
    ...update,
    UpdateExpression: `${update.UpdateExpression}, #expiresAt = :expiresAt`,
    ConditionExpression: SHORTENING_CONDITION,
    ExpressionAttributeNames: { ...update.ExpressionAttributeNames, '#expiresAt': 'expiresAt' },
    ExpressionAttributeValues: {
      ...update.ExpressionAttributeValues,
      ':expiresAt': attributeOf(release.expiresAtSeconds),
    },
  };
}

function countOf(
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

/** The attributes that say until when copies are known. */
function endOf(write: DeduplicatedWrite) {
  return { windowEndsAtMillis: write.windowEndsAtMillis, expiresAt: write.expiresAtSeconds };
}

/** A first delivery is answered with nothing, which is less to send and to read than its own row. */
const returningOldRow = {
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

function attributesOf(attributes: object): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)]),
  );
}

function keyOf(key: MessageKey): Record<string, AttributeValue> {
  return { pk: { S: key.pk }, id: { S: key.id } };
}
