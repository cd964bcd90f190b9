/**
 * Goal: a charge goes the whole way on the template that would be deployed: MQTT client, broker,
 * rule, queue, the real bundle, tables, receipt. Method: real MQTT.js clients against the local
 * cloud, rows read from the tables.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../core/base/hash.ts';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { REDELIVERING_SOON, startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { closed, connectThing } from '../../tools/mqtt/thing.ts';

const now = () => new Date().toISOString();
const charge = (fields: object = {}) =>
  JSON.stringify({ id: 'a-1', account: 'acme', kWh: '1.25', at: now(), ...fields });

let assembly: string;
beforeAll(async () => {
  assembly = await assemblyOf(config);
});

describe.each(['queue', 'direct'] as const)('a route fed by %s', (feed) => {
  let fed: string;
  let bridge: TestCloud;
  beforeAll(async () => {
    const { charges } = config.routes;
    if (charges === undefined) throw new Error('the configuration has no route charges');
    fed = await assemblyOf({ routes: { charges: { ...charges, feed } } });
    bridge = await startTestCloud(fed);
  });
  afterAll(async () => {
    await bridge.cloud.close();
  });

  it('books a charge once, however often it is sent, and answers with its hash', async () => {
    const thing = await connectThing(bridge.port, 'meter-17');
    const body = charge({ serial: 'same' });
    const topic = 'billing/meter-17/charges';
    const outcomes = [];
    for (let time = 0; time < 3; time++) {
      await thing.publish(topic, body);
      const { v, route, receipts } = await thing.nextReceipts();
      expect({ v, route }).toEqual({ v: 1, route: 'charges' });
      expect(receipts).toHaveLength(1);
      expect(receipts[0]).toMatchObject({
        id: 'a-1',
        bodyHash: bodyHashOf(topic, Buffer.from(body)),
      });
      outcomes.push(receipts[0]);
    }
    expect(outcomes.map((receipt) => receipt?.outcome)).toEqual([
      'accepted',
      'duplicate',
      'duplicate',
    ]);
    expect(new Set(outcomes.map((receipt) => receipt?.bookedAt)).size).toBe(1);
    const rows = (await bridge.rows('Ledger')).filter((row) => row.device?.S === 'meter-17');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      pk: { S: 'charges#meter-17' },
      id: { S: 'a-1' },
      account: { S: 'acme' },
      amount: { N: '1.25' },
      unit: { S: 'kWh' },
      tries: { N: '3' },
      body: { S: body },
    });
    await thing.end();
  });

  it('takes Basic Ingest for the same message on the same topic', async () => {
    const thing = await connectThing(bridge.port, 'meter-18');
    const body = charge();
    await thing.publish('billing/meter-18/charges', body);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    await thing.publish('$aws/rules/tollbridge_charges/billing/meter-18/charges', body);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('duplicate');
    await thing.end();
  });

  it('keeps both bodies of a conflict, names the field, and bills the first alone', async () => {
    const thing = await connectThing(bridge.port, 'meter-19');
    const at = now();
    await thing.publish('billing/meter-19/charges', charge({ at, kWh: 1 }));
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    await thing.publish('billing/meter-19/charges', charge({ at, kWh: 2 }));
    expect((await thing.nextReceipts()).receipts[0]).toMatchObject({
      outcome: 'rejected',
      reason: 'conflict',
      fields: ['kWh'],
    });
    const [row] = (await bridge.rows('Quarantine')).filter(
      ({ device }) => device?.S === 'meter-19',
    );
    expect(row?.body?.S).toContain('"kWh":2');
    expect(row?.bookedBody?.S).toContain('"kWh":1');
    await thing.end();
  });

  it('forwards a booking once, with the body as it was sent', async () => {
    const thing = await connectThing(bridge.port, 'meter-20');
    const body = `{"id":7,"account":"acme","kWh":0.10,"at":"${now()}"}`;
    await thing.publish('billing/meter-20/charges', body);
    expect((await thing.nextReceipts()).receipts[0]).toMatchObject({ id: 7, outcome: 'accepted' });
    await thing.publish('billing/meter-20/charges', body);
    await thing.nextReceipts();
    const forwards = bridge.events.flatMap((event) =>
      event.kind === 'published' && event.topic === 'booked/meter-20/charges'
        ? [event.payload.toString()]
        : [],
    );
    expect(forwards).toEqual([
      `{"v":1,"tollbridge-id":"charges#meter-20#int:7","route":"charges","device":"meter-20","id":7,"body":${body}}`,
    ]);
    await thing.end();
  });

  it('books over the error action when the action fails', async () => {
    bridge.cloud.faults = { ...bridge.cloud.faults, failAction: 1 };
    const thing = await connectThing(bridge.port, 'meter-21');
    await thing.publish('billing/meter-21/charges', charge());
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    bridge.cloud.faults = { ...bridge.cloud.faults, failAction: 0 };
    const [row] = (await bridge.rows('Ledger')).filter(({ device }) => device?.S === 'meter-21');
    expect(row?.principal).toEqual({ NULL: true });
    expect(bridge.events.some((event) => event.kind === 'fallback')).toBe(true);
    await thing.end();
  });
});

describe('a function that fails', () => {
  it('is tried again after a crash behind the write, books once and forwards', async () => {
    const bridge = await startTestCloud(assembly, { crashAfterWrite: 1 }, REDELIVERING_SOON);
    const thing = await connectThing(bridge.port, 'meter-17');
    await thing.publish('billing/meter-17/charges', charge());
    await bridge.seen((event) => event.kind === 'fault' && event.fault === 'crashAfterWrite');
    bridge.cloud.faults = { ...bridge.cloud.faults, crashAfterWrite: 0 };
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    const rows = await bridge.rows('Ledger');
    expect(rows.map(({ tries }) => Number(tries?.N) > 1)).toEqual([true]);
    expect(bridge.events.filter((event) => isForward(event))).toHaveLength(1);
    await thing.end();
    await bridge.cloud.close();
  });

  it('books once when the answer of the write is lost', async () => {
    const bridge = await startTestCloud(assembly, { loseAnswer: 1 }, REDELIVERING_SOON);
    const thing = await connectThing(bridge.port, 'meter-17');
    await thing.publish('billing/meter-17/charges', charge());
    await bridge.seen((event) => event.kind === 'fault' && event.fault === 'loseAnswer');
    bridge.cloud.faults = { ...bridge.cloud.faults, loseAnswer: 0 };
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    expect(await bridge.rows('Ledger')).toHaveLength(1);
    await thing.end();
    await bridge.cloud.close();
  });
});

describe('what a thing may do', () => {
  let bridge: TestCloud;
  beforeAll(async () => {
    bridge = await startTestCloud(assembly);
  });
  afterAll(() => bridge.cloud.close());

  it.each([
    ["publishes under another's name", 'billing/meter-2/charges', 1],
    ['publishes a receipt for itself', 'tollbridge/meter-1/receipts', 1],
    ['publishes with QoS 2', 'billing/meter-1/charges', 2],
    ['publishes on a topic with 8 slashes', 'billing/meter-1/charges/1/2/3/4/5/6', 1],
  ] as const)('ends the connection of one that %s', async (_title, topic, qos) => {
    const thing = await connectThing(bridge.port, 'meter-1');
    const end = closed(thing.client);
    thing.client.publish(topic, charge(), { qos }, () => {});
    await end;
    await bridge.cloud.idle();
    expect(await bridge.rows('Ledger')).toEqual([]);
    await thing.end();
  });
});

function isForward(event: TestCloud['events'][number]): boolean {
  return event.kind === 'published' && event.topic.startsWith('booked/');
}
