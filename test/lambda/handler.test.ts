import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { RetryableError } from '../../core/base/errors.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import { epochMillis } from '../../core/base/time.ts';
import { RECEIVED_AT_ATTRIBUTE } from '../../core/message/envelope.ts';
import { envelopeOf, Ingest, queueEvent } from '../../tools/handlers/ingest.ts';
import { BODY, bodyWith, NOW } from '../../tools/handlers/samples.ts';

function idBody(id: string): string {
  return bodyWith({ id: JSON.stringify(id) });
}

const errorEnvelope = {
  ruleName: 'tollbridge_charges',
  topic: '$aws/rules/tollbridge_charges/billing/dev-1/charges',
  cloudwatchTraceId: 'trace-1',
  clientId: 'dev-1',
  base64OriginalPayload: Buffer.from(BODY).toString('base64'),
  failures: [],
};

describe('a delivery', () => {
  it('is written, then forwarded, then answered', async () => {
    const ingest = new Ingest();
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.steps).toEqual(['book', 'forward', 'receipt']);
    expect(ingest.forwards).toMatchObject([{ topic: 'booked/dev-1/charges', qos: 1 }]);
    expect(ingest.receiptsTo('dev-1')).toEqual([
      {
        id: 'c-1',
        bodyHash: bodyHashOf('billing/dev-1/charges', Buffer.from(BODY)),
        outcome: 'accepted',
        bookedAt: NOW,
      },
    ]);
    expect(ingest.flushes).toBe(1);
  });

  it('that comes twice is booked and forwarded once, and answered both times', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1'));
    await ingest.failures(envelopeOf('d-2'));
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'duplicate',
    ]);
  });

  it('on the error-action path is read, booked and known again from the other path', async () => {
    const ingest = new Ingest();
    expect(await ingest.failures(errorEnvelope)).toEqual([]);
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'duplicate',
    ]);
    expect(ingest.ledger.writes[0]?.first).toMatchObject({
      firstDeliveryId: 'trace-1',
      topic: 'billing/dev-1/charges',
    });
  });

  it('keeps the time it first arrived over a redrive, which gives it a new sent time', async () => {
    const ingest = new Ingest();
    const first = NOW - 86_400_000;
    const { Records } = queueEvent(errorEnvelope);
    const attribute = { dataType: 'Number', stringValue: String(first) };
    const messageAttributes = { [RECEIVED_AT_ATTRIBUTE]: attribute };
    await ingest.handle({ Records: Records.map((record) => ({ ...record, messageAttributes })) });
    const [row] = ingest.ledger.rows.values();
    expect(row?.receivedAt).toBe(new Date(first).toISOString());
  });

  it('whose write was cut off is resumed: forwarded again, and still accepted', async () => {
    const ingest = new Ingest();
    ingest.beforePublish = async () => {
      throw new RetryableError('down');
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    expect(ingest.steps).toEqual(['book']);
    ingest.beforePublish = async () => {};
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual([]);
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.receiptsTo('dev-1')).toMatchObject([{ outcome: 'accepted' }]);
    expect(ingest.counts.get('Resumed')).toBe(1);
  });

  it('is answered nobody but the device: a stranger on its topic is told himself', async () => {
    const ingest = new Ingest();
    await ingest.failures(envelopeOf('d-1', BODY, 'victim', { clientId: 'mallory' }));
    expect(ingest.receiptsTo('victim')).toEqual([]);
    expect(ingest.receiptsTo('mallory')).toMatchObject([
      { outcome: 'rejected', reason: 'wrong-device' },
    ]);
    expect(ingest.ledger.rows.size).toBe(0);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'wrong-device', body: BODY }]);
  });

  it.each(['none', 0, 1] as const)('is answered as the route says: %s', async (receipts) => {
    const ingest = new Ingest({ receipts });
    await ingest.failures(envelopeOf('d-1'));
    const sent = ingest.published.filter(({ topic }) => topic.startsWith('tollbridge/'));
    expect(sent.map(({ qos }) => qos)).toEqual(receipts === 'none' ? [] : [receipts]);
    expect(ingest.forwards).toHaveLength(1);
  });

  it('is not forwarded where the route has no forward', async () => {
    const ingest = new Ingest({ forward: null });
    await ingest.failures(envelopeOf('d-1'));
    expect(ingest.steps).toEqual(['book', 'receipt']);
  });
});

