import { describe, expect, it } from 'vitest';
import { RetryableError, TerminalError } from '../../core/base/errors.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import { FUNCTION_TIMEOUT_SECONDS, MESSAGE_LIFETIME_MAX_SECONDS } from '../../core/base/limits.ts';
import { epochMillis } from '../../core/base/time.ts';
import { latestDeduplicator } from '../../core/guarantees/latest/deduplicator.ts';
import { envelopeOf, Ingest } from '../../tools/handlers/ingest.ts';
import {
  BODY,
  bodyWith,
  deliveryOf,
  messageOf,
  NOW,
  stateRouteOf,
  stateWrite,
  windowRouteOf,
} from '../../tools/handlers/samples.ts';

const DAY = 86_400_000;
const LATE = { receivedAt: NOW + 400 * DAY };
const OTHER = BODY.replace('12.50', '99');

describe('a delivery that cannot be booked', () => {
  it('is kept whole with its reason, answered, and done', async () => {
    const ingest = new Ingest();
    expect(await ingest.failures(envelopeOf('d-1', 'no JSON'))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([
      { reason: 'invalid-body', body: 'no JSON', deliveryId: 'd-1' },
    ]);
    expect(ingest.steps).toEqual(['quarantine', 'receipt']);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([
      { outcome: 'rejected', reason: 'invalid-body' },
    ]);
    expect(ingest.counts.get('Rejected')).toBe(1);
  });

  it('makes no second row when it comes again', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1', 'no JSON'), envelopeOf('d-2', 'no JSON'));
    expect(ingest.quarantine.list()).toMatchObject([{ tries: 2, deliveryId: 'd-1' }]);
  });

  it('is tried again while the quarantine is down, and not answered', async () => {
    const ingest = new Ingest();
    ingest.beforePut = async () => {
      throw new TerminalError('too large');
    };
    expect(
      await ingest.failures(envelopeOf('d-1', 'no JSON'), 'unreadable', envelopeOf('d-2')),
    ).toEqual(['m-1', 'm-2']);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'accepted' }]);
  });

  it('because the record is no envelope is kept as its text, beside neighbours that are booked', async () => {
    const ingest = new Ingest();
    expect(await ingest.failures('not JSON', envelopeOf('d-1'), { body: 'x' })).toEqual([]);
    expect(ingest.quarantine.list().map(({ reason, body }) => [reason, body])).toEqual([
      ['unreadable-envelope', 'not JSON'],
      ['unreadable-envelope', '{"body":"x"}'],
    ]);
    expect(ingest.quarantine.list()).toMatchObject([
      { topic: '', bodyHash: bodyHashOf('', Buffer.from('not JSON')) },
      { topic: '' },
    ]);
    expect(ingest.receiptsTo('dev-1')).toHaveLength(1);
    expect(ingest.counts.get('Deliveries')).toBe(3);
  });

  it('because the store refuses the row for good is quarantined, never retried', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = async () => {
      throw new TerminalError('booking failed: ValidationException');
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([
      { reason: 'refused-by-store', id: 'c-1', body: BODY },
    ]);
    expect(ingest.forwards).toEqual([]);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([
      { outcome: 'rejected', reason: 'refused-by-store' },
    ]);
  });
});

describe('copies that the store refuses for good', () => {
  it('are one row of evidence, and all of them are counted', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = async () => {
      throw new TerminalError('booking failed: ValidationException');
    };
    expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'))).toEqual([]);
    expect(ingest.quarantine.list()).toHaveLength(1);
    expect(ingest.counts.get('Rejected')).toBe(2);
  });
});

describe('a charge out of time', () => {
  it('that the store refuses to look up for good is quarantined, and for now is tried again', async () => {
    const ingest = new Ingest();
    ingest.beforeFind = async () => {
      throw new RetryableError('throttled');
    };
    expect(await ingest.failures(envelopeOf('d-1', BODY, 'dev-1', LATE))).toEqual(['m-1']);
    ingest.beforeFind = async () => {
      throw new TerminalError('reading the ledger failed: ValidationException');
    };
    expect(await ingest.failures(envelopeOf('d-1', BODY, 'dev-1', LATE))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'refused-by-store' }]);
  });

  it('is a duplicate when it was booked in time', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1'));
    expect(await ingest.failures(envelopeOf('d-2', BODY, 'dev-1', LATE))).toEqual([]);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'duplicate',
    ]);
    expect(ingest.quarantine.rows.size).toBe(0);
  });

  it('is quarantined as late when it was not', async () => {
    const ingest = new Ingest();
    expect(await ingest.failures(envelopeOf('d-2', BODY, 'dev-1', LATE))).toEqual([]);
    expect(ingest.ledger.rows.size).toBe(0);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'late', id: 'c-1' }]);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([
      { outcome: 'rejected', reason: 'late', id: 'c-1' },
    ]);
  });

  it('with another body than the booked one is a conflict', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1'));
    await ingest.failures(envelopeOf('d-2', OTHER, 'dev-1', LATE));
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'conflict' }]);
  });

  it('that no ISO year can hold is late or early like any other', async () => {
    const ingest = new Ingest();
    const times = ['-8640000000000000', '8640000000000000'].map((at, n) =>
      bodyWith({ id: String(n), at }),
    );
    expect(await ingest.failures(...times.map((body, n) => envelopeOf(`d-${n}`, body)))).toEqual(
      [],
    );
    expect(ingest.quarantine.list().map(({ reason }) => reason)).toEqual(['late', 'early']);
  });
});

