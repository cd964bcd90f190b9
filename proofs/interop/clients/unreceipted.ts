/**
 * The sender's rule for clients that have no outbox: what has no receipt is published again. A
 * client's own re-sending below it goes on as it likes.
 */
import { createHash } from 'node:crypto';

export interface Message {
  readonly topic: string;
  readonly body: string;
}

export interface Sender {
  /** Publishes the first messages, and the others as receipts make room. */
  start(): void;
  /** Takes a publication of receipts. */
  take(payload: string): void;
  /** Resolves when every message has a receipt of its own body. */
  readonly done: Promise<void>;
}

/**
 * The first one; shorter than the protocol's 30 s, for a lost receipt is not to hold the run up. Each
 * is twice the one before: on a slow machine the queue would grow faster than it is emptied.
 */
export const TIMEOUT_MILLIS = 1_500;
const AT_ONCE = 10;

/** SHA-256 of topic, a zero byte and body, as docs/protocol.md says. */
export function hashOf({ topic, body }: Message): string {
  return createHash('sha256').update(topic).update('\0').update(body).digest('hex');
}

export function createSender(
  messages: readonly Message[],
  publish: (message: Message) => unknown,
  timeoutMillis = TIMEOUT_MILLIS,
): Sender {
  const queue = [...messages];
  const timers = new Map<string, NodeJS.Timeout>();
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });

  function send(message: Message, millis: number): void {
    timers.set(
      hashOf(message),
      setTimeout(() => send(message, 2 * millis), millis),
    );
    publish(message);
  }

  function fill(): void {
    for (const message of queue.splice(0, AT_ONCE - timers.size)) send(message, timeoutMillis);
    if (timers.size === 0) finish();
  }

  return {
    start: fill,
    take(payload) {
      for (const { bodyHash } of JSON.parse(payload).receipts) {
        clearTimeout(timers.get(bodyHash));
        timers.delete(bodyHash);
      }
      fill();
    },
    done,
  };
}
