/**
 * Goal: what a device can send wrongly is refused in the same way on routes of the other
 * guarantees: whole in the quarantine, with its reason, and never tried again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../core/config/route.ts';
import { payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { leftovers, startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing, type Thing } from '../../tools/mqtt/thing.ts';

const config: Config = {
  routes: {
    events: {
      guarantee: 'deduplicated',
      topic: 'ev/+',
      device: topicLevel(2),
      id: payload('id'),
      time: payload('at'),
      window: { days: 7 },
    },
    status: {
      guarantee: 'latest',
      topic: 'st/+',
      device: topicLevel(2),
      version: timestamp('at'),
    },
  },
};

const now = () => new Date().toISOString();
const body = (fields: object) => JSON.stringify({ id: 'a-1', at: now(), ...fields });

type Case = readonly [title: string, body: string | Buffer, reason: string];

const ON_BOTH: readonly Case[] = [
  ['a body that is not JSON', 'on', 'invalid-body'],
  ['an empty body', '', 'invalid-body'],
  ['a body of 90 KB and one byte', body({ pad: 'x'.repeat(92_161) }).slice(-92_161), 'too-long'],
  ['a body that is not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'invalid-body'],
  ['a deeply nested body', '['.repeat(50_000), 'invalid-body'],
  ['a repeated key', `{"id":"r-1","at":"${now()}","id":"r-2"}`, 'invalid-body'],
  ['a time of 2126', body({ id: 't-1', at: '2126-01-01T00:00:00Z' }), 'early'],
  ['a day that does not exist', body({ id: 't-2', at: '2026-02-30T00:00:00Z' }), 'invalid-time'],
  ['a time without its offset', body({ id: 't-3', at: '2026-11-20T09:00:00' }), 'invalid-time'],
  ['no time', body({ id: 't-4', at: undefined }), 'missing-time'],
  ['a time behind __proto__', '{"id":"p","__proto__":{"at":1}}', 'missing-time'],
];

const ON_EVENTS: readonly Case[] = [
  ['a time of 1970', body({ id: 'e-1', at: '1970-01-01T00:00:00Z' }), 'late'],
  ['no id', body({ id: undefined }), 'missing-id'],
  ['an empty id', body({ id: '' }), 'missing-id'],
  ['a fraction for an id', body({ id: 1.5 }), 'invalid-id'],
  ['an object for an id', body({ id: {} }), 'invalid-id'],
  ['an id of 300 bytes', body({ id: 'x'.repeat(300) }), 'too-long'],
];

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

describe.each([
  ['deduplicated', 'ev/m-1', [...ON_BOTH, ...ON_EVENTS]],
  ['latest', 'st/m-1', ON_BOTH],
] as const)('bad input on a %s route', (_guarantee, topic, cases) => {
  it.each(cases)(
    'quarantines %s whole and answers with the reason',
    async (_title, sent, reason) => {
      await thing.publish(topic, sent);
      expect((await thing.nextReceipts()).receipts).toMatchObject([
        { outcome: 'rejected', reason },
      ]);
      const kept = (await bridge.rows('Quarantine')).filter(
        (row) => row.topic?.S === topic && row.reason?.S === reason,
      );
      const bodies = kept.map((row) => row.body?.S ?? Buffer.from(row.body?.B ?? []));
      expect(bodies).toContainEqual(sent);
    },
  );

  it('has failed no invocation and left nothing in a queue', async () => {
    expect(await leftovers(bridge)).toEqual([]);
  });

  it('still takes a good message after all of it', async () => {
    await thing.publish(topic, body({ id: 'good' }));
    expect((await thing.nextReceipts()).receipts).toMatchObject([{ outcome: 'accepted' }]);
  });
});
