/**
 * Counts since the start, and deliveries of the last minute second by second. Owns the counts.
 * Invariant: memory does not grow with what is counted.
 */
import type { Clock } from '../../core/base/time.ts';
import { receiptsDevice } from '../../core/wire/topics.ts';
import type { CloudEvent, Faults } from '../contracts.ts';

/** What became of a delivery. */
export type Verdict =
  | 'accepted'
  | 'resumed'
  | 'duplicate'
  | 'conflict'
  | 'rejected'
  | 'stale'
  /** A release or a query: no message, so nothing to judge. */
  | 'request'
  /** So many others came after it that it was followed no further. */
  | 'unknown';

export interface Counts {
  readonly deliveries: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Deliveries without a verdict so far. */
  readonly underWay: number;
  readonly receipts: number;
  readonly forwards: number;
  readonly fallbacks: number;
  readonly deadLetters: number;
  readonly lost: number;
  readonly invocations: number;
  readonly failedInvocations: number;
  readonly faults: Readonly<Partial<Record<keyof Faults, number>>>;
  /** Events that could not be read; more than none is a fault of the console. */
  readonly unread: number;
  /** Deliveries a second, over the last ten seconds. */
  readonly perSecond: number;
  /** Deliveries and verdicts `duplicate` of the last 60 seconds, the oldest first. */
  readonly lastMinute: readonly (readonly [deliveries: number, copies: number])[];
}

const SECONDS = 60;
const RATE_SECONDS = 10;

export class Counters {
  readonly #clock: Clock;
  readonly #verdicts: Record<Verdict, number> = {
    accepted: 0,
    resumed: 0,
    duplicate: 0,
    conflict: 0,
    rejected: 0,
    stale: 0,
    request: 0,
    unknown: 0,
  };
  readonly #faults: Partial<Record<keyof Faults, number>> = {};
  readonly #tally = {
    deliveries: 0,
    underWay: 0,
    receipts: 0,
    forwards: 0,
    fallbacks: 0,
    deadLetters: 0,
    lost: 0,
    invocations: 0,
    failedInvocations: 0,
    unread: 0,
  };
  readonly #seconds: [deliveries: number, copies: number][];
  #second: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#second = this.#now();
    this.#seconds = Array.from({ length: SECONDS }, () => [0, 0]);
  }

  /** Counts what needs no reading; deliveries and verdicts are told by the journal. */
  count(event: CloudEvent): void {
    switch (event.kind) {
      case 'fault':
        this.#faults[event.fault] = (this.#faults[event.fault] ?? 0) + 1;
        return;
      case 'fallback':
        this.#tally.fallbacks += 1;
        return;
      case 'dead-letter':
        this.#tally.deadLetters += 1;
        return;
      case 'lost':
      case 'rule-not-found':
        this.#tally.lost += 1;
        return;
      case 'invocation':
        this.#tally.invocations += 1;
        if (event.outcome !== 'ok') this.#tally.failedInvocations += 1;
        return;
      case 'published':
        if (receiptsDevice(event.topic) !== undefined) this.#tally.receipts += 1;
        else this.#tally.forwards += 1;
        return;
      case 'delivery':
      case 'table':
      case 'disconnect':
      case 'log':
        return;
    }
  }

  delivery(): void {
    this.#tally.deliveries += 1;
    this.#tally.underWay += 1;
    this.#thisSecond()[0] += 1;
  }

  /** @param before the verdict that it takes the place of */
  verdict(verdict: Verdict, before: Verdict | null): void {
    if (before === null) this.#tally.underWay -= 1;
    else this.#verdicts[before] -= 1;
    this.#verdicts[verdict] += 1;
    if (verdict === 'duplicate') this.#thisSecond()[1] += 1;
  }

  unread(): void {
    this.#tally.unread += 1;
  }

  snapshot(): Counts {
    this.#thisSecond();
    const lastMinute = this.#seconds.map(([deliveries, copies]) => [deliveries, copies] as const);
    // The second that runs is not over: it would pull the rate down.
    const rated = lastMinute.slice(-RATE_SECONDS - 1, -1);
    const sum = rated.reduce((total, [deliveries]) => total + deliveries, 0);
    return {
      ...this.#tally,
      verdicts: { ...this.#verdicts },
      faults: { ...this.#faults },
      perSecond: sum / RATE_SECONDS,
      lastMinute,
    };
  }

  #now(): number {
    return Math.floor(this.#clock() / 1_000);
  }

  /** Moves on to the present second; a clock that was set back stays in the one it was in. */
  #thisSecond(): [deliveries: number, copies: number] {
    const passed = Math.min(SECONDS, Math.max(0, this.#now() - this.#second));
    for (let step = 0; step < passed; step += 1) {
      this.#seconds.shift();
      this.#seconds.push([0, 0]);
    }
    this.#second = Math.max(this.#second, this.#now());
    return this.#seconds[SECONDS - 1] ?? [0, 0];
  }
}
