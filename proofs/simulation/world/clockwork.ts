/**
 * Virtual time. Owns what is to happen and when; nothing happens at once, and of what is due at the
 * same moment chance says which comes first.
 *
 * Keeps this invariant: from one happening to the next every promise that can go on has gone on, and
 * the process has not left its microtasks in between, so no other work of it can be seen.
 */
import type { Chance } from '../chance.ts';

interface Happening {
  readonly at: number;
  readonly tie: number;
  readonly serial: number;
  readonly task: () => void;
  isCancelled: boolean;
}

export class Clockwork {
  readonly #chance: Chance;
  readonly #heap: Happening[] = [];
  #now = 0;
  #serial = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** Milliseconds since the schedule began. */
  get now(): number {
    return this.#now;
  }

  /** Calls once after so many milliseconds; the answer cancels it. */
  after(millis: number, task: () => void): () => void {
    const happening: Happening = {
      at: this.#now + Math.max(0, millis),
      tie: this.#chance.int(0, 0xffff),
      serial: this.#serial++,
      task,
      isCancelled: false,
    };
    this.#push(happening);
    return () => {
      happening.isCancelled = true;
    };
  }

  wait(millis: number): Promise<void> {
    return new Promise((resolve) => this.after(millis, resolve));
  }

  /** Lets everything happen that is to happen up to a time. */
  async runUntil(until: number): Promise<void> {
    await quiet();
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > until) {
        this.#now = until;
        return;
      }
      this.#pop();
      if (first.isCancelled) continue;
      this.#now = first.at;
      first.task();
      await quiet();
    }
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let place = heap.push(happening) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(happening, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      if (child === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        below++;
      }
      if (!isBefore(child, last)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  if (one.at !== other.at) return one.at < other.at;
  return one.tie === other.tie ? one.serial < other.serial : one.tie < other.tie;
}

/** Node runs this queue when no microtask is left, and before it looks at anything else. */
function quiet(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** What the code under test could find the machine's own time and chance by. */
const GLOBALS = ['setTimeout', 'clearTimeout', 'setInterval', 'setImmediate'] as const;

/**
 * Gives the code under test the virtual time where it asks for the machine's, and refuses chance
 * that no seed is behind.
 */
export async function withVirtualTime<T>(
  clockwork: Clockwork,
  startMillis: number,
  work: () => Promise<T>,
): Promise<T> {
  const before = GLOBALS.map((name) => [name, globalThis[name]] as const);
  const { now } = Date;
  const { random } = Math;
  const refuse = (what: string) => () => {
    throw new Error(`${what} was asked for; a schedule has the seed's time and chance alone`);
  };
  Object.assign(globalThis, {
    setTimeout: (task: () => void, millis = 0) => ({ cancel: clockwork.after(millis, task) }),
    clearTimeout: (timer?: { cancel?: () => void }) => timer?.cancel?.(),
    setInterval: refuse('setInterval'),
    setImmediate: refuse('setImmediate'),
  });
  Date.now = () => startMillis + clockwork.now;
  Math.random = refuse('Math.random');
  try {
    return await work();
  } finally {
    Object.assign(globalThis, Object.fromEntries(before));
    Date.now = now;
    Math.random = random;
  }
}
