/**
 * Lambda's asynchronous invocation of one function.
 *
 * Owns the events that were taken and are not finished. Keeps these invariants: an event that was
 * taken is run until it succeeds, its tries are used up or it is too old; then its body goes to the
 * dead-letter queue and its record to the on-failure destination, where these exist, and otherwise
 * its loss is told to the observer; all tries of an event have one request id.
 */
import { randomUUID } from 'node:crypto';
import { type EpochMillis, toIso } from '../../core/base/time.ts';
import type { Observer } from '../contracts.ts';
import type { MessageAttributes, Queue } from '../sqs/queue.ts';
import type { CancelTimer, Scheduler } from '../timers.ts';
import { failureOf, type InvocationOutcome, type Invoke } from './outcome.ts';

export interface AsyncInvokerOptions {
  readonly functionName: string;
  readonly functionArn: string;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeMillis: number;
  readonly deadLetterQueue: Queue | undefined;
  readonly onFailure: Queue | undefined;
  readonly invoke: Invoke;
  readonly scheduler: Scheduler;
  readonly observe: Observer;
  readonly changed: () => void;
}

export interface AsyncInvoker {
  /** Takes an event, JSON text, and gives its request id. Throws `AsyncInvokeError` if it cannot. */
  accept(eventText: string): string;
  /** Events that are not finished. */
  pending(): number;
  /** Forgets what waits; resolves when nothing runs. */
  close(): Promise<void>;
}

class AsyncInvokeError extends Error {
  override readonly name = 'AsyncInvokeError';
}

/** "Lambda retries function errors twice: after one minute, then after two." */
const retryAfterMillis = [60_000, 120_000] as const;
/** Payload of an asynchronous invocation. */
const maximumEventBytes = 1_048_576;
/** The dead-letter queue gets the first kilobyte of the error's message. */
const maximumErrorMessageLength = 1024;

interface Event {
  readonly requestId: string;
  readonly text: string;
  readonly payload: unknown;
  readonly acceptedAt: EpochMillis;
  attempts: number;
}

type Failure = Exclude<InvocationOutcome, { readonly kind: 'ok' }>;
type Condition = 'RetriesExhausted' | 'EventAgeExceeded';

export function createAsyncInvoker(options: AsyncInvokerOptions): AsyncInvoker {
  const { scheduler } = options;
  const pending = new Set<Event>();
  const running = new Set<Promise<void>>();
  const waits = new Set<CancelTimer>();
  let closed = false;

  const finish = (event: Event): void => {
    pending.delete(event);
    options.changed();
  };
  const attempt = async (event: Event): Promise<void> => {
    event.attempts += 1;
    const outcome = await options.invoke(options.functionName, event.payload, event.requestId);
    // Closing ends the children; what they were doing has not failed on its own account.
    if (outcome.kind === 'ok' || closed) return finish(event);
    const wait = retryAfterMillis[event.attempts - 1];
    if (event.attempts > options.maximumRetryAttempts || wait === undefined) {
      giveUp(options, event, outcome, 'RetriesExhausted');
      return finish(event);
    }
    const cancel = scheduler.after(wait, () => {
      waits.delete(cancel);
      if (scheduler.since(event.acceptedAt) <= options.maximumEventAgeMillis) return start(event);
      giveUp(options, event, outcome, 'EventAgeExceeded');
      finish(event);
    });
    waits.add(cancel);
  };
  const start = (event: Event): void => {
    const work = attempt(event)
      .catch(() => finish(event))
      .finally(() => {
        running.delete(work);
        options.changed();
      });
    running.add(work);
  };

  return {
    accept(text) {
      const bytes = Buffer.byteLength(text, 'utf8');
      if (closed) throw new AsyncInvokeError(`${options.functionName} is being closed.`);
      if (bytes > maximumEventBytes) {
        throw new AsyncInvokeError(
          `${options.functionName}: the event has ${bytes} bytes; asynchronous invocation allows ${maximumEventBytes}.`,
        );
      }
      const payload = parseEvent(options.functionName, text);
      const requestId = randomUUID();
      const event = { requestId, text, payload, acceptedAt: scheduler.now(), attempts: 0 };
      pending.add(event);
      start(event);
      return requestId;
    },
    pending: () => pending.size,
    async close() {
      closed = true;
      for (const cancel of waits) cancel();
      await Promise.all(running);
      pending.clear();
    },
  };
}

function parseEvent(functionName: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AsyncInvokeError(`${functionName}: the event is not JSON: ${text.slice(0, 80)}`, {
      cause,
    });
  }
}

function giveUp(
  options: AsyncInvokerOptions,
  event: Event,
  failure: Failure,
  condition: Condition,
): void {
  const { deadLetterQueue, onFailure, observe } = options;
  const { errorType, errorMessage } = failureOf(failure);
  const reason = `${options.functionName}, request ${event.requestId}: ${condition} after ${event.attempts} tries: ${errorType}: ${errorMessage}`;
  const send = (queue: Queue, body: string, attributes?: MessageAttributes): void => {
    try {
      queue.send(body, attributes);
      observe({ kind: 'dead-letter', queueName: queue.name, reason });
    } catch (cause) {
      // AWS counts this as DeadLetterErrors or DestinationDeliveryFailures: the event is lost.
      observe({
        kind: 'lost',
        where: queue.name,
        topic: '',
        reason: `${reason}; ${String(cause)}`,
      });
    }
  };
  if (deadLetterQueue !== undefined) {
    send(deadLetterQueue, event.text, {
      RequestID: { dataType: 'String', stringValue: event.requestId },
      // Lambda answered 200: the failure is that of the function, not of the service.
      ErrorCode: { dataType: 'Number', stringValue: '200' },
      ErrorMessage: {
        dataType: 'String',
        stringValue: (errorMessage || errorType).slice(0, maximumErrorMessageLength),
      },
    });
  }
  if (onFailure !== undefined) {
    send(onFailure, JSON.stringify(destinationRecord(options, event, failure, condition)));
  }
  if (deadLetterQueue === undefined && onFailure === undefined) {
    observe({ kind: 'lost', where: options.functionName, topic: '', reason });
  }
}

/** The record that an on-failure destination receives. */
function destinationRecord(
  options: AsyncInvokerOptions,
  event: Event,
  failure: Failure,
  condition: Condition,
): object {
  return {
    version: '1.0',
    timestamp: toIso(options.scheduler.now()),
    requestContext: {
      requestId: event.requestId,
      functionArn: `${options.functionArn}:$LATEST`,
      condition,
      approximateInvokeCount: event.attempts,
    },
    requestPayload: event.payload,
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: failureOf(failure),
  };
}
