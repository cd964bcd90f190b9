/**
 * An SQS event source mapping: the poller between a queue and a function.
 *
 * Owns the batches that are under way. Keeps these invariants: a message is deleted only when the
 * function has succeeded with it, as AWS documents for whole batches and for
 * `ReportBatchItemFailures`; what failed is left alone and comes back after the visibility time-out;
 * no more batches run at once than allowed. It does not poll: the queue tells it of messages.
 */

import type { Queue, ReceivedMessage } from '../sqs/queue.ts';
import type { CancelTimer, Scheduler } from '../timers.ts';
import type { InvocationOutcome, Invoke } from './outcome.ts';

export interface EventSourceOptions {
  readonly queue: Queue;
  readonly functionName: string;
  readonly batchSize: number;
  /** How long a batch that is not full waits for more; 0 sends what is there. */
  readonly windowMillis: number;
  readonly reportsItemFailures: boolean;
  readonly maximumConcurrency: number;
  readonly region: string;
  readonly invoke: Invoke;
  readonly scheduler: Scheduler;
  readonly changed: () => void;
}

export interface EventSource {
  /** Batches under way. */
  running(): number;
  /** Stops taking messages; resolves when no batch is under way. */
  close(): Promise<void>;
}

export function createEventSource(options: EventSourceOptions): EventSource {
  const { queue, batchSize, windowMillis } = options;
  const underWay = new Set<Promise<void>>();
  let closed = false;
  let wakeUp: NodeJS.Immediate | undefined;
  let window:
    | { readonly kind: 'none' | 'over' }
    | { readonly kind: 'open'; readonly cancel: CancelTimer } = { kind: 'none' };

  // What arrives in one turn of the event loop goes into one batch.
  const wake = (): void => {
    if (closed || wakeUp !== undefined) return;
    wakeUp = setImmediate(() => {
      wakeUp = undefined;
      takeBatches();
    });
  };
  const mustWaitForMore = (visible: number): boolean => {
    if (windowMillis === 0 || visible >= batchSize || window.kind === 'over') return false;
    if (window.kind === 'none') {
      const cancel = options.scheduler.after(windowMillis, () => {
        window = { kind: 'over' };
        wake();
      });
      window = { kind: 'open', cancel };
    }
    return true;
  };
  const takeBatches = (): void => {
    while (!closed && underWay.size < options.maximumConcurrency) {
      const { visible } = queue.depth();
      if (visible === 0 || mustWaitForMore(visible)) return;
      if (window.kind === 'open') window.cancel();
      window = { kind: 'none' };
      const batch = queue.receive(batchSize);
      // Nothing may come of a receive that moved messages to the dead-letter queue.
      if (batch.length > 0) run(batch);
    }
  };
  const run = (batch: readonly ReceivedMessage[]): void => {
    const work = handle(options, batch)
      .catch(() => undefined)
      .finally(() => {
        underWay.delete(work);
        wake();
        options.changed();
      });
    underWay.add(work);
  };

  const unsubscribe = queue.onVisible(wake);
  wake();
  return {
    running: () => underWay.size,
    async close() {
      closed = true;
      unsubscribe();
      clearImmediate(wakeUp);
      if (window.kind === 'open') window.cancel();
      await Promise.all(underWay);
    },
  };
}

async function handle(
  options: EventSourceOptions,
  batch: readonly ReceivedMessage[],
): Promise<void> {
  const event = { Records: batch.map((message) => recordOf(options, message)) };
  const outcome = await options.invoke(options.functionName, event);
  const failed = failedIds(outcome, batch, options.reportsItemFailures);
  for (const message of batch) {
    if (!failed.has(message.messageId)) options.queue.delete(message.receiptHandle);
  }
}

/** One record of the event, in the documented shape. */
function recordOf(options: EventSourceOptions, message: ReceivedMessage): object {
  const messageAttributes = Object.entries(message.messageAttributes).map(
    ([name, { stringValue, dataType }]) =>
      [name, { stringValue, stringListValues: [], binaryListValues: [], dataType }] as const,
  );
  const source = message.deadLetterSourceArn;
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sentAt),
      SenderId: 'LOCAL',
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
      ...(source === undefined ? {} : { DeadLetterQueueSourceArn: source }),
    },
    messageAttributes: Object.fromEntries(messageAttributes),
    md5OfBody: message.md5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: options.queue.arn,
    awsRegion: options.region,
  };
}

/**
 * Which messages of the batch failed. AWS's rule for partial answers: no answer, an empty one, or an
 * empty or absent list means that all succeeded; an answer that names an unknown id, or that cannot
 * be understood, means that all failed.
 */
export function failedIds(
  outcome: InvocationOutcome,
  batch: readonly Pick<ReceivedMessage, 'messageId'>[],
  reportsItemFailures: boolean,
): ReadonlySet<string> {
  const all = new Set(batch.map((message) => message.messageId));
  const none = new Set<string>();
  if (outcome.kind !== 'ok') return all;
  if (!reportsItemFailures) return none;
  const { result } = outcome;
  if (result === undefined || result === null) return none;
  if (typeof result !== 'object' || Array.isArray(result)) return all;
  const list: unknown = 'batchItemFailures' in result ? result.batchItemFailures : undefined;
  if (list === undefined || list === null) return none;
  if (!Array.isArray(list)) return all;
  const named = new Set<string>();
  for (const item of list as readonly unknown[]) {
    const id: unknown =
      typeof item === 'object' && item !== null && 'itemIdentifier' in item
        ? item.itemIdentifier
        : undefined;
    if (typeof id !== 'string' || !all.has(id)) return all;
    named.add(id);
  }
  return named;
}
