import { readFileSync } from 'node:fs';

/** Whether a process is an execution environment of the local cloud. */
export function isFunctionHost(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('function-host.mjs');
  } catch {
    // It has ended meanwhile.
    return false;
  }
}
