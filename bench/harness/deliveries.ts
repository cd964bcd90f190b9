/** Deliveries as a function is handed them, the same for everybody who is measured. */
import { randomUUID } from 'node:crypto';
import type { SQSEvent, SQSRecord } from 'aws-lambda';

/** A charge of about 150 bytes. */
export function chargeBody(id: string, now: Date): string {
  return JSON.stringify({
    id,
    account: 'customer-000815',
    kWh: '12.480',
    at: now.toISOString(),
    tariff: 'day',
    connector: 12,
  });
}

/** What the rule's SQL makes of one arrival, as the local cloud and AWS hand it to a queue. */
function envelopeOf(device: string, body: string, receivedAt: number): string {
  return JSON.stringify({
    body: Buffer.from(body).toString('base64'),
    topic: `billing/${device}/charges`,
    clientId: device,
    principal: 'c4b2d3f5a6978877665544332211ffeeddccbbaa99887766554433221100abcd',
    receivedAt,
    deliveryId: randomUUID(),
  });
}

export function recordOf(envelope: string, sentAt: number): SQSRecord {
  return {
    messageId: randomUUID(),
    receiptHandle: randomUUID(),
    body: envelope,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(sentAt),
      SenderId: 'AIDAEXAMPLE',
      ApproximateFirstReceiveTimestamp: String(sentAt),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:charges',
    awsRegion: 'eu-central-1',
  };
}

export interface LoadShape {
  readonly batch: number;
  /** Share of deliveries that are copies, 0 to 1: every fifth for 0.2. */
  readonly copies: number;
  readonly devices: number;
}

/** How far back the message lies that a copy is of; less than what a stub of the ledger remembers. */
const COPY_LAG = 50;

/**
 * Makes whole batches, so many at a time: beforehand, for what they cost is not the function's, and
 * not all at once, for a collector that walks through them would be charged to the function.
 */
export function createLoad({ batch, copies, devices }: LoadShape) {
  const recent: { readonly device: string; readonly body: string }[] = [];
  let made = 0;
  let due = 0;
  const next = (now: Date) => {
    due += copies;
    const old = recent[0];
    if (due >= 1 && recent.length === COPY_LAG && old !== undefined) {
      due -= 1;
      return old;
    }
    const device = `meter-${made++ % devices}`;
    const message = { device, body: chargeBody(randomUUID(), now) };
    recent.push(message);
    if (recent.length > COPY_LAG) recent.shift();
    return message;
  };
  return (batches: number): readonly SQSEvent[] => {
    const now = new Date();
    return Array.from({ length: batches }, () => ({
      Records: Array.from({ length: batch }, () => {
        const { device, body } = next(now);
        return recordOf(envelopeOf(device, body, now.getTime()), now.getTime());
      }),
    }));
  };
}
