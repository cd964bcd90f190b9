/**
 * The job that all peers do, and how each of them is called: book a charge once, publish it for
 * others, tell the device. They share all but the way in which the entry is booked.
 *
 * At their best settings: records of a batch side by side, one client with the bridge's settings, receipts
 * gathered, partial answers to the queue, no checks of the body beyond what the entry needs.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import pLimit from 'p-limit';
import { createDataPlaneClient, createStoreClient } from '../../lambda/adapters/clients.ts';

export interface Charge {
  readonly deliveryId: string;
  readonly device: string;
  readonly id: string;
  readonly account: string;
  readonly amount: string;
  readonly occurredAt: string;
  readonly topic: string;
  readonly body: string;
  readonly bodyHash: string;
}

/** True when this delivery has booked the charge, false when it had been booked before. */
export type Book = (charge: Charge, context: Context) => Promise<boolean>;

/** With all that makes those of the bridge quick. */
export const store = createStoreClient();
const dataPlane = createDataPlaneClient();
const AT_A_TIME = 20;

/** The names of the tables, as the template sets them. */
export const tables = {
  entries: process.env.MESSAGES_TABLE ?? '',
  markers: process.env.MARKERS_TABLE ?? '',
};

export function handlerOf(book: Book) {
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const limit = pLimit(AT_A_TIME);
    const failed: string[] = [];
    const receipts = new Map<string, object[]>();
    const handle = async ({ body, messageId }: SQSEvent['Records'][number]) => {
      try {
        const charge = chargeOf(body);
        const isNew = await book(charge, context);
        if (isNew) await forward(charge);
        const { device, id, bodyHash } = charge;
        const receipt = { id, bodyHash, outcome: isNew ? 'accepted' : 'duplicate' };
        receipts.set(device, [...(receipts.get(device) ?? []), receipt]);
      } catch {
        failed.push(messageId);
      }
    };
    await Promise.all(event.Records.map((record) => limit(handle, record)));
    await Promise.all([...receipts].map(([device, all]) => limit(tell, device, all)));
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

/** The row that the charge is booked in. Each booking has a name of its own, so that it is seen. */
export function entryOf(charge: Charge): Record<string, AttributeValue> {
  const bookedAt = new Date();
  return {
    pk: { S: `charges#${charge.device}` },
    id: { S: charge.id },
    bookingId: { S: randomUUID() },
    deliveryId: { S: charge.deliveryId },
    device: { S: charge.device },
    topic: { S: charge.topic },
    body: { S: charge.body },
    account: { S: charge.account },
    amount: { N: charge.amount },
    unit: { S: 'kWh' },
    occurredAt: { S: charge.occurredAt },
    bookedAt: { S: bookedAt.toISOString() },
    accountPeriod: { S: `${charge.account}#${charge.occurredAt.slice(0, 7)}#0` },
    occurrence: { S: `${charge.occurredAt}#${charge.device}#${charge.id}` },
  };
}

function chargeOf(text: string): Charge {
  const envelope = JSON.parse(text);
  const body = Buffer.from(envelope.body, 'base64');
  const fields = JSON.parse(body.toString());
  const hash = createHash('sha256').update(envelope.topic).update('\0').update(body);
  return {
    deliveryId: envelope.deliveryId,
    device: envelope.clientId,
    id: fields.id,
    account: fields.account,
    amount: fields.kWh,
    occurredAt: fields.at,
    topic: envelope.topic,
    body: body.toString(),
    bodyHash: hash.digest('hex'),
  };
}

async function forward({ device, id, body }: Charge): Promise<void> {
  const payload = `{"v":1,"route":"charges","device":"${device}","id":"${id}","body":${body}}`;
  await publish(`booked/${device}/charges`, payload, 1);
}

async function tell(device: string, receipts: readonly object[]): Promise<void> {
  const payload = JSON.stringify({ v: 1, route: 'charges', receipts });
  // A receipt that is lost is asked for again.
  await publish(`tollbridge/${device}/receipts`, payload, 0).catch(() => undefined);
}

async function publish(topic: string, payload: string, qos: 0 | 1): Promise<void> {
  await dataPlane.send(new PublishCommand({ topic, payload: Buffer.from(payload), qos }));
}
