/**
 * The function behind every route's rule. It takes both event shapes: a batch of the queue, which
 * is answered record by record, and a direct invocation, which fails as a whole and is then tried
 * again by Lambda's own queue. In either shape the envelope is the rule's or its error action's.
 */

import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { RetryableError } from '../../core/base/errors.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import { jsonOrUndefined } from '../../core/base/json.ts';
import {
  ANSWER_RESERVE_MILLIS,
  CLOCK_AHEAD_MILLIS_MAX,
  DEADLINE_RESERVE_MILLIS,
} from '../../core/base/limits.ts';
import { type EpochMillis, epochMillis } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import {
  type EnvelopeReading,
  RECEIVED_AT_ATTRIBUTE,
  readEnvelope,
} from '../../core/message/envelope.ts';
import { abortAfter } from '../runtime/deadline.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { type BatchRecord, type Deadlines, handleBatch } from './batch.ts';
import type { IngestDeps } from './deps.ts';

/**
 * Makes the handler. It answers a queue's batch with the records that failed, and throws
 * RetryableError for a direct invocation that failed.
 */
export function createHandler<R extends Route>(deps: IngestDeps<R>) {
  return async (event: unknown, invocation: Invocation): Promise<SQSBatchResponse | undefined> => {
    const timer = startTimer(invocation.getRemainingTimeInMillis());
    try {
      if (!isQueueBatch(event)) {
        await handleDirect(deps, event, invocation.awsRequestId, timer.deadlines);
        return undefined;
      }
      const records = event.Records.map((record) => openRecord(record, deps.clock()));
      const failed = await handleBatch(deps, records, timer.deadlines);
      return { batchItemFailures: [...failed].map((ref) => ({ itemIdentifier: ref })) };
    } finally {
      timer.cancel();
      deps.telemetry.flush();
    }
  };
}

async function handleDirect(
  deps: IngestDeps,
  event: unknown,
  requestId: string,
  deadlines: Deadlines,
): Promise<void> {
  const text = JSON.stringify(event) ?? '';
  const record = recordOf(requestId, requestId, event, text, deps.clock());
  const failed = await handleBatch(deps, [record], deadlines);
  if (failed.size > 0) {
    throw new RetryableError(
      'the delivery was not booked; Lambda tries it again, then dead-letters it',
    );
  }
}

function openRecord(record: SQSRecord, now: EpochMillis): BatchRecord {
  const { messageAttributes, attributes } = record;
  // A redrive keeps the first arrival beside the message: the queue's own time is the redrive's.
  const originalSentAt = messageAttributes?.[RECEIVED_AT_ATTRIBUTE]?.stringValue;
  const sentAt = Number(originalSentAt ?? attributes?.SentTimestamp);
  // What is no JSON is no envelope either, and the text itself is kept.
  const envelope = jsonOrUndefined(record.body);
  const arrivedAt = sentAt > 0 && sentAt < now + CLOCK_AHEAD_MILLIS_MAX ? epochMillis(sentAt) : now;
  // What Lambda gave up has a new id in its dead-letter queue, and its old one beside the message.
  const transportId = messageAttributes?.RequestID?.stringValue ?? record.messageId;
  return recordOf(record.messageId, transportId, envelope, record.body, arrivedAt);
}

function recordOf(
  ref: string,
  transportId: string,
  envelope: unknown,
  text: string,
  arrivedAt: EpochMillis,
): BatchRecord {
  const reading = readEnvelope(envelope, arrivedAt, transportId);
  return reading.ok
    ? { ref, delivery: reading.delivery }
    : unreadable(ref, text, reading, arrivedAt);
}

type Unread = Extract<EnvelopeReading, { ok: false }>;

/** A record that holds no envelope is kept whole, as text, like any other that cannot be booked. */
function unreadable(
  ref: string,
  text: string,
  { detail, topic = '' }: Unread,
  receivedAt: EpochMillis,
): BatchRecord {
  const body = Buffer.from(text);
  return {
    ref,
    delivery: {
      deliveryId: ref,
      topic,
      body,
      receivedAt,
      clientId: undefined,
      principal: undefined,
    },
    rejection: {
      reason: 'unreadable-envelope',
      detail,
      bodyHash: bodyHashOf(topic, body),
      device: undefined,
      id: undefined,
      answerTo: undefined,
    },
  };
}

function isQueueBatch(event: unknown): event is { readonly Records: readonly SQSRecord[] } {
  if (typeof event !== 'object' || event === null || !('Records' in event)) return false;
  const { Records } = event;
  // A rule's envelope has fixed names, none of them `Records`: no device can pose as a queue.
  return Array.isArray(Records) && Records.every(isQueueRecord);
}

/** What is no whole record of a queue is kept as it came, like any other event that is none. */
function isQueueRecord(record: Readonly<Record<string, unknown>> | null | undefined): boolean {
  return (
    record?.eventSource === 'aws:sqs' &&
    typeof record.messageId === 'string' &&
    typeof record.body === 'string'
  );
}

function startTimer(remainingMillis: number): { deadlines: Deadlines; cancel: () => void } {
  const settle = abortAfter(remainingMillis - DEADLINE_RESERVE_MILLIS);
  const answer = abortAfter(remainingMillis - ANSWER_RESERVE_MILLIS);
  return {
    deadlines: { messages: settle.signal, answer: answer.signal },
    cancel: () => {
      settle.cancel();
      answer.cancel();
    },
  };
}
