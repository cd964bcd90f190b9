/** Indexes, pages and TTL. */

import { setTimeout as pause } from 'node:timers/promises';
import {
  type AttributeValue,
  DescribeTimeToLiveCommand,
  GetItemCommand,
  paginateQuery,
  QueryCommand,
  type QueryCommandInput,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { exactlyOnceUpdate } from '../../../lambda/adapters/exactly-once.ts';
import { bodyWith, writeOf } from '../../../tools/handlers/samples.ts';
import type { Item } from '../../../tools/stores/engines.ts';
import { deployedTables } from '../../../tools/stores/tables.ts';
import { type Behaviour, outcomeOf, type Place } from './behaviour.ts';

const GSI = 'Developer Guide, Using Global Secondary Indexes';

function byAccount(place: Place, period: string): QueryCommandInput {
  return {
    TableName: place.tables.ledger,
    IndexName: 'by-account',
    KeyConditionExpression: 'accountPeriod = :period',
    ExpressionAttributeValues: { ':period': { S: period } },
  };
}

function byDay(place: Place, day: string): QueryCommandInput {
  return {
    TableName: place.tables.quarantine,
    IndexName: 'by-day',
    KeyConditionExpression: 'routeDay = :day',
    ExpressionAttributeValues: { ':day': { S: day } },
  };
}

const INDEX_SECONDS_MAX = 10;

/** Asks until the index has caught up: AWS brings it up to date a little after the write. */
async function queried(
  { client }: Place,
  request: QueryCommandInput,
  rows: number,
): Promise<readonly Item[]> {
  const deadline = performance.now() + INDEX_SECONDS_MAX * 1_000;
  for (;;) {
    const { Items = [] } = await client.send(new QueryCommand(request));
    if (Items.length >= rows || performance.now() > deadline) return Items;
    await pause(200);
  }
}

/** In UTF-16 code units the last two change places. */
const BY_BYTES = ['A', 'Z', 'a', 'é', '\uff5e', '\u{1f600}'];

const indexBehaviours: readonly Behaviour[] = [
  {
    title:
      'the index by-account lists in the order of the UTF-8 bytes: A, Z, a, é, U+FF5E, U+1F600',
    documented: 'so, and backwards',
    page: 'Developer Guide, Supported data types and naming rules, String',
    otherwise:
      'Only ids with characters beyond U+FFFF would be told apart by it, and only in lists; no verdict depends on order.',
    async observe(place) {
      const period = place.fresh();
      for (const text of BY_BYTES.toReversed()) {
        await place.put(
          place.item({ accountPeriod: { S: period }, occurrence: { S: `${text}#dev` } }),
        );
      }
      const request = byAccount(place, period);
      const told = (items: readonly Item[]) => items.map(({ occurrence }) => occurrence?.S?.[0]);
      const forth = told(await queried(place, request, BY_BYTES.length));
      const back = told(
        await queried(place, { ...request, ScanIndexForward: false }, BY_BYTES.length),
      );
      const wanted = BY_BYTES.map((text) => text[0]);
      const isForth = forth.join() === wanted.join();
      const isBack = back.toReversed().join() === wanted.join();
      return `${isForth ? 'so' : 'not so'}${isBack ? ', and backwards' : ', and not backwards'}`;
    },
  },
  {
    title:
      'the index by-account answers with the projected attributes and the keys, and without copies’ counts',
    documented: 'these alone; another attribute asked for: ValidationException',
    isInferred: true,
    page: GSI,
    otherwise: 'No command asks an index for an attribute that is not in it.',
    async observe(place) {
      const account = place.fresh();
      const body = bodyWith({ id: JSON.stringify(account), account: JSON.stringify(account) });
      const write = writeOf(body);
      await place.update(exactlyOnceUpdate(write));
      const request = byAccount(place, write.first.accountPeriod);
      const [row = {}] = await queried(place, request, 1);
      const { ledger } = await deployedTables();
      const projected = ledger.GlobalSecondaryIndexes?.[0]?.Projection;
      const wanted = [
        'pk',
        'id',
        'accountPeriod',
        'occurrence',
        ...(projected?.NonKeyAttributes ?? []),
      ];
      const isSame = Object.keys(row).sort().join() === wanted.sort().join();
      const asked = place.client.send(
        new QueryCommand({ ...request, ProjectionExpression: 'body' }),
      );
      const alone = isSame ? 'these alone' : `${Object.keys(row).sort().join(' ')}`;
      return `${alone}; another attribute asked for: ${await outcomeOf(asked)}`;
    },
  },
  {
    title: 'a row that lacks a key of the index is not in it, and a consistent read of an index',
    documented: 'not in it, ValidationException',
    page: GSI,
    async observe(place) {
      const period = place.fresh();
      await place.put(place.item({ accountPeriod: { S: period } }));
      await place.put(place.item({ accountPeriod: { S: period }, occurrence: { S: 'seen' } }));
      const request = byAccount(place, period);
      const rows = await queried(place, request, 1);
      const alone = rows.length === 1 && rows[0]?.occurrence?.S === 'seen';
      const consistent = place.client.send(new QueryCommand({ ...request, ConsistentRead: true }));
      return `${alone ? 'not in it' : `${rows.length} rows`}, ${await outcomeOf(consistent)}`;
    },
  },
  {
    title: 'the index by-day lists by time, backwards too, and every row of one millisecond',
    documented: '5 in order, 5 backwards',
    page: GSI,
    async observe(place) {
      const day = `charges#${place.fresh()}`;
      const times = ['03', '01', '02', '02', '02'].map((s) => `2031-01-01T00:00:${s}.000Z`);
      for (const time of times) {
        const key = { pk: { S: 'charges#dev-1' }, sk: { S: place.fresh() } };
        await place.put({ ...key, routeDay: { S: day }, receivedAt: { S: time } }, 'quarantine');
      }
      const request = byDay(place, day);
      const told = (items: readonly Item[]) => items.map(({ receivedAt }) => receivedAt?.S).join();
      const wanted = times.toSorted();
      const forth = told(await queried(place, request, 5));
      const back = told(await queried(place, { ...request, ScanIndexForward: false }, 5));
      const isForth = forth === wanted.join();
      const isBack = back === wanted.toReversed().join();
      return `5 ${isForth ? 'in' : 'out of'} order, 5 ${isBack ? '' : 'not '}backwards`;
    },
  },
  {
    title: 'a page of the index is continued from keys of index and table',
    documented: 'accountPeriod id occurrence pk; 3 of 3 in order',
    isInferred: true,
    page: 'Developer Guide, Paginating table query results',
    async observe(place) {
      const period = place.fresh();
      for (const occurrence of ['2', '1', '3']) {
        await place.put(
          place.item({ accountPeriod: { S: period }, occurrence: { S: occurrence } }),
        );
      }
      const request = { ...byAccount(place, period), Limit: 1 };
      await queried(place, byAccount(place, period), 3);
      const seen: (string | undefined)[] = [];
      let from: Record<string, AttributeValue> | undefined;
      const keys = new Set<string>();
      do {
        const page: QueryCommandInput = { ...request, ExclusiveStartKey: from };
        const { Items = [], LastEvaluatedKey } = await place.client.send(new QueryCommand(page));
        seen.push(...Items.map(({ occurrence }) => occurrence?.S));
        if (LastEvaluatedKey !== undefined)
          keys.add(Object.keys(LastEvaluatedKey).sort().join(' '));
        from = LastEvaluatedKey;
      } while (from !== undefined);
      return `${[...keys].join('; ')}; ${seen.join() === '1,2,3' ? '3 of 3 in order' : seen.join()}`;
    },
  },
  {
    title: 'a query of 15 rows of 90 KB ends its page at 1 MB, and goes on',
    documented: '2 pages, 15 rows',
    page: 'Developer Guide, Paginating table query results',
    async observe(place) {
      const pk = place.fresh();
      for (let n = 0; n < 15; n += 1) {
        await place.put({ pk: { S: pk }, id: { S: `${n}` }, body: { S: 'x'.repeat(92_160) } });
      }
      const request: QueryCommandInput = {
        TableName: place.tables.ledger,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
        ConsistentRead: true,
      };
      let [pages, rows] = [0, 0];
      for await (const { Items = [] } of paginateQuery({ client: place.client }, request)) {
        pages += 1;
        rows += Items.length;
      }
      return `${pages} pages, ${rows} rows`;
    },
  },
];

const TTL = 'Developer Guide, Using time to live';
const TTL_SECONDS_MAX = 90;
const sweepOnly =
  'The sweep only tidies up: whether a window is open is decided by the condition of the write (I7).';

/** What the template says of the dedup records. */
async function timeToLive(): Promise<string> {
  const { dedupRecords } = await deployedTables();
  return dedupRecords.TimeToLiveSpecification?.AttributeName ?? 'nothing';
}

async function isOn({ client, tables }: Place): Promise<string> {
  const request = new DescribeTimeToLiveCommand({ TableName: tables.dedupRecords });
  const { TimeToLiveDescription: told } = await client.send(request);
  const on = told?.TimeToLiveStatus === 'ENABLED' || told?.TimeToLiveStatus === 'ENABLING';
  return on && told?.AttributeName === (await timeToLive()) ? 'on' : `${told?.TimeToLiveStatus}`;
}

/** In this order: each builds on the one before. */
const ttlBehaviours: readonly Behaviour[] = [
  {
    title: 'TTL by the attribute of the template: UpdateTimeToLive, then DescribeTimeToLive',
    documented: 'accepted, on',
    page: TTL,
    otherwise: sweepOnly,
    async observe(place) {
      const request = {
        TableName: place.tables.dedupRecords,
        TimeToLiveSpecification: { AttributeName: await timeToLive(), Enabled: true },
      };
      const outcome = await outcomeOf(place.client.send(new UpdateTimeToLiveCommand(request)));
      return `${outcome}, ${await isOn(place)}`;
    },
  },
  {
    title: `a row whose time is over, looked for until it is gone, for up to ${TTL_SECONDS_MAX} s`,
    documented: 'gone',
    page: `${TTL}: within a few days, and read as any row until then`,
    otherwise: sweepOnly,
    notOnAws: 'AWS takes days',
    async observe(place) {
      const key = { pk: { S: place.fresh() }, id: { S: 'x' } };
      const over = Math.floor(Date.now() / 1_000) - 60;
      await place.put({ ...key, [await timeToLive()]: { N: String(over) } }, 'dedupRecords');
      // Where there is no TTL, there is nothing to wait for.
      if ((await isOn(place)) !== 'on') return 'stays';
      const request = { TableName: place.tables.dedupRecords, Key: key, ConsistentRead: true };
      const deadline = performance.now() + TTL_SECONDS_MAX * 1_000;
      while ((await place.client.send(new GetItemCommand(request))).Item !== undefined) {
        if (performance.now() > deadline) return 'stays';
        await pause(500);
      }
      return 'gone';
    },
  },
];

export const queryBehaviours: readonly Behaviour[] = [...indexBehaviours, ...ttlBehaviours];
