/** What is sent and asked for each delivery, whoever books it. Sizes in bytes, as AWS meters them. */

import type Big from 'big.js';
import { bodyHashOf } from '../../core/base/hash.ts';
import { BATCH_WRITES_CONCURRENT_MAX, FUNCTION_MEMORY_MIB } from '../../core/base/limits.ts';
import type { Feed, Receipts } from '../../core/config/route.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import { readMessage } from '../../core/message/message.ts';
import { forwardOf } from '../../core/wire/forward.ts';
import { bookedReceipt, receiptPayloads } from '../../core/wire/receipts.ts';
import { ownTopic } from '../../core/wire/topics.ts';
import {
  SAMPLE_NOW,
  SAMPLE_PRINCIPAL,
  SAMPLE_ROUTE,
  sampleBody,
  sampleDevice,
  sampleId,
  sampleTopic,
} from './sample.ts';
import type { Store } from './store.ts';

/** How messages travel. Everything in it is the same for every way of booking. */
export interface Messaging {
  readonly feed: Feed;
  /** Deliveries of an invocation, on average. */
  readonly batch: number;
  readonly receipts: Receipts;
  /** Receipts of a publication, on average; those of one device in one batch. */
  readonly gathered: number;
  /** Devices publish on `$aws/rules/…`. */
  readonly basicIngest: boolean;
  readonly bodyBytes: number;
  /** Who receives each forward, at QoS 1; undefined where the route forwards nothing. */
  readonly subscribers: number | undefined;
}

/** AWS IoT Core meters messages, rules and actions in steps of 5 KB. */
const IOT_STEP_BYTES = 5_120;
/** Amazon SQS takes each 64 KB of a request for one. */
const QUEUE_STEP_BYTES = 65_536;
/** ReceiveMessage and DeleteMessageBatch: up to ten messages in a request. */
export const QUEUE_REQUEST_MESSAGES_MAX = 10;

export function iotSteps(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / IOT_STEP_BYTES));
}

export function queueSteps(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / QUEUE_STEP_BYTES));
}

export interface Sizes {
  /** Topic and payload of a device's PUBLISH. */
  readonly message: number;
  /** The rule's output: the envelope with the body in base64. */
  readonly envelope: number;
  /** Body of the request that publishes gathered receipts, and the same as a device receives it. */
  readonly receipts: number;
  readonly receiptsDelivered: number;
  readonly forward: number;
  readonly forwardDelivered: number;
}

/** Of the sample, from the very texts that rule and function make of it. */
export function sizesOf({ bodyBytes, gathered }: Messaging): Sizes {
  const device = sampleDevice();
  const topic = sampleTopic(device);
  const body = Buffer.from(sampleBody({ id: sampleId(0), bytes: bodyBytes }));
  const envelope = {
    body: body.toString('base64'),
    topic,
    clientId: device,
    principal: SAMPLE_PRINCIPAL,
    receivedAt: SAMPLE_NOW,
    deliveryId: sampleId(1),
  };
  const receipts = Buffer.byteLength(receiptsText(gathered, topic, body));
  const { forward, forwardTopic } = forwardSizes(topic, body);
  return {
    message: topic.length + body.length,
    envelope: Buffer.byteLength(JSON.stringify(envelope)),
    receipts,
    receiptsDelivered: receipts + ownTopic(device, 'receipts').length,
    forward,
    forwardDelivered: forward + forwardTopic,
  };
}

function receiptsText(gathered: number, topic: string, body: Uint8Array): string {
  const bodyHash = bodyHashOf(topic, body);
  const receipts = Array.from({ length: gathered }, (_, n) =>
    bookedReceipt(
      { id: { kind: 'text', text: sampleId(n) }, bodyHash },
      { kind: 'accepted', bookedAt: SAMPLE_NOW },
    ),
  );
  return receiptPayloads(SAMPLE_ROUTE.name, receipts).join('');
}

function forwardSizes(topic: string, body: Uint8Array) {
  const device = sampleDevice();
  const reading = readMessage(SAMPLE_ROUTE, {
    deliveryId: sampleId(1),
    topic,
    body,
    receivedAt: SAMPLE_NOW,
    clientId: device,
    principal: SAMPLE_PRINCIPAL,
  });
  if (reading.kind !== 'message') throw new Error('the sample is no charge that can be booked');
  const { message } = reading;
  const forwarded = forwardOf({
    route: SAMPLE_ROUTE.name,
    template: SAMPLE_ROUTE.forward ?? 'booked/{device}/charges',
    topic,
    device,
    id: message.id,
    forwardId: guaranteeOf(SAMPLE_ROUTE).forwardId(SAMPLE_ROUTE, message, sampleId(1)),
    body: message.body,
    isJson: message.isJson,
    mark: undefined,
  });
  if (!forwarded.ok) throw new Error(forwarded.detail);
  const { topic: forwardTopic, payload, userProperties = [] } = forwarded.publication;
  const properties = userProperties.flat().join('').length;
  return {
    forward: Buffer.byteLength(payload) + properties,
    forwardTopic: forwardTopic.length,
  };
}

/** AWS Lambda Developer Guide, "Configure Lambda function memory": one vCPU at 1,769 MB. */
const MEMORY_MB_OF_ONE_VCPU = 1_769;

/**
 * ASSUMED, for there was no AWS to measure on: what a function's time is made of. The CPU of a call
 * of the AWS SDK and of the handler were measured on one core of a virtual server (a Xeon, x86); a
 * round trip inside a Region is a guess. Nothing is assumed to overlap, which makes it a bound from
 * above; cold starts are left out.
 */
export const ASSUMED = {
  cpuMillisOfCall: 0.85,
  cpuMillisOfDelivery: 0.04,
  roundTripMillis: 5,
} as const;

export const FUNCTION_GB = FUNCTION_MEMORY_MIB / 1_024;

export interface Invocation {
  /** Calls of the AWS SDK, all together. */
  readonly calls: number;
  /** Each millisecond begun is charged. */
  readonly millis: number;
}

/**
 * An average invocation.
 *
 * @param copiesShare how many of the deliveries are copies, 0 to below 1
 */
export function invocationOf(
  copiesShare: Big,
  { batch, receipts, gathered, subscribers }: Messaging,
  { first, copy }: Store,
): Invocation {
  const copies = Number(copiesShare);
  const forwards = subscribers === undefined ? 0 : 1;
  const mixed = (ofFirst: number, ofCopy: number) =>
    (ofFirst + forwards) * (1 - copies) + ofCopy * copies;
  const answers = receipts === 'none' ? 0 : batch / gathered;
  const calls = batch * mixed(first.requests, copy.requests) + answers;
  const roundTrips = mixed(first.roundTrips, copy.roundTrips) + (receipts === 'none' ? 0 : 1);
  const slowness = MEMORY_MB_OF_ONE_VCPU / FUNCTION_MEMORY_MIB;
  const cpuMillis = calls * ASSUMED.cpuMillisOfCall + batch * ASSUMED.cpuMillisOfDelivery;
  const turns = Math.ceil(batch / BATCH_WRITES_CONCURRENT_MAX);
  const waitMillis = turns * roundTrips * ASSUMED.roundTripMillis;
  return { calls, millis: Math.ceil(cpuMillis * slowness + waitMillis) };
}
