/**
 * A route's queue and its dead letters, as a standard SQS queue with an event source mapping: no
 * order, messages hidden for a time and not locked, at least once, and dead after too many tries.
 */
import { QUEUE_BATCH_MESSAGES, QUEUE_VISIBILITY_SECONDS } from '../../../core/base/limits.ts';
import { type EpochMillis, epochMillis } from '../../../core/base/time.ts';
import { redrivenAttributes, type TextAttribute } from '../../../core/operations/redrive.ts';
import type { Outcome } from './functions.ts';
import type { Arrival, Shared } from './shared.ts';

export interface QueuedMessage extends Arrival {
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
export type Invoke = (messages: readonly QueuedMessage[]) => Promise<Outcome>;

const VISIBILITY_MILLIS = QUEUE_VISIBILITY_SECONDS * 1_000;
/** Somebody looks at an alarm and moves what is dead back. */
const REDRIVE_MILLIS = 6 * 3_600_000;
const DAY_MILLIS = 86_400_000;

export class SimulatedQueue {
  readonly #shared: Shared;
  readonly #receivesMax: number;
  readonly #gatherMillis: number;
  readonly #invoke: Invoke;
  readonly #messages = new Set<QueuedMessage>();
  readonly #dead = new Set<QueuedMessage>();
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
    this.#messages.add(this.#messageOf(arrival, body, attributes));
    this.#pollSoon();
  }

  /** An event that Lambda has given up becomes a dead letter beside those of the queue. */
  bury(arrival: Arrival, body: string): void {
    this.#giveUp(this.#messageOf(arrival, body, {}));
  }

  /** Moves every dead letter back, as the command of the operators does. */
  redrive(): void {
    this.#isRedriveDue = false;
    for (const message of [...this.#dead]) this.#moveBack(message);
  }

  /** What is still here. */
  left(): readonly Arrival[] {
    return [...this.#messages, ...this.#dead];
  }

  #messageOf(
    { arrival, serial }: Arrival,
    body: string,
    attributes: QueuedMessage['attributes'],
  ): QueuedMessage {
    const { clockwork, clock } = this.#shared;
    const messageId = `message-${arrival}-${this.#sent++}`;
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
    const visible = [...this.#messages].filter(({ visibleAt }) => visibleAt <= clockwork.now);
    const batch: QueuedMessage[] = [];
    const size = chance.int(1, QUEUE_BATCH_MESSAGES);
    for (const message of chance.shuffle(visible).slice(0, size)) {
      if (this.#receive(message)) batch.push(message);
    }
    if (visible.length > size) clockwork.after(chance.int(1, 50), () => this.#poll());
    if (batch.length > 0) void this.#handle(batch);
  }

  /** False when it has been tried too often. */
  #receive(message: QueuedMessage): boolean {
    const { clockwork, faults } = this.#shared;
    if (message.receives >= this.#receivesMax) {
      this.#messages.delete(message);
      this.#giveUp(message);
      return false;
    }
    message.receives++;
    if (message.running > 0) faults.count('redelivered-while-running');
    message.running++;
    const early = faults.meant('redelivered-while-running');
    const hidden = early === undefined ? VISIBILITY_MILLIS : 1 + early;
    message.visibleAt = clockwork.now + hidden;
    clockwork.after(hidden, () => {
      if (!this.#messages.has(message)) return;
      if (early === undefined) this.#pollSoon();
      else this.#poll();
    });
    return true;
  }

  async #handle(batch: readonly QueuedMessage[]): Promise<void> {
    const outcome = await this.#invoke(batch);
    for (const message of batch) {
      message.running--;
      if (outcome.kind === 'failed' || outcome.failed.has(message.messageId)) continue;
      if (this.#shared.faults.strike('delete-lost') === undefined) this.#messages.delete(message);
    }
  }

  #giveUp(message: QueuedMessage): void {
    const { clockwork, faults } = this.#shared;
    faults.count('dead-lettered');
    this.#dead.add(message);
    if (this.#isRedriveDue) return;
    this.#isRedriveDue = true;
    const days = faults.meant('redriven-days-later');
    const millis = days === undefined ? REDRIVE_MILLIS : DAY_MILLIS * (1 + days / 9);
    clockwork.after(millis, () => {
      if (days !== undefined && this.#dead.size > 0) faults.count('redriven-days-later');
      this.redrive();
    });
  }

  #moveBack(message: QueuedMessage): void {
    const { arrival, serial, body, sentAt, attributes } = message;
    this.#dead.delete(message);
    this.send({ arrival, serial }, body, redrivenAttributes(body, sentAt, attributes));
  }
}
