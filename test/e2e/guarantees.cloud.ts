/**
 * Goal: `deduplicated` and `latest` routes, and every kind of id, go the whole way on the template
 * that would be deployed. Method: real MQTT.js clients against the local cloud.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../core/config/route.ts';
import {
  all,
  contentHash,
  ignoring,
  payload,
  sequence,
  timestamp,
  topicLevel,
} from '../../core/config/sources.ts';
import { gapsOf } from '../../core/operations/gaps.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing, type ReceiptsMessage, type Thing } from '../../tools/mqtt/thing.ts';

const device = topicLevel(2);
const entry = {
  account: payload('a'),
  amount: payload('n'),
  unit: 'kWh',
  occurredAt: payload('at'),
};

const config: Config = {
  routes: {
    events: {
      guarantee: 'deduplicated',
      topic: 'ev/+/#',
      device,
      id: contentHash('at', 'type'),
      time: payload('at'),
      window: { days: 7 },
      forward: 'clean/{topic}',
    },
    presses: {
      guarantee: 'deduplicated',
      topic: 'pr/+',
      device,
      id: contentHash(),
      window: { minutes: 5 },
      forward: 'clean/pr/{device}',
    },
    marked: {
      guarantee: 'deduplicated',
      topic: 'mk/+/+',
      device,
      id: topicLevel(3),
      window: { hours: 1 },
      mode: 'mark',
      forward: 'clean/mk/{device}',
    },
    trial: {
      guarantee: 'deduplicated',
      topic: 'sh/+',
      device,
      id: payload('id'),
      window: { hours: 1 },
      mode: 'shadow',
      onStoreDown: 'forward',
      forward: 'clean/sh/{device}',
    },
    silent: {
      guarantee: 'deduplicated',
      topic: 'si/+',
      device,
      id: payload('id'),
      window: { hours: 1 },
      receipts: 'none',
      forward: 'clean/si/{device}',
    },
    status: { guarantee: 'latest', topic: 'st/+', device, version: timestamp('at') },
    counted: {
      guarantee: 'exactly-once',
      topic: 'sq/+',
      device,
      id: sequence('seq', { epoch: 'boot' }),
      entry,
      sameBody: ignoring('sentAt'),
    },
    stamped: {
      guarantee: 'exactly-once',
      topic: 'ts/+',
      device,
      id: all(timestamp('at'), payload('plug')),
      entry,
      receipts: 1,
    },
  },
};

const now = () => new Date().toISOString();
const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

let assembly: string;
let bridge: TestCloud;
let thing: Thing;

beforeAll(async () => {
  assembly = await assemblyOf(config);
  bridge = await startTestCloud(assembly);
  thing = await connectThing(bridge.port, 'm-1');
});
afterAll(async () => {
  await thing.end();
  await bridge.cloud.close();
});

type Receipt = ReceiptsMessage['receipts'][number];

async function send(topic: string, body: object | string): Promise<Receipt> {
  await thing.publish(topic, typeof body === 'string' ? body : JSON.stringify(body));
  const [receipt] = (await thing.nextReceipts()).receipts;
  if (receipt === undefined) throw new Error('a publication of receipts holds one or more');
  return receipt;
}

interface Forwarded {
  readonly 'tollbridge-id': string;
  readonly duplicate?: boolean;
  readonly unverified?: boolean;
  readonly body?: object;
  readonly bodyBase64?: string;
}

/** What was forwarded on a topic so far, in order. */
function forwardsOn(topic: string): readonly Forwarded[] {
  return bridge.events.flatMap((event) =>
    event.kind === 'published' && event.topic === topic
      ? [JSON.parse(event.payload.toString()) as Forwarded]
      : [],
  );
}

