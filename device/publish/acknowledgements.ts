import type { Entry } from '../outbox/entry.ts';

/**
 * Which PUBLISH packets of the present connection have no PUBACK yet. A PUBACK says nothing of a
 * booking; it matters for two limits alone: how many packets a broker takes unacknowledged, and that
 * no id is released while something sent under it is on the way.
 */
export class Acknowledgements {
  readonly #waiting = new Map<Entry, number>();
  #total = 0;
  #connection = 0;

  get total(): number {
    return this.#total;
  }

  /** A packet goes out; the answer is to be called when it is acknowledged, and is true for the last. */
  sent(entry: Entry | undefined): () => boolean {
    const connection = this.#connection;
    this.#total++;
    if (entry !== undefined) this.#waiting.set(entry, this.of(entry) + 1);
    return () => {
      // What an earlier connection carried is not counted any more.
      if (connection !== this.#connection) return false;
      this.#total--;
      if (entry === undefined) return false;
      const left = this.of(entry) - 1;
      if (left > 0) this.#waiting.set(entry, left);
      else this.#waiting.delete(entry);
      return left === 0;
    };
  }

  of(entry: Entry): number {
    return this.#waiting.get(entry) ?? 0;
  }

  /** The session is discarded, and what was on the way in it. Answers whose packets those were. */
  restart(): readonly Entry[] {
    const entries = [...this.#waiting.keys()];
    this.#waiting.clear();
    this.#total = 0;
    this.#connection++;
    return entries;
  }
}
