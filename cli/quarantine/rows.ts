/** Rows of the quarantine: by route and day, by device, by key, and by scan. */
import {
  BatchGetItemCommand,
  type BatchGetItemCommandInput,
  type BatchGetItemCommandOutput,
  GetItemCommand,
} from '@aws-sdk/client-dynamodb';
import { partitionOf } from '../../core/message/id.ts';
import type { Quarantined } from '../../core/operations/acceptance.ts';
import type { Period } from '../../core/operations/period.ts';
import type { QuarantineKey } from '../../core/tables/quarantine-row.ts';
import { bytesOrTextOf, textOf } from '../../lambda/adapters/attributes.ts';
import type { BridgeClient } from '../access/access.ts';
import { AccessError } from '../access/failures.ts';
import { chained, query, scan } from '../access/reads.ts';
import { cellOf, type Item } from '../output/items.ts';
import type { Progress } from '../output/progress.ts';
import { UsageError } from '../shell/usage.ts';
import { keyText } from './key.ts';

/** A longer span is better read by one scan than by a query for each day and route. */
const DAYS_MAX = 400;
const DAY_MILLIS = 86_400_000;

export function keyOfItem(item: Item): QuarantineKey {
  return { pk: textOf(item, 'pk'), sk: textOf(item, 'sk') };
}

/** Of these routes in that time, day by day in the order of arrival, from the index by-day. */
export function byDay(
  access: BridgeClient,
  routes: readonly string[],
  { from, to }: Period,
  progress: Progress,
): AsyncIterable<Item> {
  const days = daysOf(from, to);
  return chained(
    routes.flatMap((route) =>
      days.map((day) =>
        query(
          access.dynamodb,
          {
            TableName: access.tables.quarantine,
            IndexName: 'by-day',
            KeyConditionExpression: 'routeDay = :day AND receivedAt BETWEEN :from AND :to',
            ExpressionAttributeValues: {
              ':day': { S: `${route}#${day}` },
              ':from': { S: from },
              ':to': { S: to },
            },
          },
          progress,
        ),
      ),
    ),
  );
}

/** Days in UTC from one moment up to another, which is not counted itself. */
function daysOf(from: string, to: string): readonly string[] {
  const first = Date.parse(from.slice(0, 10));
  const days: string[] = [];
  for (let day = first; day < Date.parse(to) && days.length <= DAYS_MAX; day += DAY_MILLIS) {
    days.push(new Date(day).toISOString().slice(0, 10));
  }
  if (days.length <= DAYS_MAX) return days;
  throw new UsageError(
    `the period has more than ${DAYS_MAX} days, and the index is read day by day; give a shorter one, or --all-days`,
  );
}

/** Of a device, consistent. */
export function byDevice(
  access: BridgeClient,
  routes: readonly string[],
  device: string,
  progress: Progress,
): AsyncIterable<Item> {
  return chained(
    routes.map((route) =>
      query(
        access.dynamodb,
        {
          TableName: access.tables.quarantine,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ...LISTED,
          ExpressionAttributeValues: { ':pk': { S: partitionOf(route, device) } },
        },
        progress,
      ),
    ),
  );
}

/** All of it: a scan. */
export function byScan(access: BridgeClient, progress: Progress): AsyncIterable<Item> {
  return scan(access.dynamodb, { TableName: access.tables.quarantine, ...LISTED }, progress);
}

/** What a list shows, without the bodies. */
const LISTED = {
  ProjectionExpression:
    'pk, sk, #route, device, id, reason, receivedAt, decision, decidedAt, decidedBy',
  ExpressionAttributeNames: { '#route': 'route' },
};

/** AWS: keys of one BatchGetItem. */
const KEYS_MAX = 100;
const ROUNDS_MAX = 8;

/** Adds to rows of the index what has been decided of them, which the index does not hold. */
export async function* withDecisions(
  access: BridgeClient,
  rows: AsyncIterable<Item>,
): AsyncGenerator<Item> {
  let page: Item[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < KEYS_MAX) continue;
    yield* await decided(access, page);
    page = [];
  }
  if (page.length > 0) yield* await decided(access, page);
}

async function decided(access: BridgeClient, page: readonly Item[]): Promise<readonly Item[]> {
  const table = access.tables.quarantine;
  const found = new Map<string, Item>();
  let request: BatchGetItemCommandInput['RequestItems'] = {
    [table]: {
      Keys: page.map((row) => {
        const { pk, sk } = keyOfItem(row);
        return { pk: { S: pk }, sk: { S: sk } };
      }),
      ProjectionExpression: 'pk, sk, decision, decidedAt, decidedBy',
    },
  };
  // What one answer cannot hold is left over, and asked for again.
  for (let round = 0; request?.[table] !== undefined; round++) {
    if (round === ROUNDS_MAX) throw new AccessError('the quarantine is throttled; try again later');
    if (round > 0) await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** round));
    const answer: BatchGetItemCommandOutput = await access.dynamodb.send(
      new BatchGetItemCommand({ RequestItems: request }),
    );
    for (const row of answer.Responses?.[table] ?? []) found.set(keyText(keyOfItem(row)), row);
    request = answer.UnprocessedKeys;
  }
  return page.map((row) => ({ ...row, ...found.get(keyText(keyOfItem(row))) }));
}

/**
 * The whole row, consistent.
 * @throws AccessError where there is none
 */
export async function readRow(access: BridgeClient, key: QuarantineKey): Promise<Item> {
  const { Item: item } = await access.dynamodb.send(
    new GetItemCommand({
      TableName: access.tables.quarantine,
      Key: { pk: { S: key.pk }, sk: { S: key.sk } },
      ConsistentRead: true,
    }),
  );
  if (item !== undefined) return item;
  throw new AccessError(
    'there is no such row in the quarantine; keys are as `tollbridge quarantine list` prints them',
  );
}

/** @throws TypeError for a row that is not of this version */
export function quarantinedOf(item: Item): Quarantined {
  const optional = (name: string) => item[name]?.S ?? null;
  return {
    route: textOf(item, 'route'),
    id: optional('id'),
    reason: textOf(item, 'reason'),
    detail: textOf(item, 'detail'),
    topic: textOf(item, 'topic'),
    body: bytesOrTextOf(item, 'body'),
    bodyHash: textOf(item, 'bodyHash'),
    clientId: optional('clientId'),
    principal: optional('principal'),
    receivedAt: textOf(item, 'receivedAt'),
    deliveryId: textOf(item, 'deliveryId'),
  };
}

/** What an operator has done with the row, as it stands in it. */
export type Decision =
  | { readonly kind: 'none' }
  /** Begun and not finished: by somebody now, or by a run that broke off. */
  | { readonly kind: 'accepting'; readonly at: string; readonly by: string }
  | {
      readonly kind: 'accepted' | 'discarded';
      readonly at: string;
      readonly by: string;
      readonly bookedAs: string;
      readonly forwardedAs: string;
    };

export function decisionOf(item: Item): Decision {
  const [kind, at, by] = ['decision', 'decidedAt', 'decidedBy'].map((name) => cellOf(item, name));
  switch (kind) {
    case 'accepting':
      return { kind, at: at ?? '', by: by ?? '' };
    case 'accepted':
    case 'discarded': {
      const [bookedAs, forwardedAs] = [cellOf(item, 'bookedAs'), cellOf(item, 'forwardedAs')];
      return { kind, at: at ?? '', by: by ?? '', bookedAs, forwardedAs };
    }
    default:
      return { kind: 'none' };
  }
}
