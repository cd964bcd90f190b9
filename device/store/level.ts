/**
 * The checking and the writing of an open store. Owns the LevelDB handle, the guard and the mark.
 * One group of writes is under way at a time; its records, the guard and the flush are one batch,
 * and the mark follows the flush, so it is never ahead of the disk.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { ClosedError, DeviceError, StoreFailedError } from '../errors.ts';
import {
  DIGEST_BYTES,
  EMPTY_GUARD,
  Fold,
  type Guard,
  guardBytes,
  guardOf,
  markText,
  seal,
  unseal,
} from './checksums.ts';
import { MARK_FILE, StoreDamage, storeFault } from './files.ts';
import type { Store, StoreChange, StoreEntry, StoreRange } from './types.ts';

/** Sorts before every area, and is in none. */
const GUARD_KEY = '!guard';
const GROUP_BYTES_MAX = 1024 * 1024;
const GROUP_CHANGES_MAX = 1000;

export type Level = ClassicLevel<string, Buffer>;

interface AreaSize {
  readonly count: number;
  readonly bytes: number;
}

/** What an opened store was found to hold. */
export interface Holding {
  readonly guard: Guard;
  readonly areas: ReadonlyMap<string, AreaSize>;
}

/** Reads every record, and throws `StoreDamage` unless they are the ones that were written. */
export async function checked(level: Level, marked: number | undefined): Promise<Holding> {
  const fold = new Fold(EMPTY_GUARD.fold);
  const areas = new Map<string, AreaSize>();
  let guard = EMPTY_GUARD;
  for await (const [key, sealed] of level.iterator()) {
    const value = unseal(key, sealed);
    if (value === undefined) throw new StoreDamage('a record is not the one that was written');
    if (key === GUARD_KEY) {
      guard = guardOf(value) ?? EMPTY_GUARD;
    } else {
      fold.toggle(sealed);
      resize(areas, key, 1, value.length);
    }
  }
  if (fold.hex !== guard.fold) throw new StoreDamage('records are missing, or old ones came back');
  if (marked !== undefined && guard.batch < marked) {
    throw new StoreDamage(`the last ${marked - guard.batch} of ${marked} flushed writes are gone`);
  }
  return { guard, areas };
}

function resize(areas: Map<string, AreaSize>, key: string, count: number, bytes: number): void {
  const area = key.slice(0, key.indexOf('/'));
  const old = areas.get(area) ?? { count: 0, bytes: 0 };
  areas.set(area, { count: old.count + count, bytes: old.bytes + bytes });
}

/** A change as it will be stored; without a value the record is removed. */
interface Sealed {
  readonly name: string;
  readonly value: Buffer | undefined;
}

interface Waiting {
  readonly changes: readonly Sealed[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One group of writes, ready to be flushed, and what the store holds after it. */
interface Group {
  readonly puts: ReadonlyMap<string, Buffer | undefined>;
  readonly guard: Guard;
  readonly areas: Map<string, AreaSize>;
}

export class LevelStore implements Store {
  readonly folder: string;
  readonly #level: Level;
  readonly #mark: number;
  readonly #closed: () => void;
  readonly #waiting: Waiting[] = [];
  #areas: ReadonlyMap<string, AreaSize>;
  #guard: Guard;
  #running: Promise<void> | undefined;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  /** `closed` is called when nothing of the store is open any more. */
  constructor(folder: string, level: Level, holding: Holding, closed: () => void) {
    this.#closed = closed;
    this.folder = folder;
    this.#level = level;
    this.#areas = holding.areas;
    this.#guard = holding.guard;
    this.#mark = openSync(join(folder, MARK_FILE), 'r+');
    this.#writeMark();
  }

  write(changes: readonly StoreChange[]): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError(this.folder));
    // Sealing copies, so that what the caller does with its bytes meanwhile changes nothing.
    const own = changes.map(({ area, key, value }) => {
      const name = recordKey(area, key);
      return { name, value: value === undefined ? undefined : seal(name, value) };
    });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ changes: own, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async read(area: string, key: string): Promise<Buffer | undefined> {
    const name = recordKey(area, key);
    const sealed = await this.#reading(() => this.#level.get(name));
    return sealed === undefined ? undefined : this.#whole(name, sealed);
  }

  async *entries(area: string, range: StoreRange = {}): AsyncGenerator<StoreEntry> {
    if (this.#closing !== undefined) throw closedError(this.folder);
    const { after, before, limit } = range;
    const iterator = this.#level.iterator({
      ...(after === undefined ? { gte: `${area}/` } : { gt: recordKey(area, after) }),
      // The sign after the slash: the end of the area.
      lt: before === undefined ? `${area}0` : recordKey(area, before),
      ...(limit === undefined ? {} : { limit }),
    });
    try {
      for (;;) {
        const entry = await this.#reading(() => iterator.next());
        if (entry === undefined) return;
        const [name, sealed] = entry;
        yield { key: name.slice(area.length + 1), value: this.#whole(name, sealed) };
      }
    } finally {
      await iterator.close();
    }
  }

  count(area: string): number {
    return this.#areas.get(area)?.count ?? 0;
  }

  bytes(area: string): number {
    return this.#areas.get(area)?.bytes ?? 0;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#running;
    await this.#level.close();
    closeSync(this.#mark);
    this.#closed();
  }

  async #run(): Promise<void> {
    // Writes of the same turn of the event loop share the first flush as well.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const waiting = this.#nextGroup();
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#flush(waiting.flatMap(({ changes }) => changes));
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        // A log that failed once is not written on: what followed a torn record could not be read.
        this.#failure ??= this.#typed(error);
        for (const { reject } of waiting) reject(this.#failure);
      }
    }
    this.#running = undefined;
  }

