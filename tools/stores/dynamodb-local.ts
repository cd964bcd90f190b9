/**
 * Amazon's DynamoDB Local, as the npm package `amplify-dynamodb-simulator` carries it.
 *
 * Its licence allows no passing on, so no byte of it is in the repository: the package is fetched
 * when the suites run, kept in a folder that git ignores, and unpacked anew for each run.
 * Invariant: nothing is unpacked whose SHA-512 is not the one written down here.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** An exact version, and its integrity in the words of package-lock.json. */
export const SIMULATOR = {
  name: 'amplify-dynamodb-simulator',
  version: '2.9.30',
  integrity:
    'sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==',
} as const;

export interface Package {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
}

/** Something outside the project is missing; the message says what, and how to get it. */
export class MissingError extends Error {
  override readonly name = 'MissingError';
}

/** The file is there and is not what was written down: never a reason to go on. */
export class IntegrityError extends Error {
  override readonly name = 'IntegrityError';
}

export async function integrityOf(file: string): Promise<string> {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  return `sha512-${hash.digest('base64')}`;
}

/** @throws IntegrityError when the file's bytes are others than those of the package */
export async function checkPacked(file: string, wanted: Package): Promise<void> {
  const found = await integrityOf(file);
  if (found === wanted.integrity) return;
  throw new IntegrityError(
    `${file} has the integrity ${found}; allowed is ${wanted.integrity} of ${wanted.name}@${wanted.version}. ` +
      'It was not unpacked. Delete it, and look where it came from before you fetch it again.',
  );
}

/** Packs a package into a folder, as `npm pack` does, and gives the file's path. */
export type Pack = (spec: string, folder: string) => Promise<void>;

/**
 * The package's file, checked; fetched where it is not kept yet. A file that fails the check is not
 * kept, so that it cannot be taken for a checked one.
 */
export async function fetchPackage(
  folder: string,
  wanted: Package = SIMULATOR,
  pack: Pack = npmPack,
): Promise<string> {
  const kept = join(folder, `${wanted.name}-${wanted.version}.tgz`);
  if (!(await exists(kept))) {
    await mkdir(folder, { recursive: true });
    // In a folder of its own: a run that is interrupted, or runs beside another, leaves no half.
    const scratch = await mkdtemp(join(folder, 'fetching-'));
    try {
      await pack(`${wanted.name}@${wanted.version}`, scratch);
      const [file, ...others] = await readdir(scratch);
      if (file === undefined || others.length > 0) {
        throw new MissingError(`npm pack left ${1 + others.length} files where one was wanted.`);
      }
      await checkPacked(join(scratch, file), wanted);
      await rename(join(scratch, file), kept);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  await checkPacked(kept, wanted);
  return kept;
}

const npmPack: Pack = async (spec, folder) => {
  const args = ['pack', spec, '--pack-destination', folder, '--loglevel', 'error'];
  const { status, printed } = await ran('npm', args);
  if (status === 0) return;
  throw new MissingError(
    `${spec} could not be fetched from the package registry (npm pack ended with ${status}: ${firstOf(printed)}). Try again when the registry can be reached.`,
  );
};

/** What npm says first; its stack and its advice follow. */
function firstOf(printed: string): string {
  return printed.trim().split('\n').slice(0, 2).join(', ');
}

/** Unpacks the emulator alone; the package's own programs are never run. */
export async function unpackEmulator(packed: string, folder: string): Promise<string> {
  const { status, printed } = await ran('tar', ['-xzf', packed, '-C', folder, 'package/emulator']);
  if (status !== 0) throw new Error(`tar could not unpack ${packed}: ${printed.trim()}`);
  return join(folder, 'package', 'emulator');
}

export interface DynamoDbLocal {
  readonly url: string;
  /** As it says itself, e.g. `1.25.1`. */
  readonly version: string;
  /** Ends Java by its process id and waits for it. */
  end(): Promise<void>;
}

const START_SECONDS_MAX = 60;
/** Small and quick to start; the suites need neither memory nor throughput. */
const JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'] as const;

/**
 * Starts it in memory. It listens on every interface of its network namespace and cannot be told
 * otherwise: call it in one that has loopback alone.
 */
export async function startDynamoDbLocal(emulator: string, port: number): Promise<DynamoDbLocal> {
  const jar = [
    `-Djava.library.path=${join(emulator, 'DynamoDBLocal_lib')}`,
    '-jar',
    join(emulator, 'DynamoDBLocal.jar'),
  ];
  const asked = await ran('java', [...JVM, ...jar, '-version']);
  const version = /^\d+(\.\d+)+$/m.exec(asked.printed)?.[0];
  if (version === undefined) {
    throw new Error(`DynamoDB Local does not say its version: ${asked.printed.trim()}`);
  }
  const args = [...JVM, ...jar, '-inMemory', '-disableTelemetry', '-port', String(port)];
  // Should this process be killed, Java must not outlive it.
  const java = spawn('setpriv', ['--pdeathsig', 'KILL', 'java', ...args], {
    cwd: emulator,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = gather(java);
  try {
    await listening(java, port, printed);
  } catch (error) {
    await ended(java);
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, version, end: () => ended(java) };
}

async function listening(java: ChildProcess, port: number, printed: () => string): Promise<void> {
  const deadline = performance.now() + START_SECONDS_MAX * 1_000;
  while (!(await answers(port))) {
    if (java.exitCode !== null || java.signalCode !== null) {
      throw new Error(`DynamoDB Local ended at once: ${printed().trim()}`);
    }
    if (performance.now() > deadline) {
      throw new Error(
        `DynamoDB Local did not listen within ${START_SECONDS_MAX} s: ${printed().trim()}`,
      );
    }
    await pause(100);
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function gather(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer) => {
    text = `${text}${chunk.toString()}`.slice(0, 16_384);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text;
}

async function ran(
  command: string,
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly printed: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = gather(child);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, printed: printed() };
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
