/**
 * The store on disk under the outbox and the receiver, on LevelDB. It owns one folder and everything
 * in it. Its invariants: a write is whole or not there; when `write` resolves, it is on the disk;
 * writes land in the order of their calls; what was acknowledged and is not there any more is found
 * when the store is opened, and then the store is set aside, with all its files, never deleted.
 *
 * Records live in areas (`outbox`, `seen`, …), each a key space of its own; one write may touch
 * several. Writes that wait at the same time share one flush.
 */
import { existsSync, realpathSync, rmSync } from 'node:fs';
import { ClassicLevel } from 'classic-level';
import {
  DeviceError,
  StoreFailedError,
  StoreLockedError,
  StoreUnreadableError,
} from '../errors.ts';
import { DIGEST_BYTES, unseal } from './checksums.ts';
import {
  copyRecords,
  dropAllKept,
  dropKept,
  flushFolder,
  folderState,
  freeName,
  keepFiles,
  makeStoreFolder,
  markedIn,
  recordsFolders,
  StoreDamage,
  setFolderAside,
  storeFault,
} from './files.ts';
import { checked, type Level, LevelStore } from './level.ts';
import type { Store, StoreRecord } from './types.ts';

export type { Store, StoreChange, StoreRecord } from './types.ts';

/** A store that could not be read: where it lies now and why. */
interface SetAside {
  /** Give it to `readSetAside` to get what is still whole. */
  readonly folder: string;
  readonly reason: string;
  /** The same as an error, to be told as an event. */
  readonly error: StoreUnreadableError;
}

export interface OpenedStore {
  readonly store: Store;
  /** Given when the folder held a store that could not be read; the one opened is then empty. */
  readonly setAside: SetAside | undefined;
}

export interface StoreOptions {
  /** Epoch milliseconds; for the names of what is set aside. Default: the system's clock. */
  readonly now?: () => number;
}

/**
 * Opens the store in a folder, which is made when it is not there. Every record is read once.
 * Throws `StoreLockedError`, `DiskFullError`, `StoreFailedError` (rights, a file in its place), and
 * `StoreUnreadableError` for a folder that holds something else or cannot be moved aside.
 */
export async function openStore(folder: string, options: StoreOptions = {}): Promise<OpenedStore> {
  const now = options.now ?? Date.now;
  try {
    return { store: await openOnce(folder, now()), setAside: undefined };
  } catch (error) {
    const fault = faultOf(folder, error);
    if (fault.kind === 'error') throw fault.error;
    const setAside = setStoreAside(folder, now(), fault.cause);
    try {
      return { store: await openOnce(folder, now()), setAside };
    } catch (again) {
      throw typed(folder, again);
    }
  }
}

/**
 * The records of a store set aside that are still whole, each proved by its digest, read from a copy
 * that is removed afterwards. One that had been removed or replaced shortly before may be among
 * them: send what was in an outbox again under its id, which does no harm, but never count on from a
 * counter found here.
 */
export async function* readSetAside(folder: string): AsyncGenerator<StoreRecord> {
  const seen = new Set<string>();
  const copy = freeName(`${folder}.reading`);
  try {
    for (const source of recordsFolders(folder)) {
      copyRecords(source, copy);
      yield* wholeRecords(copy, seen);
      rmSync(copy, { recursive: true, force: true });
    }
  } catch (error) {
    throw typed(folder, error);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The records of a damaged store that are as they were written, each once. */
async function* wholeRecords(folder: string, seen: Set<string>): AsyncGenerator<StoreRecord> {
  await ClassicLevel.repair(folder);
  const level = levelIn(folder);
  await level.open();
  try {
    for await (const [key, sealed] of level.iterator()) {
      const record = recordOf(key, sealed);
      const digest = sealed.toString('latin1', 0, DIGEST_BYTES);
      if (record === undefined || seen.has(digest)) continue;
      seen.add(digest);
      yield record;
    }
  } finally {
    await level.close();
  }
}

function recordOf(key: string, sealed: Buffer): StoreRecord | undefined {
  const value = unseal(key, sealed);
  const [, area, name] = /^([a-z-]+)\/(.*)$/s.exec(key) ?? [];
  if (value === undefined || area === undefined || name === undefined) return undefined;
  return { area, key: name, value };
}

function setStoreAside(folder: string, nowMillis: number, cause: unknown): SetAside {
  try {
    const aside = setFolderAside(folder, nowMillis);
    const reason = cause instanceof Error ? cause.message : String(cause);
    return { folder: aside, reason, error: new StoreUnreadableError(folder, aside, cause) };
  } catch {
    throw new StoreUnreadableError(folder, undefined, cause);
  }
}

function faultOf(folder: string, error: unknown): ReturnType<typeof storeFault> {
  return error instanceof DeviceError ? { kind: 'error', error } : storeFault(folder, error);
}

function typed(folder: string, error: unknown): Error {
  const fault = faultOf(folder, error);
  return fault.kind === 'error' ? fault.error : new StoreUnreadableError(folder, undefined, error);
}

function levelIn(folder: string): Level {
  return new ClassicLevel<string, Buffer>(folder, {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
  });
}

/**
 * The folders that this process has open, by their real paths. LevelDB's lock is the process's: a
 * second opening of the same folder here, though refused, would end the lock of the first.
 */
const claimed = new Set<string>();

async function openOnce(folder: string, nowMillis: number): Promise<Store> {
  const place = () => (existsSync(folder) ? realpathSync(folder) : undefined);
  if (claimed.has(place() ?? '')) throw new StoreLockedError(folder);
  const state = folderState(folder);
  switch (state.kind) {
    case 'foreign':
      throw new StoreFailedError(
        folder,
        new Error(`${state.why}; a store needs a folder that is new, empty or its own`),
      );
    case 'broken':
      throw new StoreDamage(state.why);
    case 'new':
      makeStoreFolder(folder);
      break;
    case 'store':
      break;
  }
  const claim = realpathSync(folder);
  claimed.add(claim);
  const release = () => claimed.delete(claim);
  return openLevel(folder, nowMillis, release).catch((error: unknown) => {
    release();
    throw error;
  });
}

async function openLevel(folder: string, nowMillis: number, release: () => void): Promise<Store> {
  const kept = keepFiles(folder, nowMillis);
  const level = levelIn(folder);
  try {
    await level.open();
  } catch (error) {
    if (storeFault(folder, error).kind === 'error') dropKept(kept);
    throw error;
  }
  try {
    // Read under the lock: another process may have written until just now.
    const holding = await checked(level, markedIn(folder));
    flushFolder(folder);
    dropAllKept(folder);
    return new LevelStore(folder, level, holding, release);
  } catch (error) {
    await level.close();
    throw error;
  }
}
