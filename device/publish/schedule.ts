/** When to send: the waits between tries, and the limit of a connection. Pure but for its counts. */
import type { Random } from '../ports.ts';

export interface RetryPolicy {
  /** Before the second try. */
  readonly firstMillis: number;
  /** Doubled up to this. */
  readonly maxMillis: number;
}

/** A wait is longer by up to this share, so that a fleet does not come back as one. */
const JITTER = 0.25;

/** The wait after the n-th try, n from 1. Never shorter than the policy says. */
export function waitMillis({ firstMillis, maxMillis }: RetryPolicy, tries: number, random: Random) {
  const doublings = Math.min(Math.max(tries - 1, 0), 52);
  const wait = Math.min(firstMillis * 2 ** doublings, maxMillis);
  return Math.round(wait * (1 + JITTER * random()));
}

/** At most so many publications in any second. Made anew with each connection, whose limit it is. */
export class RateLimit {
  readonly #perSecond: number;
  /** When the last publications went out, oldest first. */
  #sent: number[] = [];

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** When the next publication may go out; `now` when it may at once. */
  nextAt(now: number): number {
    this.#sent = this.#sent.filter((at) => at > now - 1_000);
    const first = this.#sent[this.#sent.length - this.#perSecond];
    return first === undefined ? now : first + 1_000;
  }

  took(now: number): void {
    this.#sent.push(now);
  }
}
