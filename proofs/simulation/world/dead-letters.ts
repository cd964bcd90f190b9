/**
 * A route's queue and its dead letters, as a standard SQS queue with an event source mapping: no
 * order, messages hidden for a time and not locked, at least once, and dead after too many tries.
 */
import { QUEUE_BATCH_MESSAGES, QUEUE_VISIBILITY_SECONDS } from '../../../core/base/limits.ts';
import { type EpochMillis, epochMillis } from '../../../core/base/time.ts';
import { redrivenAttributes, type TextAttribute } from '../../../core/operations/redrive.ts';
import type { Outcome } from './functions.ts';
import type { Arrival, Shared } from './shared.ts';

export interface Letter extends Arrival {
  readonly messageId: string;
  readonly body: string;
  readonly sentAt: EpochMillis;
  readonly attributes: Readonly<Record<string, TextAttribute>>;
  receives: number;
  /** By the clockwork. */
  visibleAt: number;
  /** Invocations that have it. */
  running: number;
}

export interface QueueLimits {
  readonly receivesMax: number;
  /** How long a batch may be gathered. */
  readonly gatherMillis: number;
}

/** Gives a batch to the function; the names are message ids. */
export type Invoke = (letters: readonly Letter[]) => Promise<Outcome>;

const VISIBILITY_MILLIS = QUEUE_VISIBILITY_SECONDS * 1_000;
/** Somebody looks at an alarm and moves what is dead back. */
const REDRIVE_MILLIS = 6 * 3_600_000;
const DAY_MILLIS = 86_400_000;

export class Letters {
  readonly #shared: Shared;
  readonly #receivesMax: number;
  readonly #gatherMillis: number;
  readonly #invoke: Invoke;
  readonly #letters = new Set<Letter>();
  readonly #dead = new Set<Letter>();
  #sent = 0;
  #isRedriveDue = false;

  constructor(shared: Shared, limits: QueueLimits, invoke: Invoke) {
    this.#shared = shared;
    this.#receivesMax = limits.receivesMax;
    this.#gatherMillis = limits.gatherMillis;
    this.#invoke = invoke;
  }

  send(
    arrival: Arrival,
    body: string,
    attributes: Readonly<Record<string, TextAttribute>> = {},
  ): void {
    this.#letters.add(this.#letterOf(arrival, body, attributes));
    this.#pollSoon();
  }

  /** An event that Lambda has given up becomes a dead letter beside those of the queue. */
  bury(arrival: Arrival, body: string): void {
    this.#buryLetter(this.#letterOf(arrival, body, {}));
  }

  /** Moves every dead letter back, as the command of the operators does. */
  redrive(): void {
    this.#isRedriveDue = false;
    for (const letter of [...this.#dead]) this.#moveBack(letter);
  }

  /** What is still here. */
  left(): readonly Arrival[] {
    return [...this.#letters, ...this.#dead];
  }

  #letterOf({ arrival, serial }: Arrival, body: string, attributes: Letter['attributes']): Letter {
    const { clockwork, clock } = this.#shared;
    const messageId = `letter-${arrival}-${this.#sent++}`;
    const sentAt = epochMillis(clock());
    const state = { receives: 0, visibleAt: clockwork.now, running: 0 };
    return { arrival, serial, messageId, body, sentAt, attributes, ...state };
  }

  #pollSoon(): void {
    const { clockwork, chance } = this.#shared;
    clockwork.after(chance.int(5, 120) + chance.int(0, this.#gatherMillis), () => this.#poll());
  }

  #poll(): void {
    const { clockwork, chance } = this.#shared;
    const visible = [...this.#letters].filter(({ visibleAt }) => visibleAt <= clockwork.now);
    const batch: Letter[] = [];
    const size = chance.int(1, QUEUE_BATCH_MESSAGES);
    for (const letter of chance.shuffle(visible).slice(0, size)) {
      if (this.#receive(letter)) batch.push(letter);
    }
    if (visible.length > size) clockwork.after(chance.int(1, 50), () => this.#poll());
    if (batch.length > 0) void this.#handle(batch);
  }

  /** False when it has been tried too often. */
  #receive(letter: Letter): boolean {
    const { clockwork, faults } = this.#shared;
    if (letter.receives >= this.#receivesMax) {
      this.#letters.delete(letter);
      this.#buryLetter(letter);
      return false;
    }
    letter.receives++;
    if (letter.running > 0) faults.count('redelivered-while-running');
    letter.running++;
    const early = faults.meant('redelivered-while-running');
    const hidden = early === undefined ? VISIBILITY_MILLIS : 1 + early;
    letter.visibleAt = clockwork.now + hidden;
    clockwork.after(hidden, () => {
      if (!this.#letters.has(letter)) return;
      if (early === undefined) this.#pollSoon();
      else this.#poll();
    });
    return true;
  }

  async #handle(batch: readonly Letter[]): Promise<void> {
    const outcome = await this.#invoke(batch);
    for (const letter of batch) {
      letter.running--;
      if (outcome.kind === 'failed' || outcome.failed.has(letter.messageId)) continue;
      if (this.#shared.faults.strike('delete-lost') === undefined) this.#letters.delete(letter);
    }
  }

  #buryLetter(letter: Letter): void {
    const { clockwork, faults } = this.#shared;
    faults.count('dead-lettered');
    this.#dead.add(letter);
    if (this.#isRedriveDue) return;
    this.#isRedriveDue = true;
    const days = faults.meant('redriven-days-later');
    const millis = days === undefined ? REDRIVE_MILLIS : DAY_MILLIS * (1 + days / 9);
    clockwork.after(millis, () => {
      if (days !== undefined && this.#dead.size > 0) faults.count('redriven-days-later');
      this.redrive();
    });
  }

  #moveBack(letter: Letter): void {
    const { arrival, serial, body, sentAt, attributes } = letter;
    this.#dead.delete(letter);
    this.send({ arrival, serial }, body, redrivenAttributes(body, sentAt, attributes));
  }
}
