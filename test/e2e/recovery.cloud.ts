/**
 * Goal: what failed for good is booked by a redrive, and once however often everything is
 * redriven. Method: a table that refuses until Lambda gives up, then the local cloud's redrive.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { REDELIVERING_SOON, startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing } from '../../tools/mqtt/thing.ts';

let assembly: string;
let bridge: TestCloud;

beforeAll(async () => {
  const { charges } = config.routes;
  if (charges === undefined) throw new Error('the configuration has no route charges');
  // Lambda's own queue gives up after two retries; the route's queue tries for six hours.
  assembly = await assemblyOf({ routes: { charges: { ...charges, feed: 'direct' } } });
  bridge = await startTestCloud(assembly, { throttle: 1 }, REDELIVERING_SOON);
});
afterAll(async () => {
  await bridge.cloud.close();
});

describe('dead letters', () => {
  it('are booked by a redrive, and booked once by every further one', async () => {
    const thing = await connectThing(bridge.port, 'meter-17');
    const body = JSON.stringify({
      id: 'a-1',
      account: 'acme',
      kWh: 1,
      at: new Date().toISOString(),
    });
    await thing.publish('billing/meter-17/charges', body);
    await bridge.seen((event) => event.kind === 'dead-letter');
    bridge.cloud.faults = { ...bridge.cloud.faults, throttle: 0 };

    const [deadLetters, queue] = ['DeadLetters', 'Queue'].map((word) => {
      const name = [...bridge.cloud.queues.keys()].find((each) => each.includes(`Charges${word}`));
      return bridge.cloud.queues.get(name ?? '');
    });
    if (deadLetters === undefined || queue === undefined) throw new Error('a queue is missing');
    const bodies = deadLetters.peek().map((message) => message.body);
    expect(bodies).toHaveLength(1);

    expect(bridge.cloud.redrive(deadLetters.name)).toBe(1);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    // Everything once more: the very messages that were redriven before.
    for (const again of bodies) queue.send(again);
    // It is the same delivery: it books nothing, and may only forward again.
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    expect(bridge.cloud.redrive(deadLetters.name)).toBe(0);

    const rows = await bridge.rows('Ledger');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.tries?.N).toBe('2');
    await thing.end();
  });
});