  /** Whole writes, in order, up to a limit; one at least. */
  #nextGroup(): readonly Waiting[] {
    let bytes = 0;
    let changes = 0;
    let writes = 0;
    for (const waiting of this.#waiting) {
      changes += waiting.changes.length;
      for (const { value } of waiting.changes) bytes += value?.length ?? 0;
      if (writes > 0 && (bytes > GROUP_BYTES_MAX || changes > GROUP_CHANGES_MAX)) break;
      writes += 1;
    }
    return this.#waiting.splice(0, writes);
  }

  async #flush(changes: readonly Sealed[]): Promise<void> {
    const { puts, guard, areas } = await this.#groupOf(changes);
    const records = [...puts, [GUARD_KEY, seal(GUARD_KEY, guardBytes(guard))] as const];
    const operations = records.map(([key, value]) =>
      value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
    );
    await this.#level.batch(operations, { sync: true });
    this.#guard = guard;
    this.#areas = areas;
    this.#writeMark();
  }

  async #groupOf(changes: readonly Sealed[]): Promise<Group> {
    // The last change of a key is the one that counts.
    const puts = new Map(changes.map(({ name, value }) => [name, value]));
    const olds = await this.#level.getMany([...puts.keys()]);
    const fold = new Fold(this.#guard.fold);
    const areas = new Map(this.#areas);
    [...puts].forEach(([key, sealed], at) => {
      const old = olds[at];
      if (old !== undefined) {
        resize(areas, key, -1, -this.#whole(key, old).length);
        fold.toggle(old);
      }
      if (sealed !== undefined) {
        fold.toggle(sealed);
        resize(areas, key, 1, sealed.length - DIGEST_BYTES);
      }
    });
    return { puts, guard: { batch: this.#guard.batch + 1, fold: fold.hex }, areas };
  }

  /** A mark left behind is harmless: it says less than it could. So a failure here is not one. */
  #writeMark(): void {
    try {
      writeSync(this.#mark, markText(this.#guard.batch), 0);
    } catch {
      // The next write tries again.
    }
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedError(this.folder);
    try {
      return await read();
    } catch (error) {
      throw this.#typed(error);
    }
  }

  /** The value of a record, as it was written. */
  #whole(key: string, sealed: Buffer): Buffer {
    const value = unseal(key, sealed);
    if (value === undefined) throw this.#typed(new StoreDamage('a record has changed on the disk'));
    return value;
  }

  /** Damage met while the store is open is set aside when it is opened the next time. */
  #typed(error: unknown): Error {
    if (error instanceof DeviceError) return error;
    const fault = storeFault(this.folder, error);
    return fault.kind === 'error' ? fault.error : new StoreFailedError(this.folder, fault.cause);
  }
}

function recordKey(area: string, key: string): string {
  return `${area}/${key}`;
}

function closedError(folder: string): ClosedError {
  return new ClosedError(`the store in ${folder} is closed; open it again to use it`);
}
