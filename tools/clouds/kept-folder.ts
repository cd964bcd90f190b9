/**
 * What takes seconds to make from the sources and many test files need, kept in `node_modules/.cache`
 * by a hash of all that it is made from.
 */
import { hash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(ROOT, 'node_modules', '.cache', 'tollbridge-assemblies');
/** Where templates come from: `test/tidy.test.ts` says that `lib` and `lambda` import nothing else. */
const SOURCES = ['core', 'lambda', 'lib', 'tools/clouds/synthesize.ts'];
const SETTINGS = ['package-lock.json', 'tsconfig.json'];
const UNUSED_MILLIS_MAX = 86_400_000;
const LOOK_MILLIS = 50;

/**
 * The folder that is kept under the name, made first where there is none. It is everybody's: whoever
 * changes what is in it takes a copy. The hash is of the sources on the disk, so a run that exchanges
 * them in memory cannot use it.
 */
export async function keptFolder(name: string, make: Make): Promise<string> {
  const sources = sourcesFolder();
  const folder = join(sources, shortHash(name));
  if (!existsSync(folder)) await makeOnce(folder, make);
  const now = new Date();
  utimesSync(sources, now, now);
  return folder;
}

/** Fills the folder. */
type Make = (folder: string) => Promise<void>;

/** Holds all that is made from the sources as they are. */
function sourcesFolder(): string {
  return join(CACHE, shortHash([process.version, ...contents()].join('\0')));
}

function contents(): readonly string[] {
  const sources = SOURCES.flatMap((name) => filesIn(join(ROOT, name)));
  const settings = SETTINGS.map((name) => join(ROOT, name)).filter(existsSync);
  return [...sources, ...settings].flatMap((path) => [path, readFileSync(path, 'utf8')]);
}

function filesIn(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function shortHash(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 16);
}

/** Once, however many workers need it; the others wait. */
async function makeOnce(folder: string, make: Make): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const lock = `${folder}.lock`;
  while (!isTaken(lock)) await setTimeout(LOOK_MILLIS);
  try {
    if (existsSync(folder)) return;
    removeUnused();
    const unfinished = mkdtempSync(`${folder}.new-`);
    await make(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Those of sources that have been changed since: a checkout would gather them for ever. */
function removeUnused(): void {
  for (const name of readdirSync(CACHE)) {
    const folder = join(CACHE, name);
    const age = Date.now() - statSync(folder).mtimeMs;
    if (age > UNUSED_MILLIS_MAX) rmSync(folder, { recursive: true, force: true });
  }
}

/** The lock is a link to the number of its process: it is there with that, or not at all. */
function isTaken(lock: string): boolean {
  try {
    symlinkSync(String(process.pid), lock);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if (isOwnerDead(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isOwnerDead(lock: string): boolean {
  try {
    process.kill(Number(readlinkSync(lock)), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
