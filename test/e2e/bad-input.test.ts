/**
 * Goal: nothing that a device can send crashes a function, is tried for ever, or is lost. Method:
 * each body goes the whole way; the answer, the quarantine row and the queues are looked at.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { leftovers, startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing, type Thing } from '../../tools/mqtt/thing.ts';

const now = () => new Date().toISOString();
const body = (fields: object) =>
  JSON.stringify({ id: 'a-1', account: 'acme', kWh: '1.25', at: now(), ...fields });
/** A charge of exactly so many bytes. */
const sized = (bytes: number, id: string) => {
  const rest = body({ id, pad: '' });
  return body({ id, pad: 'x'.repeat(bytes - rest.length) });
};
const raw = (kWh: string, id: string) =>
  `{"id":"${id}","account":"acme","kWh":${kWh},"at":"${now()}"}`;

const REFUSED: readonly (readonly [title: string, body: string | Buffer, reason: string])[] = [
  ['a body that is not JSON', 'kWh=1', 'invalid-body'],
  ['an empty body', '', 'invalid-body'],
  ['a body of 90 KB and one byte', sized(92_161, 'big-2'), 'too-long'],
  ['a body of 120 KB, which takes the error action', sized(120_000, 'big-3'), 'too-long'],
  ['a body that is not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'invalid-body'],
  ['a deeply nested body', '['.repeat(50_000), 'invalid-body'],
  ['an id behind __proto__', '{"__proto__":{"id":"a"},"account":"b"}', 'missing-id'],
  ['a repeated key', '{"id":"r-1","id":"r-2"}', 'invalid-body'],
  ['a repeated key with equal values', '{"id":"r-1","id":"r-1"}', 'invalid-body'],
  ['no id', body({ id: undefined }), 'missing-id'],
  ['an empty id', body({ id: '' }), 'missing-id'],
  ['a fraction for an id', body({ id: 1.5 }), 'invalid-id'],
  ['an object for an id', body({ id: { a: 1 } }), 'invalid-id'],
  ['an id of 300 bytes', body({ id: 'x'.repeat(300) }), 'too-long'],
  ['an amount that is a word', body({ id: 'm-1', kWh: 'abc' }), 'invalid-amount'],
  ['NaN for an amount', raw('NaN', 'm-2'), 'invalid-body'],
  ['"NaN" for an amount', body({ id: 'm-3', kWh: 'NaN' }), 'invalid-amount'],
  ['an amount of 1e400', raw('1e400', 'm-4'), 'invalid-amount'],
  ['an amount of 1e999999999', raw('1e999999999', 'm-5'), 'invalid-amount'],
  [
    'an amount of 40 digits',
    raw('1234567890123456789012345678901234567891', 'm-6'),
    'invalid-amount',
  ],
  ['an amount of 1e-200', raw('1e-200', 'm-7'), 'invalid-amount'],
  ['an account of 3,000 bytes', body({ id: 'm-8', account: 'x'.repeat(3_000) }), 'too-long'],
  ['a charge of 1970', body({ id: 'm-9', at: '1970-01-01T00:00:00Z' }), 'late'],
  ['a charge of 2126', body({ id: 'm-10', at: '2126-01-01T00:00:00Z' }), 'early'],
  ['a day that does not exist', body({ id: 'm-11', at: '2026-02-30T00:00:00Z' }), 'invalid-time'],
];

const BOOKED: readonly (readonly [title: string, body: string])[] = [
  ['a body of 90 KB', sized(92_160, 'big-1')],
  ['an id with # and newlines', body({ id: 'a#b\n+/\u0000c' })],
  ['an integer id beyond 2^53', raw('1', 'x').replace('"x"', '9007199254740993')],
  ['an amount of 38 digits', raw('12345678901234567890123456789012345678', 'n-1')],
  ['the smallest amount', raw('1e-130', 'n-2')],
  ['an account with # in it', body({ id: 'n-3', account: 'a#2026-01#0' })],
];

describe('bad input', () => {
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

  it.each(REFUSED)(
    'quarantines %s whole and answers with the reason',
    async (_title, sent, reason) => {
      const before = new Set((await bridge.rows('Quarantine')).map(({ sk }) => sk?.S));
      await thing.publish('billing/meter-17/charges', sent);
      const { receipts } = await thing.nextReceipts();
      expect(receipts).toMatchObject([{ outcome: 'rejected', reason }]);
      const added = (await bridge.rows('Quarantine')).filter(({ sk }) => !before.has(sk?.S));
      expect(added.map((row) => row.reason?.S)).toEqual([reason]);
      const kept = added[0]?.body;
      expect(kept?.S ?? kept?.B).toEqual(typeof sent === 'string' ? sent : new Uint8Array(sent));
    },
  );

  it.each(BOOKED)('books %s', async (_title, sent) => {
    await thing.publish('billing/meter-17/charges', sent);
    expect((await thing.nextReceipts()).receipts).toMatchObject([{ outcome: 'accepted' }]);
    const rows = await bridge.rows('Ledger');
    expect(rows.filter((row) => row.body?.S === sent)).toHaveLength(1);
  });

  it('answers the same refused body again with the same reason, in one quarantine row', async () => {
    const rows = (await bridge.rows('Quarantine')).length;
    await thing.publish('billing/meter-17/charges', 'kWh=1');
    expect((await thing.nextReceipts()).receipts).toMatchObject([{ reason: 'invalid-body' }]);
    expect(await bridge.rows('Quarantine')).toHaveLength(rows);
  });

  it('has left nothing behind: no failed invocation, no dead letter, every row one or the other', async () => {
    expect(await leftovers(bridge)).toEqual([]);
    expect(await bridge.rows('Ledger')).toHaveLength(BOOKED.length);
    expect(await bridge.rows('Quarantine')).toHaveLength(REFUSED.length);
  });
});
