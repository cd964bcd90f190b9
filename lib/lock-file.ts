/**
 * Keeps `tollbridge.lock.json`: reads it, decides what becomes of it, and writes it once the
 * template stands. What it pins and why is in `core/config/lock.ts`.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { assertAccepted, compareLock, hasAdditions, lockOf } from '../core/config/lock.ts';
import { formatLock, LockFileError, parseLock } from '../core/config/lock-text.ts';
import type { Bridge } from '../core/config/route.ts';

export interface LockSetting {
  readonly path: string;
  readonly bridge: Bridge;
  /** Changes that are accepted, by their names. */
  readonly accepted: readonly string[];
  /** In CI the checkout is thrown away, and a lock that is written there pins nothing. */
  readonly isCi: boolean;
}

/** What becomes of the file. */
export type LockPlan =
  | { readonly kind: 'keep' }
  | { readonly kind: 'write'; readonly text: string; readonly says: string };

/**
 * Decides without touching the file.
 * @throws LockError for changes that nobody accepted, and for names that accept nothing
 * @throws LockFileError for a file that is malformed, or would have to be written in CI
 */
export function planLock({ path, bridge, accepted, isCi }: LockSetting): LockPlan {
  const text = readText(path);
  if (text === undefined) {
    assertAccepted([], accepted);
    return write(bridge, isCi, 'is missing', 'is new: commit it beside tollbridge.config.ts');
  }
  const lock = parseLock(text);
  const changes = compareLock(bridge, lock);
  assertAccepted(changes, accepted);
  if (changes.length > 0) {
    const names = changes.map(({ name }) => name).join(', ');
    const says = `now says what was accepted (${names}): commit it`;
    return write(bridge, isCi, 'would have to change', says);
  }
  if (!hasAdditions(bridge, lock)) return { kind: 'keep' };
  return write(bridge, isCi, 'lacks new routes', 'has the new routes: commit it');
}

/** Whole or not at all: half a lock would be refused as malformed. */
export function carryOut(plan: LockPlan, path: string, tell: (text: string) => void): void {
  if (plan.kind === 'keep') return;
  const fresh = `${path}.${process.pid}.new`;
  try {
    writeFileSync(fresh, plan.text);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new LockFileError(`${path} cannot be written: ${messageOf(error)}`);
  }
  tell(plan.says);
}

/** Names from the command line (`-c accept=a,b`) and the environment, wherever they were given. */
export function acceptedNames(...given: readonly unknown[]): readonly string[] {
  const names = given
    .flat()
    .flatMap((each) => (each === undefined || each === null ? [] : String(each).split(',')))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return [...new Set(names)];
}

/** Every CI system sets `CI`; what a person sets to say no is no. */
export function isCi(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

function write(bridge: Bridge, inCi: boolean, fault: string, says: string): LockPlan {
  if (inCi) {
    throw new LockFileError(
      `tollbridge.lock.json ${fault}, and CI is set: what is written here would be lost.\n` +
        'Run npx cdk synth on your own machine and commit tollbridge.lock.json.',
    );
  }
  return { kind: 'write', text: formatLock(lockOf(bridge)), says: `tollbridge.lock.json ${says}` };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new LockFileError(`${path} cannot be read: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
