/** `latest` routes: the newest value of a topic wins, and no late copy brings an old one back. */
import { describe, expect, it } from 'vitest';
import { RetryableError, TerminalError } from '../../../core/base/errors.ts';
import { epochMillis } from '../../../core/base/time.ts';
import { timestamp, topicLevel } from '../../../core/config/sources.ts';
import { envelopeOf, Ingest } from '../../../tools/handlers/ingest.ts';
import { bodyWith, NOW, stateRouteOf } from '../../../tools/handlers/samples.ts';

const at = (millis: number, kWh = '1') => bodyWith({ at: String(NOW + millis), kWh });
const newIngest = (changes = {}) => new Ingest({}, stateRouteOf(changes));
const outcomes = (ingest: Ingest) => ingest.receiptsTo('dev-1').map(({ outcome }) => outcome);
const standing = (ingest: Ingest) => [...ingest.state.rows.values()];

describe('a value', () => {
  it('that is newer is accepted, forwarded under its version and answered by its hash alone', async () => {
    const ingest = newIngest();
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual([]);
    expect(await ingest.failures(envelopeOf('d-2', at(2)))).toEqual([]);
    expect(ingest.steps).toEqual(['book', 'forward', 'receipt', 'book', 'forward', 'receipt']);
    expect(standing(ingest)).toMatchObject([{ version: NOW + 2, body: at(2) }]);
    const topic = 'billing/dev-1/charges';
    expect(ingest.forwards.map(({ userProperties }) => userProperties)).toEqual([
      [['tollbridge-id', `status#dev-1#${topic}#${NOW + 1}`]],
      [['tollbridge-id', `status#dev-1#${topic}#${NOW + 2}`]],
    ]);
    expect(JSON.parse(ingest.forwards[0]?.payload ?? '')).not.toHaveProperty('id');
    expect(ingest.receiptsTo('dev-1')[0]).toMatchObject({ outcome: 'accepted', bookedAt: NOW });
    expect(ingest.receiptsTo('dev-1')[0]).not.toHaveProperty('id');
  });

  it('that is older is stale: told, counted, neither quarantined nor forwarded', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1', at(2)));
    expect(await ingest.failures(envelopeOf('d-2', at(1)))).toEqual([]);
    expect(ingest.receiptsTo('dev-1')[1]).toMatchObject({ outcome: 'rejected', reason: 'stale' });
    expect(ingest.counts.get('Stale')).toBe(1);
    expect(ingest.counts.get('Rejected')).toBeUndefined();
    expect(ingest.quarantine.rows.size).toBe(0);
    expect(ingest.forwards).toHaveLength(1);
    expect(standing(ingest)).toMatchObject([{ version: NOW + 2, firstDeliveryId: 'd-1' }]);
  });

  it('that is the first of its topic is accepted, however old it is', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1', at(-50 * 366 * 86_400_000)));
    expect(outcomes(ingest)).toEqual(['accepted']);
  });

  it('whose effects a crash cut off is resumed, and forwarded then', async () => {
    const ingest = newIngest();
    ingest.beforePublish = async () => {
      throw new RetryableError('down');
    };
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual(['m-1']);
    ingest.beforePublish = async () => {};
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual([]);
    expect(ingest.forwards).toHaveLength(1);
    expect(outcomes(ingest)).toEqual(['accepted']);
    expect(ingest.counts.get('Resumed')).toBe(1);
  });

  it('whose write landed although the store timed out is resumed', async () => {
    const ingest = newIngest();
    ingest.afterBook = async () => {
      throw new RetryableError('timed out');
    };
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual(['m-1']);
    ingest.afterBook = async () => {};
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual([]);
    expect(ingest.counts.get('Resumed')).toBe(1);
    expect(ingest.forwards).toHaveLength(1);
  });

  it('whose effects were cut off until a newer one came is stale, for the newer one is out', async () => {
    const ingest = newIngest();
    ingest.beforePublish = async ({ payload }) => {
      if (payload.includes(`#${NOW + 1}"`)) throw new RetryableError('down');
    };
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual(['m-1']);
    await ingest.failures(envelopeOf('d-2', at(2)));
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual([]);
    expect(ingest.counts.get('Stale')).toBe(1);
    expect(ingest.forwards).toHaveLength(1);
  });
});

