/**
 * The ids that a receiver has seen, on disk. Owns the areas `seen` (by id) and `seen-time` (by the
 * time of the last delivery), which are written together, so that what is in one is in the other.
 * An id whose time is over counts as unknown at once; it is removed a few at a time, later.
 */
import { createHash } from 'node:crypto';
import type { Clock, Store, StoreChange } from '../ports.ts';

const SEEN = 'seen';
const BY_TIME = 'seen-time';
const TIME_DIGITS = 15;
const MARKS_BETWEEN_SWEEPS = 64;
const SWEPT_AT_ONCE = 256;

export type MarkState = 'begun' | 'done';

export interface Mark {
  readonly state: MarkState;
  /** Epoch milliseconds of the last delivery. */
  readonly at: number;
}

/** The part of every key that keeps receivers of one store apart. */
export function scopeOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}

export class ProcessedIds {
  readonly #store: Store;
  readonly #scope: string;
  readonly #rememberMillis: number;
  readonly #clock: Clock;
  /** Keys marked while a sweep decides; it leaves them alone. */
  readonly #touched = new Set<string>();
  #marksSinceSweep = MARKS_BETWEEN_SWEEPS;
  #sweep: Promise<void> | undefined;

  constructor(
    { store, clock }: { readonly store: Store; readonly clock: Clock },
    options: { readonly scope: string; readonly rememberMillis: number },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#scope = options.scope;
    this.#rememberMillis = options.rememberMillis;
  }

  /** The mark of a key, also one whose time is over (`isOver`). */
  async find(key: string): Promise<(Mark & { readonly isOver: boolean }) | undefined> {
    const value = await this.#store.read(SEEN, this.#name(key));
    const [, state, at] = /^(begun|done) (\d+)$/.exec(value?.toString() ?? '') ?? [];
    if (at === undefined) return undefined;
    const mark: Mark = { state: state === 'begun' ? 'begun' : 'done', at: Number(at) };
    return { ...mark, isOver: mark.at + this.#rememberMillis <= this.#clock() };
  }

  /** Marks a key, in one write with `others`. `old` is what `find` answered. */
  async set(
    key: string,
    state: MarkState,
    old: Mark | undefined,
    others: readonly StoreChange[] = [],
  ): Promise<Mark> {
    const mark: Mark = { state, at: Math.max(0, Math.trunc(this.#clock())) };
    const name = this.#name(key);
    if (this.#sweep !== undefined) this.#touched.add(key);
    const removed = old === undefined ? [] : [change(BY_TIME, this.#timeName(old.at, key))];
    await this.#store.write([
      ...removed,
      change(SEEN, name, `${state} ${mark.at}`),
      change(BY_TIME, this.#timeName(mark.at, key), ''),
      ...others,
    ]);
    this.#marksSinceSweep += 1;
    return mark;
  }

  /** Removes some ids whose time is over, now and then; `isBusy` keys are left for later. */
  sweep(isBusy: (key: string) => boolean): Promise<void> {
    if (this.#sweep !== undefined) return this.#sweep;
    if (this.#marksSinceSweep < MARKS_BETWEEN_SWEEPS) return Promise.resolve();
    this.#marksSinceSweep = 0;
    this.#sweep = this.#removeOld(isBusy).finally(() => {
      this.#sweep = undefined;
      this.#touched.clear();
    });
    return this.#sweep;
  }

  async #removeOld(isBusy: (key: string) => boolean): Promise<void> {
    const cutoff = Math.trunc(this.#clock()) - this.#rememberMillis;
    if (cutoff < 0) return;
    const names: string[] = [];
    const range = { after: this.#name(''), before: this.#name(timeText(cutoff + 1)) };
    for await (const entry of this.#store.entries(BY_TIME, { ...range, limit: SWEPT_AT_ONCE })) {
      names.push(entry.key);
    }
    const keyOf = (name: string) => name.slice(this.#name('').length + TIME_DIGITS + 1);
    // From here to the write nothing else runs, so what is free now is free then.
    const free = names.filter((name) => !isBusy(keyOf(name)) && !this.#touched.has(keyOf(name)));
    const changes = free.flatMap((name) => [
      change(BY_TIME, name),
      change(SEEN, this.#name(keyOf(name))),
    ]);
    if (changes.length > 0) await this.#store.write(changes);
  }

  #name(key: string): string {
    return `${this.#scope}-${key}`;
  }

  #timeName(at: number, key: string): string {
    return this.#name(`${timeText(at)}-${key}`);
  }
}

function timeText(millis: number): string {
  return String(millis).padStart(TIME_DIGITS, '0');
}

function change(area: string, key: string, text?: string): StoreChange {
  return { area, key, value: text === undefined ? undefined : Buffer.from(text) };
}
