/** Files that hold keys and what belongs to them: for their owner alone, and never half written. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** Makes the folder where there is none; one that exists keeps its mode. */
export function makeKeyFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
}

/** The text of the file; undefined when there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined;
    throw cause;
  }
}

/**
 * The text of a private key's file; undefined when there is none.
 * @throws KeyFileError when others than its owner may read or change it
 */
export function readKeyFile(file: string): string | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const mode = statSync(file).mode & 0o777;
  // Windows has no such modes and shows every file as open.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new KeyFileError(
      `The private key "${file}" has the mode ${mode.toString(8)}, so others on this machine may read it. Close it with: chmod 600 "${file}". If somebody may have read it, use another key.`,
    );
  }
  return text;
}

/**
 * Writes a file that is not there yet, whole or not at all.
 * @throws KeyFileError when it is there: nothing is ever overwritten
 */
export function createFile(file: string, text: string, mode = OWNER_ONLY): void {
  const draft = writeDraft(file, text, mode);
  try {
    // Unlike a rename, a link fails when the name is taken.
    linkSync(draft, file);
  } catch (cause) {
    if (isCode(cause, 'EEXIST')) {
      throw new KeyFileError(`"${file}" exists and is never overwritten; move it away first.`);
    }
    throw cause;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Puts the file's new content in place of the old at once. */
export function replaceFile(file: string, text: string): void {
  const draft = writeDraft(file, text, OWNER_ONLY);
  try {
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw cause;
  }
}

function writeDraft(file: string, text: string, mode: number): string {
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`;
  const handle = openSync(draft, 'wx', mode);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw cause;
  } finally {
    closeSync(handle);
  }
  return draft;
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