describe('a value of an equal version', () => {
  it('with the same body is a duplicate, answered and not forwarded', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1', at(1)));
    await ingest.failures(envelopeOf('d-2', at(1)));
    expect(outcomes(ingest)).toEqual(['accepted', 'duplicate']);
    expect(ingest.forwards).toHaveLength(1);
  });

  it('with another body is a conflict: both are kept, the first stands', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1', at(1)));
    expect(await ingest.failures(envelopeOf('d-2', at(1, '2')))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([
      { reason: 'conflict', body: at(1, '2'), bookedBody: at(1), fields: ['kWh'], id: null },
    ]);
    expect(ingest.receiptsTo('dev-1')[1]).toMatchObject({
      outcome: 'rejected',
      reason: 'conflict',
      fields: ['kWh'],
    });
    expect(ingest.forwards).toHaveLength(1);
    expect(standing(ingest)).toMatchObject([{ body: at(1) }]);
  });

  it('is a duplicate when the bodies differ in what the route ignores', async () => {
    const ingest = newIngest({ ignoring: ['kWh'] });
    await ingest.failures(envelopeOf('d-1', at(1)));
    await ingest.failures(envelopeOf('d-2', at(1, '2')));
    expect(outcomes(ingest)).toEqual(['accepted', 'duplicate']);
    expect(ingest.quarantine.rows.size).toBe(0);
  });
});

describe('a value from the future', () => {
  it('of 2126 is early, kept and told, and does not block the device after', async () => {
    const ingest = newIngest();
    const future = bodyWith({ at: '"2126-11-20T08:59:00Z"' });
    expect(await ingest.failures(envelopeOf('d-1', future))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'early', body: future }]);
    expect(outcomes(ingest)).toEqual(['rejected']);
    expect(standing(ingest)).toEqual([]);
    await ingest.failures(envelopeOf('d-2', at(1)));
    expect(outcomes(ingest)).toEqual(['rejected', 'accepted']);
  });

  it('of a day ahead is the last that is taken, by the clock of the rule', async () => {
    const ingest = newIngest();
    ingest.now = epochMillis(NOW + 9 * 86_400_000);
    await ingest.failures(envelopeOf('d-1', at(86_400_001)), envelopeOf('d-2', at(86_400_000)));
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'early', deliveryId: 'd-1' }]);
    expect(standing(ingest)).toMatchObject([{ firstDeliveryId: 'd-2' }]);
  });
});

describe('values in one batch', () => {
  it('go out in the order in which they came, whichever write is quicker', async () => {
    const ingest = newIngest();
    const waits = new Map([
      ['d-1', 3],
      ['d-2', 2],
      ['d-3', 1],
    ]);
    ingest.beforeBook = async (deliveryId) => {
      for (let n = waits.get(deliveryId) ?? 0; n > 0; n--) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const later = (millis: number) => ({ receivedAt: NOW + millis });
    await ingest.failures(
      envelopeOf('d-3', at(3), 'dev-1', later(3)),
      envelopeOf('d-1', at(1), 'dev-1', later(1)),
      envelopeOf('d-2', at(2), 'dev-1', later(2)),
    );
    const kWhs = ingest.forwards.map(({ payload }) => JSON.parse(payload).body.at - NOW);
    expect(kWhs).toEqual([1, 2, 3]);
    expect(ingest.counts.get('Stale')).toBeUndefined();
  });

  it('that are copies are one write', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1', at(1)), envelopeOf('d-2', at(1)));
    expect(ingest.state.writes).toMatchObject([{ tries: 2 }]);
    expect(ingest.counts.get('Duplicate')).toBe(1);
  });
});

describe('a topic', () => {
  it('has its own newest value, and so has each device', async () => {
    const ingest = newIngest({ topic: 'status/+/#', device: topicLevel(2) });
    const on = (id: string, topic: string, device = 'dev-1') =>
      envelopeOf(id, at(1), device, { topic });
    await ingest.failures(
      on('d-1', 'status/dev-1/a'),
      on('d-2', 'status/dev-1/b'),
      on('d-3', 'status/dev-2/a', 'dev-2'),
    );
    expect(standing(ingest)).toHaveLength(3);
  });
});

describe('a store that fails', () => {
  it('holds values until it is back, and quarantines what it refuses for good', async () => {
    const ingest = newIngest();
    ingest.beforeBook = async () => {
      throw new RetryableError('throttled');
    };
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual(['m-1']);
    expect(ingest.published).toEqual([]);
    ingest.beforeBook = async () => {
      throw new TerminalError('ValidationException');
    };
    expect(await ingest.failures(envelopeOf('d-1', at(1)))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'refused-by-store' }]);
  });
});

describe('a body', () => {
  it.each([
    ['not JSON', 'invalid-body'],
    ['{}', 'missing-time'],
    ['{"at":"yesterday"}', 'invalid-time'],
    ['{"at":null}', 'missing-time'],
  ])('that is %s is quarantined: %s', async (body, reason) => {
    const ingest = newIngest({ version: timestamp('at') });
    expect(await ingest.failures(envelopeOf('d-1', body))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([{ reason, body }]);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'rejected', reason }]);
  });
});