describe('a conflict (I5)', () => {
  it('keeps both bodies, names the fields, bills nothing and is told', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1'));
    expect(await ingest.failures(envelopeOf('d-2', OTHER))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([
      {
        reason: 'conflict',
        id: 'c-1',
        body: OTHER,
        bookedBody: BODY,
        bookedAt: new Date(NOW).toISOString(),
        fields: ['kWh'],
      },
    ]);
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.receiptsTo('dev-1')[1]).toMatchObject({
      id: 'c-1',
      outcome: 'rejected',
      reason: 'conflict',
      fields: ['kWh'],
    });
    expect(ingest.counts.get('Conflict')).toBe(1);
  });

  it('inside one batch books one body and keeps the other', async () => {
    const ingest = new Ingest();
    expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2', OTHER))).toEqual([]);
    expect(ingest.ledger.rows.size).toBe(1);
    expect(ingest.quarantine.list()).toMatchObject([{ body: OTHER, bookedBody: BODY }]);
  });
});

describe('a forward that can never succeed', () => {
  it('is quarantined as unforwardable; the booking stands and is receipted', async () => {
    const ingest = new Ingest();
    ingest.beforePublish = async ({ topic }) => {
      if (topic.startsWith('booked/')) throw new TerminalError('InvalidRequestException');
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'unforwardable', body: BODY }]);
    expect(ingest.steps).toEqual(['book', 'quarantine', 'receipt']);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'accepted' }]);
  });

  it('because its topic is too long is not even tried', async () => {
    const ingest = new Ingest({ forward: `${'x'.repeat(240)}/{topic}` });
    await ingest.failures(envelopeOf('d-1'));
    expect(ingest.quarantine.list()).toMatchObject([
      { reason: 'unforwardable', detail: expect.stringContaining('256') },
    ]);
    expect(ingest.forwards).toEqual([]);
  });
});

describe('a record of the queue', () => {
  const errorEnvelope = JSON.stringify({
    topic: 'billing/dev-1/charges',
    cloudwatchTraceId: 'trace-1',
    clientId: 'dev-1',
    base64OriginalPayload: Buffer.from(BODY).toString('base64'),
  });
  const receivedAtOf = async (attributes: unknown) => {
    const ingest = new Ingest();
    const record = { messageId: 'm-1', eventSource: 'aws:sqs', body: errorEnvelope, attributes };
    await ingest.handle({ Records: [record] });
    return [...ingest.ledger.rows.values()].map(({ receivedAt }) => Date.parse(receivedAt));
  };

  it.each([
    ['when the queue says', String(NOW - 5), NOW - 5],
    ['when the queue says, a clock being ahead', String(NOW + DAY - 1), NOW + DAY - 1],
    ['now, where that is a day ahead or more', String(NOW + DAY), NOW],
    ['now, where that is nothing', '0', NOW],
    ['now, where that is before all time', '-1', NOW],
    ['now, where that is no number', 'soon', NOW],
  ])('off the error-action path was received %s', async (_, SentTimestamp, receivedAt) => {
    expect(await receivedAtOf({ SentTimestamp })).toEqual([receivedAt]);
  });

  it('off the error-action path was received now, where the queue tells nothing at all', async () => {
    expect(await receivedAtOf(undefined)).toEqual([NOW]);
  });

  const whole = { eventSource: 'aws:sqs', messageId: 'm-1', body: 'x' };
  it.each([
    { ...whole, eventSource: 'aws:sns' },
    { ...whole, messageId: 7 },
    { ...whole, body: 7 },
    null,
  ])(
    'that is not whole (%j) makes the event none of a queue: it is kept as it came',
    async (odd) => {
      const ingest = new Ingest();
      const event = { Records: [whole, odd] };
      expect(await ingest.handle(event)).toBeUndefined();
      expect(ingest.quarantine.list()).toMatchObject([
        { reason: 'unreadable-envelope', body: JSON.stringify(event) },
      ]);
    },
  );
});

describe('a store that contradicts itself', () => {
  it('by refusing a newer value for an older row has the delivery tried again', async () => {
    const write = stateWrite();
    const older = { ...write.first, tries: 1, version: epochMillis(write.first.version - 1) };
    const register = latestDeduplicator(
      stateRouteOf(),
      { put: async () => ({ kind: 'refused', row: older }) },
      () => NOW,
    );
    const message = messageOf(BODY, {}, stateRouteOf());
    const reading = { kind: 'message', message } as const;
    const decided = register.apply({ delivery: deliveryOf(), deliveryIds: ['d'], reading });
    await expect(decided).rejects.toThrow(RetryableError);
  });
});

it('a delivery counts as new until a row of it could have been swept, to the millisecond', async () => {
  const within = (MESSAGE_LIFETIME_MAX_SECONDS - FUNCTION_TIMEOUT_SECONDS) * 1_000;
  for (const [waited, reasons] of [
    [within, []],
    [within + 1, ['late']],
  ] as const) {
    const ingest = new Ingest({}, windowRouteOf());
    ingest.now = epochMillis(NOW + waited);
    await ingest.failures(envelopeOf('d-1'));
    expect(ingest.quarantine.list().map(({ reason }) => reason)).toEqual(reasons);
  }
});
