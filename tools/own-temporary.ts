/**
 * A temporary folder of its own for a command that takes long.
 *
 * Owns the folder, and what `TMPDIR` says to this process and to all that it starts. Keeps this
 * invariant: whether the command ends, or is ended by Ctrl-C, the folder and every process that
 * was started go with it. SIGKILL leaves both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printError } from '../cli/output/print.ts';
import { childrenOf } from './machine.ts';

/** 128 and the number of the signal. */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Call once, before anything is made.
 * @param name the middle of the folder's name, e.g. `bench`
 * @param epilogue what is told when it is ended by a signal
 */
export function ownTemporaryFolder(name: string, epilogue: string): void {
  const folder = mkdtempSync(join(tmpdir(), `tollbridge-${name}-`));
  process.env.TMPDIR = folder;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  for (const [signal, status] of Object.entries(STATUS)) {
    process.on(signal, () => {
      for (const pid of descendantsOf(process.pid)) endNow(pid);
      printError(`${signal}: ended; ${epilogue}`);
      process.exit(status);
    });
  }
}

/** What a process has started, and what that has started in its turn; none without /proc. */
function descendantsOf(pid: number): readonly number[] {
  try {
    return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
  } catch {
    return [];
  }
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
