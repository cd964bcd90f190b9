/** A store in memory that can fail, and whose disk can be looked at as a crash would leave it. */
import { StoreFailedError } from '../../device/errors.ts';
import type { Store, StoreChange } from '../../device/ports.ts';

export class MemoryStore implements Store {
  readonly folder = 'memory';
  /** What is flushed. */
  readonly disk: Map<string, Buffer>;
  /** Writes so far, each what one flush took. */
  readonly writes: (readonly StoreChange[])[] = [];
  isFailing = false;
  /** While set, writes wait for it. */
  gate: Promise<void> | undefined;

  constructor(disk: ReadonlyMap<string, Buffer> = new Map()) {
    this.disk = new Map(disk);
  }

  async write(changes: readonly StoreChange[]): Promise<void> {
    await this.gate;
    if (this.isFailing) throw new StoreFailedError(this.folder, new Error('told to fail'));
    this.writes.push(changes);
    for (const { area, key, value } of changes) {
      if (value === undefined) this.disk.delete(`${area}/${key}`);
      else this.disk.set(`${area}/${key}`, Buffer.from(value));
    }
  }

  async read(area: string, key: string): Promise<Buffer | undefined> {
    return this.disk.get(`${area}/${key}`);
  }

  async *entries(area: string): AsyncGenerator<{ key: string; value: Buffer }> {
    const prefix = `${area}/`;
    const found = [...this.disk].filter(([key]) => key.startsWith(prefix));
    for (const [key, value] of found.sort(([one], [other]) => (one < other ? -1 : 1))) {
      yield { key: key.slice(prefix.length), value };
    }
  }

  count(area: string): number {
    return [...this.disk.keys()].filter((key) => key.startsWith(`${area}/`)).length;
  }

  bytes(area: string): number {
    const sizes = [...this.disk].map(([key, { length }]) =>
      key.startsWith(`${area}/`) ? length : 0,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async close(): Promise<void> {}
}
