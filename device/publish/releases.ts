/**
 * The full handshake's second half: ids that are booked and have to be released, gathered into few
 * publications and repeated until the bridge says `completed`.
 *
 * Invariant: an id gets here only when its booking is on the device's disk and nothing it sent under
 * it is still on the way: a released id is never sent again.
 */

import { countReleasable, REQUEST_IDS_MAX } from '../../core/wire/requests.ts';
import type { Entry } from '../outbox/entry.ts';
import type { Random } from '../ports.ts';
import { type RetryPolicy, waitMillis } from './schedule.ts';

/** Ids that were, or are about to be, released by one publication. */
export interface ReleaseBatch {
  readonly route: string;
  readonly entries: Set<Entry>;
  /** Undefined while it is being sent. */
  dueAt: number | undefined;
  tries: number;
}

interface Ready {
  readonly entries: Set<Entry>;
  readonly since: number;
}

export class Releases {
  readonly #lingerMillis: number;
  readonly #policy: RetryPolicy;
  readonly #random: Random;
  readonly #ready = new Map<string, Ready>();
  readonly #batches = new Set<ReleaseBatch>();
  readonly #batchOf = new Map<Entry, ReleaseBatch>();

  constructor(lingerMillis: number, policy: RetryPolicy, random: Random) {
    this.#lingerMillis = lingerMillis;
    this.#policy = policy;
    this.#random = random;
  }

  /** Adding it again changes nothing. */
  add(entry: Entry, now: number): void {
    if (this.#batchOf.has(entry)) return;
    const { route } = entry.record;
    const ready = this.#ready.get(route);
    if (ready === undefined) this.#ready.set(route, { entries: new Set([entry]), since: now });
    else ready.entries.add(entry);
  }

  /** What is to be released now: an unanswered batch whose time-out is over, or a new one. */
  next(now: number): ReleaseBatch | undefined {
    for (const batch of this.#batches) {
      if (batch.dueAt !== undefined && batch.dueAt <= now) return batch;
    }
    for (const [route, { entries, since }] of this.#ready) {
      if (entries.size < REQUEST_IDS_MAX && now < since + this.#lingerMillis) continue;
      const taken = fitting(route, entries);
      for (const entry of taken) entries.delete(entry);
      if (entries.size === 0) this.#ready.delete(route);
      const batch = { route, entries: new Set(taken), dueAt: now, tries: 0 };
      this.#batches.add(batch);
      for (const entry of taken) this.#batchOf.set(entry, batch);
      return batch;
    }
    return undefined;
  }

  wait(batch: ReleaseBatch, now: number): void {
    batch.tries++;
    batch.dueAt = now + waitMillis(this.#policy, batch.tries, this.#random);
  }

  isReleased(entry: Entry): boolean {
    return this.#batchOf.has(entry);
  }

  completed(entry: Entry): void {
    const batch = this.#batchOf.get(entry);
    this.#batchOf.delete(entry);
    batch?.entries.delete(entry);
    if (batch?.entries.size === 0) this.#batches.delete(batch);
  }

  nextDue(): number | undefined {
    const times = [...this.#batches].flatMap(({ dueAt }) => dueAt ?? []);
    for (const { entries, since } of this.#ready.values()) {
      times.push(entries.size < REQUEST_IDS_MAX ? since + this.#lingerMillis : since);
    }
    return times.length === 0 ? undefined : times.reduce((one, other) => Math.min(one, other));
  }

  restart(now: number): void {
    for (const batch of this.#batches) {
      batch.tries = 0;
      batch.dueAt = now;
    }
  }
}

/** The first of them, as many as go into one publication. */
function fitting(route: string, entries: Iterable<Entry>): readonly Entry[] {
  const first: Entry[] = [];
  for (const entry of entries) if (first.push(entry) === REQUEST_IDS_MAX) break;
  const ids = first.map(({ record }) => record.id);
  return first.slice(0, countReleasable(route, ids));
}
