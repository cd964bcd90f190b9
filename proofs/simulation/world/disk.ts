/** A device's disk, and the store on it in one life of the device. */
import type { Store, StoreChange } from '../../../device/ports.ts';
import type { StoreEntry, StoreRange } from '../../../device/store/types.ts';
import { never, type Shared } from './shared.ts';

/** What is flushed; it outlives the process. */
export class Disk {
  readonly records = new Map<string, Buffer>();
  /** Told after each write that landed. */
  landed: (changes: readonly StoreChange[]) => void = () => {};
}

/** From the start of a process to its end. */
export class Life {
  isOver = false;
}

export class DiskStore implements Store {
  readonly folder = 'simulated';
  readonly #shared: Shared;
  readonly #disk: Disk;
  readonly #life: Life;
  /** Writes land in the order of their calls. */
  #lastLanding = 0;
  /** The life ended, and the write under way was not flushed: no later one is. */
  #isTorn = false;

  constructor(shared: Shared, disk: Disk, life: Life) {
    this.#shared = shared;
    this.#disk = disk;
    this.#life = life;
  }

  async write(changes: readonly StoreChange[]): Promise<void> {
    const { clockwork, chance } = this.#shared;
    if (this.#life.isOver) return never();
    // One after the other: of what is due at the same moment chance says which comes first.
    this.#lastLanding = Math.max(this.#lastLanding + 1, clockwork.now + chance.int(1, 6));
    await clockwork.wait(this.#lastLanding - clockwork.now);
    if (this.#life.isOver && (this.#isTorn || chance.isHit(0.5))) {
      this.#isTorn = true;
      return never();
    }
    for (const { area, key, value } of changes) {
      if (value === undefined) this.#disk.records.delete(`${area}/${key}`);
      else this.#disk.records.set(`${area}/${key}`, Buffer.from(value));
    }
    this.#disk.landed(changes);
    if (this.#life.isOver) return never();
  }

  async read(area: string, key: string): Promise<Buffer | undefined> {
    return this.#life.isOver ? never() : this.#disk.records.get(`${area}/${key}`);
  }

  async *entries(area: string, range: StoreRange = {}): AsyncGenerator<StoreEntry> {
    const { after, before, limit = Number.POSITIVE_INFINITY } = range;
    const prefix = `${area}/`;
    const keys = [...this.#disk.records.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length))
      .filter(
        (key) => (after === undefined || key > after) && (before === undefined || key < before),
      )
      .sort();
    for (const key of keys.slice(0, limit)) {
      const value = this.#disk.records.get(prefix + key);
      if (value !== undefined) yield { key, value };
    }
  }

  count(area: string): number {
    return this.#of(area).length;
  }

  bytes(area: string): number {
    return this.#of(area).reduce((sum, [, { length }]) => sum + length, 0);
  }

  async close(): Promise<void> {}

  #of(area: string): readonly [string, Buffer][] {
    return [...this.#disk.records].filter(([name]) => name.startsWith(`${area}/`));
  }
}
