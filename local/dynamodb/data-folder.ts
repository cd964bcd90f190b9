/**
 * A data folder belongs to one process at a time.
 *
 * Owns the folder's lock file, which names the process. The embedded engine cannot say that its
 * store is open elsewhere (its requests never end), so this is found out before it is started. A
 * process that was killed leaves the file behind; a lock of a process that is gone does not count.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

class DataFolderError extends Error {
  override readonly name = 'DataFolderError';
}

/** Takes the folder for this process; the answer gives it back. */
export function lockDataFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'in-use-by');
  const holder = holderOf(file);
  if (holder !== undefined) {
    throw new DataFolderError(
      `The data folder "${folder}" is in use by process ${holder}. End that process, or choose another folder. If it is no local cloud, delete "${file}".`,
    );
  }
  rmSync(file, { force: true });
  // Fails when another process is faster: it then has the folder.
  writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
  return () => rmSync(file, { force: true });
}

/** The living process that the lock file names. */
function holderOf(file: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const pid = Number.parseInt(text, 10);
  return Number.isSafeInteger(pid) && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    // A process of another user may not be signalled, but it is there.
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
}
