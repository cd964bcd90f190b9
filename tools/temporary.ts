/**
 * One folder for everything temporary of a run, removed at its end: the CDK, the local cloud and
 * the tests themselves all make theirs in it.
 */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The memory of Linux as a file system. */
const MEMORY = '/dev/shm';
const ROOM_BYTES_MIN = 2 ** 30;

export default function setup(): () => void {
  const folder = mkdtempSync(join(hasRoom(MEMORY) ? MEMORY : tmpdir(), 'tollbridge-tests-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** In memory nobody waits for a disk: each write of an outbox is flushed to it. */
function hasRoom(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= ROOM_BYTES_MIN;
  } catch {
    return false;
  }
}
