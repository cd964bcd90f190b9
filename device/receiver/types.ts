/** What `receive` takes, tells and answers. */
import type { ForwardEnvelope } from '../../core/wire/forward.ts';
import type { HandlerFailedError } from '../errors.ts';
import type { Clock, EpochMillis, Random, Store, Subscriptions, Timers } from '../ports.ts';
import type { RetryPolicy } from '../publish/schedule.ts';

export interface ReceivedMessage {
  /** `tollbridge-id`, the same in every copy; `undefined` only with `withoutId: 'pass'`. */
  readonly id: string | undefined;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly userProperties: readonly (readonly [name: string, value: string])[];
  /** `undefined` when the payload is not the bridge's envelope. */
  readonly forward: ForwardEnvelope | undefined;
}

export type Handler = (message: ReceivedMessage) => Promise<void> | void;

/** Ids that the handler stores in its own transaction, together with its effect. */
export interface SeenIds {
  /** Whether the effect of this id is there. */
  has(id: string): Promise<boolean>;
}

/**
 * Which comes first, the effect or the mark that it was done; what a crash between the two means:
 * - `effect-first`: the handler runs again, so its effect may be there twice (at least once);
 * - `mark-first`: the handler does not run again, so its effect may be missing (at most once); the
 *   message is kept among the failed ones as `interrupted`;
 * - `with-effect`: there is no between: the handler stores the id in the transaction of its effect,
 *   and `seen` looks there (exactly once).
 */
export type EffectOrder =
  | { readonly order?: 'effect-first' | 'mark-first'; readonly seen?: never }
  | { readonly order: 'with-effect'; readonly seen: SeenIds };

export type ReceiveOptions = EffectOrder & {
  /** What ids are remembered under; it must stay the same over restarts. @default - the filter */
  readonly name?: string;
  /** @default 1 */
  readonly qos?: 0 | 1;
  /**
   * Days that an id is remembered after its last delivery; a copy that comes later counts as new.
   * It has to be longer than the bridge can take to forward again.
   * @default 30
   */
  readonly rememberDays?: number;
  /**
   * What becomes of a message without an id: kept among the failed ones, or given to the handler
   * at every delivery.
   * @default 'refuse'
   */
  readonly withoutId?: 'refuse' | 'pass';
  /**
   * How often the handler is called for one message before that is kept among the failed ones;
   * `Infinity` blocks its topic until the handler succeeds.
   * @default 10
   */
  readonly tries?: number;
  /** The wait between tries. @default 1 s, doubled up to one minute */
  readonly retry?: Partial<RetryPolicy>;
  /** Handlers that run at once, each for another topic: one topic is handled in order. @default 10 */
  readonly concurrency?: number;
  /** Messages taken and not finished; more are left to the broker. @default 1,000 */
  readonly waitingMax?: number;
  /** Failed messages kept; while they are so many, handlers are tried on and on. @default 1,000 */
  readonly failedMax?: number;
  readonly onEvent?: (event: ReceiverEvent) => void;
};

export type FailureReason =
  /** The handler failed as often as `tries` allows. */
  | 'handler'
  /** `mark-first`: the process ended while the handler ran, and nobody knows how far it came. */
  | 'interrupted'
  /** There was no id that copies could be told by. */
  | 'no-id';

/** A message that was not handled, kept on disk for a person. */
export interface FailedMessage {
  /** For `retry` and `discard`. */
  readonly key: string;
  readonly reason: FailureReason;
  readonly detail: string;
  readonly tries: number;
  readonly failedAt: EpochMillis;
  readonly message: ReceivedMessage;
}

export type ReceiverEvent =
  | { readonly kind: 'subscribed' | 'subscription-refused'; readonly filter: string }
  | { readonly kind: 'handled'; readonly message: ReceivedMessage; readonly tries: number }
  /** Delivered again, and not handled again. */
  | { readonly kind: 'copy'; readonly message: ReceivedMessage }
  | {
      readonly kind: 'handler-failed';
      readonly message: ReceivedMessage;
      readonly tries: number;
      readonly error: HandlerFailedError;
    }
  | { readonly kind: 'failed'; readonly failed: FailedMessage }
  /** No room to keep a failed message: it is tried on (or, without an id, only told here). */
  | { readonly kind: 'failed-list-full'; readonly message: ReceivedMessage }
  /** Not acknowledged: the broker delivers it again. */
  | { readonly kind: 'not-taken'; readonly message: ReceivedMessage; readonly error: Error };

export interface FailedMessages {
  /** Of all receivers of this store. */
  readonly count: number;
  list(): AsyncIterable<FailedMessage>;
  /**
   * Calls the handler once more, and forgets the message when it succeeds; else rejects with what
   * the handler threw. False when there is no such message. A crash right after the handler leaves
   * the message in the list.
   */
  retry(key: string): Promise<boolean>;
  /** Forgets the message for good. False when there is none. */
  discard(key: string): Promise<boolean>;
}

export interface Receiver {
  /**
   * Resolves when the broker grants the filter. Rejects with SubscriptionRefusedError when it
   * refuses it first (each later connection asks again), with ClosedError when the receiver ends.
   */
  readonly ready: Promise<void>;
  readonly failed: FailedMessages;
  /** Ends the subscription at the broker, and resolves when every message taken is finished. */
  unsubscribe(): Promise<void>;
}

export interface ReceiverPorts {
  readonly subscriptions: Subscriptions;
  readonly store: Store;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}