describe('copies in one batch', () => {
  it('are one write, one forward and one receipt, and all of them are done', async () => {
    const ingest = new Ingest();
    expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'), envelopeOf('d-3'))).toEqual(
      [],
    );
    expect(ingest.ledger.writes).toMatchObject([{ tries: 3 }]);
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.receiptsTo('dev-1')).toHaveLength(1);
    expect(ingest.counts.get('Duplicate')).toBe(2);
  });

  it('fail together', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = async () => {
      throw new RetryableError('throttled');
    };
    expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'))).toEqual(['m-1', 'm-2']);
  });

  it('still pay the forward that one of them owes, wherever it stands in the batch (I4)', async () => {
    const ingest = new Ingest();
    ingest.beforePublish = async () => {
      throw new RetryableError('down');
    };
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    ingest.beforePublish = async () => {};
    // The device has sent again, and the queue puts the copy before the try that booked the row.
    expect(await ingest.failures(envelopeOf('d-2'), envelopeOf('d-1'))).toEqual([]);
    expect(ingest.forwards).toHaveLength(1);
  });
});

describe('a batch', () => {
  it('reports the records that failed, and only those', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = async (deliveryId) => {
      if (deliveryId === 'd-2') throw new RetryableError('throttled');
    };
    const ids = ['a', 'b', 'c'].map((id, n) => envelopeOf(`d-${n + 1}`, idBody(id)));
    expect(await ingest.failures(...ids)).toEqual(['m-2']);
    expect(ingest.receiptsTo('dev-1').map(({ id }) => id)).toEqual(['a', 'c']);
    expect(ingest.counts.get('Failed')).toBe(1);
    expect(ingest.counts.get('Deliveries')).toBe(3);
  });

  it('gathers receipts: one publication for each device', async () => {
    const ingest = new Ingest();
    const records = ['dev-1', 'dev-2', 'dev-1', 'dev-2'].map((device, n) =>
      envelopeOf(`d-${n}`, idBody(`c-${n}`), device),
    );
    await ingest.failures(...records);
    expect(ingest.steps.filter((step) => step === 'receipt')).toHaveLength(2);
    expect(ingest.receiptsTo('dev-1').map(({ id }) => id)).toEqual(['c-0', 'c-2']);
    expect(ingest.receiptsTo('dev-2').map(({ id }) => id)).toEqual(['c-1', 'c-3']);
  });

  it('is done although its receipts could not be published', async () => {
    const ingest = new Ingest();
    ingest.beforePublish = async ({ topic }) => {
      if (topic === 'tollbridge/dev-1/receipts') throw new RetryableError('down');
    };
    expect(await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2', BODY, 'dev-2'))).toEqual([]);
    expect(ingest.receiptsTo('dev-2')).toHaveLength(1);
    expect(ingest.counts.get('ReceiptsLost')).toBe(1);
    expect(ingest.counts.get('Receipts')).toBe(1);
  });

  it('of nothing is answered with nothing', async () => {
    expect(await new Ingest().failures()).toEqual([]);
  });
});