describe('a deduplicated route', () => {
  it('forwards a message once, however often it comes', async () => {
    const body = { at: now(), type: 'opened' };
    expect((await send('ev/m-1/door/2', body)).outcome).toBe('accepted');
    expect((await send('ev/m-1/door/2', body)).outcome).toBe('duplicate');
    expect(forwardsOn('clean/ev/m-1/door/2').map((forward) => forward.body)).toEqual([body]);
  });

  it('takes equal content on another topic for another message', async () => {
    const body = { at: now(), type: 'closed' };
    expect((await send('ev/m-1/door/3', body)).outcome).toBe('accepted');
    expect((await send('ev/m-1/door/4', body)).outcome).toBe('accepted');
  });

  it('quarantines what is older than its window and what is more than a day ahead', async () => {
    const old = { at: hoursFromNow(-24 * 8), type: 'old' };
    expect(await send('ev/m-1/x', old)).toMatchObject({ outcome: 'rejected', reason: 'late' });
    const ahead = { at: hoursFromNow(25), type: 'ahead' };
    expect(await send('ev/m-1/x', ahead)).toMatchObject({ outcome: 'rejected', reason: 'early' });
    const reasons = (await bridge.rows('Quarantine')).map((row) => row.reason?.S);
    expect(reasons).toEqual(expect.arrayContaining(['late', 'early']));
  });

  it('keeps what can never be forwarded, and answers all the same', async () => {
    const topic = `ev/m-1/${'x'.repeat(245)}`;
    const receipt = await send(topic, { at: now(), type: 'far' });
    expect(receipt.outcome).toBe('accepted');
    const kept = (await bridge.rows('Quarantine')).filter(
      (row) => row.reason?.S === 'unforwardable',
    );
    expect(kept.map((row) => row.topic?.S)).toEqual([topic]);
  });

  it('books and forwards without a word where the route sends no receipts', async () => {
    await thing.publish('si/m-1', JSON.stringify({ id: 'q-1' }));
    await bridge.seen((event) => event.kind === 'published' && event.topic === 'clean/si/m-1');
    await bridge.cloud.idle();
    const receipts = bridge.events.filter(
      (event) =>
        event.kind === 'published' && event.payload.includes('"route":"silent","receipts"'),
    );
    expect(receipts).toEqual([]);
    const rows = (await bridge.rows('DedupRecords')).filter((row) => row.route?.S === 'silent');
    expect(rows).toHaveLength(1);
  });

  it('takes bodies that are not JSON where nothing looks inside', async () => {
    const bytes = Buffer.from([0, 255, 1, 254]);
    await thing.publish('pr/m-1', bytes);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    await thing.publish('pr/m-1', bytes);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('duplicate');
    const forwards = forwardsOn('clean/pr/m-1').map((forward) => forward.bodyBase64);
    expect(forwards).toEqual([bytes.toString('base64')]);
  });

  it('marks copies in mode mark, and keeps their forward id', async () => {
    const body = { any: 1 };
    await send('mk/m-1/job-7', body);
    expect((await send('mk/m-1/job-7', body)).outcome).toBe('duplicate');
    const forwards = forwardsOn('clean/mk/m-1');
    expect(forwards.map((forward) => forward.duplicate)).toEqual([undefined, true]);
    expect(new Set(forwards.map((forward) => forward['tollbridge-id'])).size).toBe(1);
  });

  it('forwards copies unchanged in mode shadow', async () => {
    const body = { id: 's-1' };
    await send('sh/m-1', body);
    expect((await send('sh/m-1', body)).outcome).toBe('duplicate');
    const forwards = forwardsOn('clean/sh/m-1');
    expect(forwards.map(({ 'tollbridge-id': _, ...rest }) => rest)).toEqual(
      Array(2).fill({ v: 1, route: 'trial', device: 'm-1', id: 's-1', body }),
    );
    expect(new Set(forwards.map((forward) => forward['tollbridge-id'])).size).toBe(2);
  });

  it('forwards unverified, and answers nothing, while the table refuses', async () => {
    bridge.cloud.faults = { ...bridge.cloud.faults, throttle: 1 };
    await thing.publish('sh/m-1', JSON.stringify({ id: 's-2' }));
    await bridge.seen(
      (event) => event.kind === 'published' && event.payload.includes('"unverified":true'),
    );
    bridge.cloud.faults = { ...bridge.cloud.faults, throttle: 0 };
    // The next answer is that of the next message: none came for the one before.
    expect(await send('sh/m-1', { id: 's-3' })).toMatchObject({ id: 's-3', outcome: 'accepted' });
  });
});

