/**
 * Brings dead letters back to the queue that they belong to, because AWS's own mover serves no
 * queue that Lambda or a queue fed by a rule fills this way.
 *
 * Owns nothing between two batches. Keeps these invariants: a letter is deleted only after the queue
 * has taken it, so a run that ends anywhere loses none; what was not taken stays where it is; what
 * could be neither sent nor deleted is not tried twice in one run. A letter that is moved twice is
 * the same delivery, which books nothing twice (I1).
 */
import type { Clock, EpochMillis } from '../../core/base/time.ts';

export interface DeadLetter {
  readonly messageId: string;
  /** Of this very receive. */
  readonly handle: string;
  readonly body: string;
  /** When it first came to a queue, or to the dead-letter queue if Lambda put it there. */
  readonly sentAt: EpochMillis;
}

/** The two queues. Each gives the letters that it could not serve, with the service's words. */
export interface QueuePair<DeadLetterMessage extends DeadLetter> {
  /** Hides up to so many for long enough to send and delete them; none when none are left. */
  receive(max: number): Promise<readonly DeadLetterMessage[]>;
  send(messages: readonly DeadLetterMessage[]): Promise<ReadonlyMap<DeadLetterMessage, string>>;
  remove(messages: readonly DeadLetterMessage[]): Promise<ReadonlyMap<DeadLetterMessage, string>>;
}

export interface MoveOptions {
  /** No more than so many. */
  readonly max: number;
  /** Messages a second; as fast as it goes without it. */
  readonly rate: number | undefined;
  /** Ends the run after the batch in hand. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Ends early when the signal does. */
  readonly wait: (millis: number, signal: AbortSignal) => Promise<void>;
  /** Told after each batch. */
  readonly moved: (messages: number) => void;
}

export interface Moved {
  /** Taken by the queue. */
  readonly moved: number;
  /** Not taken, and still dead letters: why, by message id. */
  readonly unsent: ReadonlyMap<string, string>;
  /** Taken, and still dead letters as well: the next run moves them again. */
  readonly undeleted: ReadonlyMap<string, string>;
  readonly isInterrupted: boolean;
}

/** SQS: messages of a receive, entries of a batch. */
const BATCH_MAX = 10;
/** All of a batch together; SQS allows 1 MiB, and allowed a quarter of it before 2025. */
const BATCH_BYTES_MAX = 262_144;

export async function moveDeadLetters<DeadLetterMessage extends DeadLetter>(
  queues: QueuePair<DeadLetterMessage>,
  options: MoveOptions,
): Promise<Moved> {
  const { max, rate, signal, clock, wait } = options;
  const unsent = new Map<string, string>();
  const undeleted = new Map<string, string>();
  const startedAt = clock();
  let moved = 0;
  const batchMax = Math.max(1, Math.min(BATCH_MAX, rate ?? BATCH_MAX));
  while (!signal.aborted && moved < max) {
    const left = Math.min(batchMax, max - moved);
    const received = await queues.receive(left);
    const messages = received.filter(
      (each) => !unsent.has(each.messageId) && !undeleted.has(each.messageId),
    );
    // Nothing is left, or only what this run could not move.
    if (messages.length === 0) break;
    for (const batch of batchesOf(messages)) {
      const refused = await queues.send(batch);
      for (const [message, why] of refused) unsent.set(message.messageId, why);
      const sent = batch.filter((message) => !refused.has(message));
      if (sent.length === 0) continue;
      moved += sent.length;
      options.moved(sent.length);
      for (const [message, why] of await removed(queues, sent))
        undeleted.set(message.messageId, why);
    }
    const dueMillis = rate === undefined ? 0 : startedAt + (moved * 1_000) / rate - clock();
    if (dueMillis > 0 && moved < max) await wait(dueMillis, signal);
  }
  return { moved, unsent, undeleted, isInterrupted: signal.aborted };
}

/** A delete that fails is tried once more: a letter that stays is moved again for nothing. */
async function removed<DeadLetterMessage extends DeadLetter>(
  queues: QueuePair<DeadLetterMessage>,
  sent: readonly DeadLetterMessage[],
): Promise<ReadonlyMap<DeadLetterMessage, string>> {
  const failed = await queues.remove(sent);
  return failed.size === 0 ? failed : queues.remove([...failed.keys()]);
}

function batchesOf<DeadLetterMessage extends DeadLetter>(
  messages: readonly DeadLetterMessage[],
): readonly (readonly DeadLetterMessage[])[] {
  const batches: DeadLetterMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.body) + ATTRIBUTES_BYTES;
    const last = batches.at(-1);
    if (last === undefined || bytes + size > BATCH_BYTES_MAX) {
      batches.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return batches;
}

/** Lambda's error message is up to 1 KB; names and the rest are small. */
const ATTRIBUTES_BYTES = 4_096;
