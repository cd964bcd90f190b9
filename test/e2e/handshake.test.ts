/**
 * Goal: release and query go the whole way on the template that would be deployed, for each
 * guarantee. Method: real MQTT.js clients against the local cloud, rows read from the tables.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../core/base/hash.ts';
import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../core/base/limits.ts';
import { defineConfig } from '../../core/config/route.ts';
import { payload, sequence, timestamp, topicLevel } from '../../core/config/sources.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { closed, connectThing, type Thing } from '../../tools/mqtt/thing.ts';

const config = defineConfig({
  routes: {
    charges: {
      guarantee: 'exactly-once',
      topic: 'billing/+/charges',
      device: topicLevel(2),
      id: sequence('seq', { epoch: 'boot' }),
      entry: {
        account: payload('account'),
        amount: payload('kWh'),
        unit: 'kWh',
        occurredAt: payload('at'),
      },
    },
    events: {
      guarantee: 'deduplicated',
      topic: 'events/+',
      device: topicLevel(2),
      id: payload('id'),
      window: { days: 60 },
    },
    status: {
      guarantee: 'latest',
      topic: 'status/+',
      device: topicLevel(2),
      version: timestamp('at'),
    },
  },
});

let assembly: string;
let bridge: TestCloud;
let thing: Thing;
beforeAll(async () => {
  assembly = await assemblyOf(config);
  bridge = await startTestCloud(assembly);
  thing = await connectThing(bridge.port, 'meter-17');
});
afterAll(async () => {
  await thing.end();
  await bridge.cloud.close();
});

const at = () => new Date().toISOString();
const charge = (seq: number, fields: object = {}) =>
  JSON.stringify({ boot: 'b-1', seq, account: 'acme', kWh: '1.25', at: at(), ...fields });
const hashOf = (topic: string, body: string) => bodyHashOf(topic, Buffer.from(body));

async function ask(kind: 'release' | 'query', request: object) {
  await thing.publish(`tollbridge/meter-17/${kind}`, JSON.stringify({ v: 1, ...request }));
  const { v, route, receipts } = await thing.nextReceipts();
  expect(v).toBe(1);
  return { route, receipts };
}

async function book(topic: string, body: string) {
  await thing.publish(topic, body);
  const { receipts } = await thing.nextReceipts();
  return receipts[0];
}

describe('a charge', () => {
  it('is booked, queried and released under the id that its receipt told', async () => {
    const topic = 'billing/meter-17/charges';
    const body = charge(1);
    const receipt = await book(topic, body);
    expect(receipt).toMatchObject({ id: 'b-1:1', outcome: 'accepted' });
    const asked = { id: receipt?.id, bodyHash: hashOf(topic, body) };
    const never = { id: 'b-1:2', bodyHash: hashOf(topic, charge(2)) };
    expect(await ask('query', { route: 'charges', messages: [asked, never] })).toEqual({
      route: 'charges',
      receipts: [
        { ...asked, outcome: 'accepted', bookedAt: receipt?.bookedAt },
        { ...never, outcome: 'unknown' },
      ],
    });
    const released = { route: 'charges', ids: ['b-1:1', 'b-1:2'] };
    const completed = ['b-1:1', 'b-1:2'].map((id) => ({ id, outcome: 'completed' }));
    expect(await ask('release', released)).toEqual({ route: 'charges', receipts: completed });
    const [row, ...more] = await bridge.rows('Ledger');
    expect(more).toEqual([]);
    expect(row).toMatchObject({ id: { S: 'seq:b-1:1' }, tries: { N: '1' } });
    expect(Date.parse(row?.releasedAt?.S ?? '')).toBeGreaterThanOrEqual(
      Number(row?.bookedAtMillis?.N),
    );
  });

  it('whose release came first is booked all the same', async () => {
    await ask('release', { route: 'charges', ids: ['b-2:1'] });
    const receipt = await book('billing/meter-17/charges', charge(1, { boot: 'b-2' }));
    expect(receipt).toMatchObject({ id: 'b-2:1', outcome: 'accepted' });
  });

  it('that was rejected says so to a query, with its reason', async () => {
    const topic = 'billing/meter-17/charges';
    const body = charge(1, { account: '' });
    expect(await book(topic, body)).toMatchObject({ outcome: 'rejected' });
    const asked = { id: 'b-1:1', bodyHash: hashOf(topic, body) };
    expect(await ask('query', { route: 'charges', messages: [asked] })).toMatchObject({
      receipts: [{ ...asked, outcome: 'rejected', reason: 'missing-account' }],
    });
  });
});

it('a windowed record ends L after its release instead of two months later', async () => {
  await book('events/meter-17', '{"id":"e-1"}');
  await ask('release', { route: 'events', ids: ['e-1'] });
  const [row] = await bridge.rows('DedupRecords');
  const releasedSeconds = Math.ceil(Date.parse(row?.releasedAt?.S ?? '') / 1_000);
  expect(row?.expiresAt).toEqual({ N: String(releasedSeconds + MESSAGE_LIFETIME_MAX_SECONDS) });
});

it('another device’s ids are completed to nobody’s harm, and its topics are closed', async () => {
  await book('events/meter-17', '{"id":"e-2"}');
  const stranger = await connectThing(bridge.port, 'meter-18');
  const release = JSON.stringify({ v: 1, route: 'events', ids: ['e-2'] });
  await stranger.publish('tollbridge/meter-18/release', release);
  expect(await stranger.nextReceipts()).toMatchObject({ receipts: [{ outcome: 'completed' }] });
  const row = (await bridge.rows('DedupRecords')).find(({ id }) => id?.S === 'e-2');
  expect(row).not.toHaveProperty('releasedAt');
  const cutOff = closed(stranger.client);
  stranger.client.publish('tollbridge/meter-17/release', release, { qos: 1 }, () => {});
  await cutOff;
  await stranger.end();
});