describe('a latest route', () => {
  it('keeps the newest value, and tells the others what they are', async () => {
    const [first, second] = [hoursFromNow(-2), hoursFromNow(-1)];
    expect((await send('st/m-1', { at: first, v: 1 })).outcome).toBe('accepted');
    expect((await send('st/m-1', { at: second, v: 2 })).outcome).toBe('accepted');
    expect((await send('st/m-1', { at: second, v: 2 })).outcome).toBe('duplicate');
    expect(await send('st/m-1', { at: first, v: 1 })).toMatchObject({ reason: 'stale' });
    expect(await send('st/m-1', { at: second, v: 3 })).toMatchObject({
      reason: 'conflict',
      fields: ['v'],
    });
    expect(await send('st/m-1', { at: '2126-01-01T00:00:00Z', v: 9 })).toMatchObject({
      reason: 'early',
    });
    expect((await send('st/m-1', { at: now(), v: 4 })).outcome).toBe('accepted');
    const [row] = await bridge.rows('State');
    expect(row).toMatchObject({ pk: { S: 'm-1' }, id: { S: 'st/m-1' } });
    expect(row?.body?.S).toContain('"v":4');
  });
});

describe('an exactly-once route', () => {
  it('books what a device counts, and lets gaps be found', async () => {
    for (const seq of [1, 2, 5]) {
      const body = { seq, boot: 'b-1', a: 'acme', n: 1, at: now() };
      expect(await send('sq/m-1', body)).toMatchObject({ id: `b-1:${seq}`, outcome: 'accepted' });
    }
    const rows = (await bridge.rows('Ledger')).filter((row) => row.route?.S === 'counted');
    const counted = rows.map((row) => ({
      epoch: row.epoch?.S ?? '',
      sequence: BigInt(row.sequence?.S ?? '-1'),
    }));
    expect(gapsOf(counted)).toMatchObject([
      { epoch: 'b-1', received: 3, missing: [{ from: 3n, to: 4n }] },
    ]);
  });

  it('takes a body that was stamped again for the same message', async () => {
    const body = { seq: 9, boot: 'b-1', a: 'acme', n: '1.50', at: now() };
    expect((await send('sq/m-1', { ...body, sentAt: 1 })).outcome).toBe('accepted');
    expect((await send('sq/m-1', { ...body, sentAt: 2 })).outcome).toBe('duplicate');
    expect(await send('sq/m-1', { ...body, n: '1.60', sentAt: 3 })).toMatchObject({
      reason: 'conflict',
      fields: ['n'],
    });
  });

  it('joins parts into one id', async () => {
    const body = { at: now(), plug: 1, a: 'acme', n: 2 };
    expect((await send('ts/m-1', body)).outcome).toBe('accepted');
    expect((await send('ts/m-1', { ...body, plug: 2 })).outcome).toBe('accepted');
    expect((await send('ts/m-1', { ...body, plug: '1' })).outcome).toBe('accepted');
    expect((await send('ts/m-1', body)).outcome).toBe('duplicate');
  });
});

describe('Basic Ingest', () => {
  it.each([
    ['events', 'ev/m-1/x', { at: now(), type: 'basic' }],
    ['status', 'st/m-1', { at: hoursFromNow(1), v: 'basic' }],
    ['counted', 'sq/m-1', { seq: 77, boot: 'b-1', a: 'acme', n: 1, at: now() }],
  ])('gives the same result on a route such as %s', async (route, topic, body) => {
    const ingest = `$aws/rules/tollbridge_${route}/${topic}`;
    expect((await send(ingest, body)).outcome).toBe('accepted');
    expect((await send(topic, body)).outcome).toBe('duplicate');
  });
});
