/** Runs store-child.ts, and reads what a store holds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Store } from '../../../device/store/store.ts';

const CHILD = fileURLToPath(new URL('store-child.ts', import.meta.url));

export interface ChildRun {
  /** Keys acknowledged, in order. */
  readonly acknowledged: readonly string[];
  /** What it said beside: codes of errors, `set-aside`. */
  readonly words: readonly string[];
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly folder: string;
  readonly first?: number;
  readonly valueBytes?: number;
  /** SIGKILL after so many acknowledged writes. */
  readonly killAfter?: number;
  /** The longest file that it may write, in KiB: a full disk for each file. */
  readonly fileKibMax?: number;
  /** As this user, who has no rights here. */
  readonly uid?: number;
}

export async function runStoreChild(options: ChildOptions): Promise<ChildRun> {
  const { folder, first = 0, valueBytes = 40, fileKibMax, uid } = options;
  const limit = fileKibMax === undefined ? '' : `ulimit -f ${fileKibMax}; `;
  const args = ['--import', 'tsx', CHILD, folder, String(first), String(valueBytes)];
  const child = spawn('bash', ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...args], {
    env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const lines = await linesOf(child, options.killAfter);
  const acknowledged = lines.filter((line) => /^\d+$/.test(line));
  const words = lines.filter((line) => !/^\d+$/.test(line));
  return { acknowledged, words, signal: child.signalCode };
}

async function linesOf(child: ChildProcess, killAfter: number | undefined) {
  const lines: string[] = [];
  const closed = once(child, 'close');
  if (child.stdout === null) throw new Error('the child has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === killAfter) child.kill('SIGKILL');
  }
  await closed;
  return lines;
}

/** What an area holds, as text by key. */
export async function recordsIn(store: Store, area: string): Promise<ReadonlyMap<string, string>> {
  const records = new Map<string, string>();
  for await (const { key, value } of store.entries(area)) records.set(key, value.toString());
  return records;
}
