/** Waiting that ends: by an order to stop, or with an error that says what was waited for. */
import { setTimeout as after } from 'node:timers/promises';

const LOOK_MILLIS = 50;

/** Sooner where the run is ended. */
export async function wait(millis: number, ended: AbortSignal): Promise<void> {
  if (millis <= 0 || ended.aborted) return;
  await after(millis, undefined, { signal: ended }).catch(() => {});
}

/** Sooner where it comes about or the run is ended. */
export async function waitUntil(
  isSo: () => boolean,
  millisMax: number,
  ended: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + millisMax;
  while (!ended.aborted && !isSo() && Date.now() < deadline) await wait(LOOK_MILLIS, ended);
}

/**
 * When a run is given up: every wait in it ends by then, so that none outlives the test that it is
 * in, and says what it waited for and how things stood.
 */
export class Deadline {
  readonly #from = performance.now();
  #at: number;
  /** How things stand, in a line; set once there is something to say. */
  standing: () => string = () => 'the run was starting';

  /** @param millisMax from now */
  constructor(millisMax: number) {
    this.#at = this.#from + millisMax;
  }

  /** Brings it forward, where it is further away than that. */
  endWithin(millis: number): void {
    this.#at = Math.min(this.#at, performance.now() + millis);
  }

  /** @throws Error where it does not come about in time */
  async until(what: string, isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#leftMillis() === 0) throw this.#error(what);
      await after(LOOK_MILLIS);
    }
  }

  /** @throws Error where the promise is not settled in time */
  async settled<T>(what: string, promise: Promise<T>): Promise<T> {
    const cancelled = new AbortController();
    const late = after(this.#leftMillis(), undefined, { signal: cancelled.signal }).then(() => {
      throw this.#error(what);
    });
    late.catch(() => {});
    try {
      return await Promise.race([promise, late]);
    } finally {
      cancelled.abort();
    }
  }

  #leftMillis(): number {
    return Math.max(0, this.#at - performance.now());
  }

  #error(what: string): Error {
    const seconds = Math.round((performance.now() - this.#from) / 1_000);
    return new Error(
      `after ${seconds} s of the run still waiting until ${what}; then: ${this.standing()}`,
    );
  }
}