describe('a direct invocation', () => {
  it('books like a record of the queue, on both paths', async () => {
    const ingest = new Ingest();
    expect(await ingest.handle(envelopeOf('d-1'))).toBeUndefined();
    expect(await ingest.handle(errorEnvelope)).toBeUndefined();
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'duplicate',
    ]);
  });

  it('throws when it has to be tried again, and says nothing of the body', async () => {
    const ingest = new Ingest();
    ingest.beforeBook = async () => {
      throw new RetryableError('throttled');
    };
    await expect(ingest.handle(envelopeOf('d-1'))).rejects.toThrow(RetryableError);
    await expect(ingest.handle(envelopeOf('d-1'))).rejects.not.toThrow('acme');
    expect(ingest.flushes).toBe(2);
  });

  it.each([
    undefined,
    null,
    7,
    'text',
    [],
    {},
    { Records: 'no' },
    { Records: [null] },
    { Records: [{ eventSource: 'aws:sns' }] },
  ])('of %j, which is no envelope, is kept and done', async (event) => {
    const ingest = new Ingest();
    expect(await ingest.handle(event)).toBeUndefined();
    expect(ingest.quarantine.list()).toMatchObject([
      { reason: 'unreadable-envelope', body: JSON.stringify(event) ?? '', deliveryId: 'request-1' },
    ]);
    expect(ingest.published).toEqual([]);
  });
});

describe('what is logged', () => {
  it('holds no body, whatever happened', async () => {
    const ingest = new Ingest();
    const secret = bodyWith({ account: '"secret-account"' });
    ingest.beforeBook = async (deliveryId) => {
      if (deliveryId === 'd-9') throw new RetryableError('throttled');
    };
    await ingest.failures(
      envelopeOf('d-1', secret),
      envelopeOf('d-2', secret.replace('12.50', '1')),
      envelopeOf('d-3', `${secret}secret`),
      envelopeOf('d-9', secret.replace('c-1', 'c-9')),
      'secret text',
    );
    expect(ingest.notes.length).toBeGreaterThan(3);
    // Errors and their causes as a logger would show them, hidden fields too.
    expect(inspect(ingest.notes, { depth: null, showHidden: true })).not.toContain('secret');
  });
});

describe('the time of arrival', () => {
  it('on the error-action path is the queue’s sent time, and the clock where the queue gives none', async () => {
    const ingest = new Ingest();
    const event = queueEvent(errorEnvelope);
    await ingest.handle({
      Records: event.Records.map((record) => ({
        ...record,
        attributes: { SentTimestamp: String(NOW - 5_000) },
      })),
    });
    await ingest.handle({ ...errorEnvelope, cloudwatchTraceId: 'trace-2' });
    expect(ingest.ledger.writes.map(({ first }) => first.receivedAt)).toEqual([
      new Date(epochMillis(NOW - 5_000)).toISOString(),
      new Date(NOW).toISOString(),
    ]);
  });
});

describe('a delivery whose error action names no trace', () => {
  const untraced = { ...errorEnvelope, cloudwatchTraceId: '' };
  const queued = (messageId: string, messageAttributes = {}) => ({
    Records: [
      {
        ...{ eventSource: 'aws:sqs', messageId, messageAttributes },
        ...{ body: JSON.stringify(untraced), attributes: { SentTimestamp: String(NOW) } },
      },
    ],
  });

  it('is booked and answered, and a redelivery knows its own row', async () => {
    const ingest = new Ingest();
    await ingest.handle(queued('m-1'));
    await ingest.handle(queued('m-1'));
    expect(ingest.quarantine.list()).toEqual([]);
    expect([...ingest.ledger.rows.values()]).toMatchObject([{ firstDeliveryId: 'm-1', tries: 2 }]);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'accepted',
    ]);
    // Its own earlier try may owe the forward.
    expect(ingest.forwards).toHaveLength(2);
  });

  it('keeps its name when it comes back from the dead letters of the function', async () => {
    const ingest = new Ingest();
    await ingest.handle(queued('r-1'));
    const RequestID = { dataType: 'String', stringValue: 'r-1' };
    await ingest.handle(queued('m-2', { RequestID }));
    expect([...ingest.ledger.rows.values()]).toMatchObject([{ firstDeliveryId: 'r-1', tries: 2 }]);
    expect(ingest.forwards).toHaveLength(2);
  });
});
