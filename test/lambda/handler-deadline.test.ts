import { describe, expect, it } from 'vitest';
import {
  ANSWER_RESERVE_MILLIS,
  BATCH_WRITES_CONCURRENT_MAX,
  DEADLINE_RESERVE_MILLIS,
} from '../../core/base/limits.ts';
import { abortAfter, aborted } from '../../lambda/runtime/deadline.ts';
import { envelopeOf, Ingest, queueEvent } from '../../tools/handlers/ingest.ts';
import { BODY, bodyWith } from '../../tools/handlers/samples.ts';

const never = () => new Promise<void>(() => {});
/** So much is left that records have 50 ms. */
const SHORT = DEADLINE_RESERVE_MILLIS + 50;

function records(count: number) {
  return Array.from({ length: count }, (_, n) =>
    envelopeOf(`d-${n + 1}`, bodyWith({ id: `"c-${n + 1}"` })),
  );
}

async function failures(ingest: Ingest, remainingMillis: number, ...bodies: readonly unknown[]) {
  const answer = await ingest.handle(queueEvent(...bodies), remainingMillis);
  return answer?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

describe('a record that hangs', () => {
  it('in the ledger is reported as failed before the deadline; its neighbours are done and told', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = (deliveryId) => (deliveryId === 'd-2' ? never() : Promise.resolve());
    expect(await failures(ingest, SHORT, ...records(3))).toEqual(['m-2']);
    expect(ingest.receiptsTo('dev-1').map(({ id }) => id)).toEqual(['c-1', 'c-3']);
    expect(ingest.counts.get('Failed')).toBe(1);
  });

  it('in its forward is reported as failed and gets no receipt', async () => {
    const ingest = new Ingest();
    ingest.beforePublish = ({ payload }) =>
      payload.includes('#c-2"') ? never() : Promise.resolve();
    expect(await failures(ingest, SHORT, ...records(3))).toEqual(['m-2']);
    expect(ingest.ledger.rows.size).toBe(3);
    expect(ingest.receiptsTo('dev-1').map(({ id }) => id)).toEqual(['c-1', 'c-3']);
  });

  it('in the quarantine is reported as failed, be it a body or an envelope that could not be read', async () => {
    const ingest = new Ingest();
    ingest.beforePut = never;
    expect(
      await failures(ingest, SHORT, 'unreadable', envelopeOf('d-1', 'x'), envelopeOf('d-2')),
    ).toEqual(['m-1', 'm-2']);
    expect(ingest.receiptsTo('dev-1')).toHaveLength(1);
  });

  it('and ends after the deadline is still reported as failed, and never told', async () => {
    const ingest = new Ingest();
    let release = () => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    ingest.beforeBook = () => waiting;
    expect(await failures(ingest, SHORT, envelopeOf('d-1'))).toEqual(['m-1']);
    release();
    await waiting;
    expect(ingest.receiptsTo('dev-1')).toEqual([]);
    ingest.beforeBook = async () => {};
    expect(await failures(ingest, 30_000, envelopeOf('d-1'))).toEqual([]);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'accepted' }]);
    expect(ingest.ledger.rows.size).toBe(1);
  });

  it('and ends while others are told is still reported as failed: nobody was told of it', async () => {
    const ingest = new Ingest();
    let release = () => {};
    const waiting = new Promise<void>((resolve) => {
      release = resolve;
    });
    ingest.beforeBook = (deliveryId) => (deliveryId === 'd-2' ? waiting : Promise.resolve());
    ingest.beforePublish = async ({ topic }) => {
      if (!topic.startsWith('tollbridge/')) return;
      release();
      await new Promise((resolve) => setImmediate(resolve));
    };
    expect(await failures(ingest, SHORT, ...records(2))).toEqual(['m-2']);
    expect(ingest.ledger.rows.size).toBe(2);
    expect(ingest.receiptsTo('dev-1').map(({ id }) => id)).toEqual(['c-1']);
  });

  it('makes a direct invocation throw before its time-out', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = never;
    await expect(ingest.handle(envelopeOf('d-1'), SHORT)).rejects.toThrow('not booked');
  });
});

describe('receipts that hang', () => {
  it('fail no record, and are waited for no longer than the answer’s reserve allows', async () => {
    const ingest = new Ingest();
    ingest.beforePublish = ({ topic }) =>
      topic.startsWith('tollbridge/') ? never() : Promise.resolve();
    const startedAt = performance.now();
    expect(await failures(ingest, ANSWER_RESERVE_MILLIS + 100, envelopeOf('d-1'))).toEqual(['m-1']);
    expect(await failures(ingest, DEADLINE_RESERVE_MILLIS + 100, envelopeOf('d-1'))).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(DEADLINE_RESERVE_MILLIS);
  });
});

describe('no time left', () => {
  it('is a deadline that has passed for whoever waits for it later', async () => {
    await aborted(abortAfter(0).signal);
    expect(abortAfter(0).signal.aborted).toBe(true);
    const later = abortAfter(60_000);
    expect(later.signal.aborted).toBe(false);
    later.cancel();
  });

  it.each([0, -1, 1, DEADLINE_RESERVE_MILLIS])(
    'of %i ms is a deadline that has passed: all failed, nothing booked or kept',
    async (millis) => {
      const ingest = new Ingest();
      const bodies = [envelopeOf('d-1'), envelopeOf('d-2', 'x'), 'unreadable'];
      expect(await failures(ingest, millis, ...bodies)).toEqual(['m-1', 'm-2', 'm-3']);
      expect(ingest.steps).toEqual([]);
      await expect(ingest.handle(envelopeOf('d-1'), millis)).rejects.toThrow('not booked');
      expect(ingest.steps).toEqual([]);
    },
  );
});

describe('a large batch', () => {
  it(`never has more than ${BATCH_WRITES_CONCURRENT_MAX} records under way, and ends them all`, async () => {
    const ingest = new Ingest();
    let underWay = 0;
    let most = 0;
    const enter = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
    };
    ingest.beforeBook = enter;
    ingest.beforePut = enter;
    const unreadable = Array.from({ length: 50 }, (_, n) => `unreadable ${n}`);
    expect(await failures(ingest, 30_000, ...records(100), ...unreadable)).toEqual([]);
    expect(most).toBe(BATCH_WRITES_CONCURRENT_MAX);
    expect(ingest.ledger.rows.size).toBe(100);
    expect(ingest.quarantine.rows.size).toBe(50);
  });

  it('of one message is one write', async () => {
    const ingest = new Ingest();
    const copies = Array.from({ length: 100 }, (_, n) => envelopeOf(`d-${n}`, BODY));
    expect(await failures(ingest, 30_000, ...copies)).toEqual([]);
    expect(ingest.ledger.writes).toMatchObject([{ tries: 100 }]);
  });
});
