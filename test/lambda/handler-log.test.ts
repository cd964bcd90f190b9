/** What the functions write into their logs, which is all that tells devices and deliveries apart. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RetryableError } from '../../core/base/errors.ts';
import { epochMillis } from '../../core/base/time.ts';
import { payload, sequence } from '../../core/config/sources.ts';
import { METRIC } from '../../core/operations/metrics.ts';
import { HandshakeHarness } from '../../tools/handlers/handshake.ts';
import { envelopeOf, Ingest, queueEvent } from '../../tools/handlers/ingest.ts';
import {
  BODY,
  bodyWith,
  NOW,
  routeOf,
  stateRouteOf,
  windowRouteOf,
  writeOf,
} from '../../tools/handlers/samples.ts';

describe('the log of a batch', () => {
  it('has one line for each copy, with its device, id and delivery, and none for what is new', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1'));
    expect(ingest.notes).toEqual([]);
    await ingest.failures(envelopeOf('d-2'), envelopeOf('d-3'), envelopeOf('d-1'));
    expect(ingest.notes).toEqual(
      ['d-2', 'd-3'].map((deliveryId) => ({
        text: 'copy',
        fields: { device: 'dev-1', id: 'c-1', deliveryId },
      })),
    );
  });

  it('names the row and the delivery of what was quarantined', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1', 'no JSON'));
    const [row] = ingest.quarantine.list();
    expect(ingest.notes).toEqual([
      {
        text: 'quarantined',
        fields: { reason: 'invalid-body', quarantineKey: row?.key, deliveryId: 'd-1' },
      },
    ]);
  });

  it('names the delivery that failed, with its error', async () => {
    const ingest = new Ingest();
    const error = new RetryableError('throttled');
    ingest.beforeBook = async () => {
      throw error;
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    expect(ingest.notes).toEqual([
      {
        text: 'delivery failed and will be tried again',
        fields: { deliveryId: 'd-1', error },
      },
    ]);
  });

  it('names the delivery that went out unverified, with the store’s error', async () => {
    const ingest = new Ingest({}, windowRouteOf({ onStoreDown: 'forward' }));
    const error = new RetryableError('throttled');
    ingest.beforeBook = async () => {
      throw error;
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.notes).toEqual([
      {
        text: 'forwarded unverified, for the table does not answer',
        fields: { deliveryId: 'd-1', error },
      },
    ]);
  });
});

describe('the detail of a conflict', () => {
  const detailAfter = async (ingest: Ingest, ...bodies: readonly string[]) => {
    for (const [n, body] of bodies.entries()) await ingest.failures(envelopeOf(`d-${n}`, body));
    const [row] = ingest.quarantine.list();
    return row?.detail;
  };

  it('names the fields that differ', async () => {
    const other = bodyWith({ kWh: '1', account: '"b"' });
    expect(await detailAfter(new Ingest(), BODY, other)).toBe(
      'the id is booked with another body; they differ in account, kWh',
    );
  });

  it('says so where no field shows the difference', async () => {
    expect(await detailAfter(new Ingest(), BODY, `${BODY} `)).toBe(
      'the id is booked with another body; they differ in what no field shows',
    );
  });

  it('speaks of the version on a route that keeps the newest value', async () => {
    const ingest = new Ingest({}, stateRouteOf());
    expect(await detailAfter(ingest, BODY, bodyWith({ kWh: '1' }))).toBe(
      'this version is known with another body; they differ in kWh',
    );
  });
});

describe('the counts of a batch', () => {
  it('name what somebody has to hear of, and nothing for other refusals', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1', 'no JSON'));
    expect([...ingest.counts.keys()].sort()).toEqual(
      [METRIC.deliveries, METRIC.failed, METRIC.receipts, METRIC.rejected].sort(),
    );
    await ingest.failures(envelopeOf('d-2', BODY, 'dev-1', { clientId: 'dev-2' }));
    expect(ingest.counts.get(METRIC.wrongDevice)).toBe(1);
    expect(ingest.counts.get(METRIC.rejected)).toBe(2);
  });

  it.each([
    [40, 40],
    [0, 0],
    [-40, 0],
  ])('hold the lag of a booking: %i ms after the rule’s time is %i', async (after, lag) => {
    const ingest = new Ingest();
    ingest.now = epochMillis(NOW + after);
    await ingest.failures(envelopeOf('d-1'));
    expect(ingest.counts.get(METRIC.bookingLag)).toBe(lag);
  });
});

describe('the log of the handshake', () => {
  it('says nothing of a request that was read whole', async () => {
    const bridge = new HandshakeHarness(routeOf({ id: payload('id') }));
    await bridge.ask('release', { v: 1, route: 'charges', ids: ['a'] });
    expect(bridge.notes).toEqual([]);
    await bridge.ask('release', { v: 1, route: 'charges', ids: ['a', ''] });
    expect(bridge.notes).toHaveLength(1);
  });

  it('says of a question that failed that it did', async () => {
    const bridge = new HandshakeHarness(routeOf());
    bridge.beforeStore = async () => {
      throw new RetryableError('throttled');
    };
    const asked = bridge.ask('release', { v: 1, route: 'charges', ids: ['a'] });
    await expect(asked).rejects.toThrow(RetryableError);
    expect(bridge.notes).toHaveLength(1);
  });
});

describe('a function that has answered', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('leaves no timer behind in its warm process', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], now: NOW });
    await new Ingest().handle(queueEvent(envelopeOf('d-1')));
    const bridge = new HandshakeHarness(routeOf());
    await bridge.ask('release', { v: 1, route: 'charges', ids: ['a'] });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the counts and answers of the handshake', () => {
  const hash = 'a'.repeat(64);

  it('of a question by hash alone name no id', async () => {
    const bridge = new HandshakeHarness(routeOf());
    await bridge.ask('query', { v: 1, route: 'charges', messages: [{ bodyHash: hash }] });
    expect(bridge.answersTo('dev-1')).toEqual([{ bodyHash: hash, outcome: 'unknown' }]);
    expect(bridge.counts.get(`charges ${METRIC.released}`) ?? 0).toBe(0);
  });

  it('hold no release of what can be no id of the route', async () => {
    const bridge = new HandshakeHarness(routeOf({ id: sequence('seq', { epoch: 'boot' }) }));
    await bridge.ask('release', { v: 1, route: 'charges', ids: ['no sequence'] });
    expect(bridge.answersTo('dev-1')).toEqual([{ id: 'no sequence', outcome: 'completed' }]);
    expect(bridge.counts.get(`charges ${METRIC.released}`) ?? 0).toBe(0);
  });

  it('of a release cost one write and no read where the name means one id', async () => {
    const bridge = new HandshakeHarness(routeOf());
    await bridge.ledger.book(writeOf());
    let asked = 0;
    bridge.beforeStore = async () => {
      asked++;
    };
    await bridge.ask('release', { v: 1, route: 'charges', ids: ['c-1'] });
    expect(asked).toBe(1);
    expect(bridge.counts.get(`charges ${METRIC.released}`)).toBe(1);
  });
});
