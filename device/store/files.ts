/** The files of a store: what a folder is, a copy of it before it is opened, and its setting aside. */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DiskFullError, StoreFailedError, StoreLockedError } from '../errors.ts';
import { markedBatch, markText } from './checksums.ts';

/** Makes the folder a store's, and holds the number of the last flushed batch. */
export const MARK_FILE = 'tollbridge-store';
/** LevelDB's own files that hold records or name those that do. */
const RECORD_FILE = /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst))$/;
const KEPT = 'before-opening-';
const DONE = 'opened-';
const KEPT_MAX = 4;

/** What lies where a store is to be opened. */
export type FolderState =
  | { readonly kind: 'new' }
  /** A store of ours, whose mark names this batch (`undefined`: the mark is damaged). */
  | { readonly kind: 'store'; readonly marked: number | undefined }
  /** Something that is not ours to touch. */
  | { readonly kind: 'foreign'; readonly why: string }
  /** A store of ours that LevelDB would replace by an empty one without a word. */
  | { readonly kind: 'broken'; readonly why: string };

export function folderState(folder: string): FolderState {
  if (!existsSync(folder)) return { kind: 'new' };
  if (!statSync(folder).isDirectory()) return { kind: 'foreign', why: 'it is a file' };
  const names = readdirSync(folder);
  const records = names.filter((name) => RECORD_FILE.test(name));
  if (!names.includes(MARK_FILE)) {
    if (records.length === 0) return { kind: 'new' };
    return { kind: 'foreign', why: `it holds ${records[0]} but no ${MARK_FILE}` };
  }
  const isFile = (name: string) =>
    statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() !== false;
  const strange = [...records, MARK_FILE].find((name) => !isFile(name));
  if (strange !== undefined) return { kind: 'broken', why: `${strange} is not a file` };
  const marked = markedIn(folder);
  // A store killed while it was made has its first manifest at most.
  const isUnborn = marked === 0 && records.every((name) => name === 'MANIFEST-000001');
  if (!names.includes('CURRENT') && !isUnborn) {
    return { kind: 'broken', why: 'its file CURRENT is gone' };
  }
  return { kind: 'store', marked };
}

/** The batch that the mark names; an empty mark was made and never written. */
export function markedIn(folder: string): number | undefined {
  const text = readFileSync(join(folder, MARK_FILE), 'utf8');
  return text === '' ? 0 : markedBatch(text);
}

/** Makes the folder, with its mark, so that both outlast a power cut. */
export function makeStoreFolder(folder: string): void {
  const made = mkdirSync(folder, { recursive: true });
  makeMark(folder);
  flushFolder(folder);
  // Each folder made on the way is named by the one above it.
  if (made === undefined) return;
  for (let at = resolve(folder); ; at = dirname(at)) {
    flushFolder(dirname(at));
    if (at === resolve(made) || at === dirname(at)) return;
  }
}

function makeMark(folder: string): void {
  let mark: number;
  try {
    mark = openSync(join(folder, MARK_FILE), 'wx', 0o600);
  } catch (error) {
    // Another process makes the same store; which of them gets it is decided by LevelDB's lock.
    if (codeOf(error) === 'EEXIST') return;
    throw error;
  }
  try {
    writeSync(mark, markText(0));
    fsyncSync(mark);
  } finally {
    closeSync(mark);
  }
}

/** Flushes the names in a folder; where the system cannot (Windows), nothing is to be done. */
export function flushFolder(folder: string): void {
  let file: number | undefined;
  try {
    file = openSync(folder, constants.O_RDONLY);
    fsyncSync(file);
  } catch (error) {
    if (!['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP', 'EACCES'].includes(codeOf(error))) throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Opening rewrites a store: LevelDB turns its log into a table and deletes what it thinks unused,
 * even when it has just skipped a damaged part. The files are kept by second names until the store
 * has been checked. Returns the folder that holds them; `undefined` when the first tries at opening
 * left enough of them.
 */
export function keepFiles(folder: string, nowMillis: number): string | undefined {
  if (keptFolders(folder).length >= KEPT_MAX) return undefined;
  const time = String(nowMillis).padStart(15, '0');
  const kept = freeName(join(folder, `${KEPT}${time}-${process.pid}`));
  mkdirSync(kept);
  for (const name of readdirSync(folder).filter((entry) => RECORD_FILE.test(entry))) {
    linkOrCopy(join(folder, name), join(kept, name));
  }
  return kept;
}

function keptFolders(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name.startsWith(KEPT));
  return names.sort().map((name) => join(folder, name));
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Deleted meanwhile by the process that has the store open; the lock will say so.
    if (codeOf(error) === 'ENOENT') return;
    copyFileSync(from, to);
  }
}

/** Drops the kept files of one opening. */
export function dropKept(kept: string | undefined): void {
  if (kept === undefined) return;
  rmSync(kept, { recursive: true, force: true });
}

/** Drops the kept files of every opening: the store is checked. Renamed first, in one step each. */
export function dropAllKept(folder: string): void {
  for (const kept of keptFolders(folder)) {
    renameSync(kept, join(folder, `${DONE}${basename(kept).slice(KEPT.length)}`));
  }
  for (const name of readdirSync(folder)) {
    if (name.startsWith(DONE)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Folders with records of a store set aside: as they were before each try at opening, then as now. */
export function recordsFolders(folder: string): readonly string[] {
  return [...keptFolders(folder), folder];
}

/** A copy of the files that hold records. */
export function copyRecords(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from).filter((entry) => RECORD_FILE.test(entry))) {
    if (statSync(join(from, name)).isFile()) copyFileSync(join(from, name), join(to, name));
  }
}

/** Renames the folder, beside itself, by the time. Returns its new name. */
export function setFolderAside(folder: string, nowMillis: number): string {
  const time = new Date(nowMillis).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const place = resolve(folder);
  const aside = freeName(join(dirname(place), `${basename(place)}.set-aside-${time}`));
  renameSync(place, aside);
  flushFolder(dirname(place));
  return aside;
}

export function freeName(name: string): string {
  if (!existsSync(name)) return name;
  let n = 2;
  while (existsSync(`${name}-${n}`)) n += 1;
  return `${name}-${n}`;
}

export type StoreFault =
  | { readonly kind: 'unreadable'; readonly cause: unknown }
  | { readonly kind: 'error'; readonly error: Error };

/** What an error of LevelDB or of the file system means for the store. */
export function storeFault(folder: string, error: unknown): StoreFault {
  const cause = innermost(error);
  const text = cause instanceof Error ? cause.message : String(cause);
  if (codeOf(cause) === 'LEVEL_LOCKED') {
    return { kind: 'error', error: new StoreLockedError(folder, cause) };
  }
  if (/ENOSPC|EDQUOT|EFBIG|no space left|quota exceeded|file too large/i.test(text)) {
    return { kind: 'error', error: new DiskFullError(folder, cause) };
  }
  if (codeOf(cause) === 'LEVEL_CORRUPTION' || cause instanceof StoreDamage) {
    return { kind: 'unreadable', cause };
  }
  // A file that the store itself names is gone, is a folder, is cut short, or its name is not one.
  const isOfAFile = /no such file|is a directory|not a directory|invalid argument|file name too/i;
  if (text.startsWith('IO error: ') && isOfAFile.test(text)) {
    return { kind: 'unreadable', cause };
  }
  return failed(folder, cause);
}

function failed(folder: string, cause: unknown): StoreFault {
  return { kind: 'error', error: new StoreFailedError(folder, cause) };
}

/** Found by our own check: what the store holds is not what was written. */
export class StoreDamage extends Error {}

function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
