/**
 * `npm run test:engines`: the contract suites on Amazon's DynamoDB Local, in a network namespace
 * that has loopback alone, and on AWS where TOLLBRIDGE_AWS_TEST_TABLE_PREFIX names tables.
 *
 * `-- --write` writes docs/engines.md from what the run saw, instead of holding it to that.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IntegrityError, MissingError } from '../../../tools/stores/dynamodb-local.ts';
import { prepareEmulator } from '../../../tools/stores/loopback-namespace.ts';
import { PREFIX_VARIABLE } from './aws-store.ts';
import { statusOf, vitest } from './run-vitest.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const INSIDE = join(ROOT, 'proofs', 'contract', 'engines', 'inside.ts');

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
    const { emulator, inNamespace } = await prepareEmulator(scratch, say);
    const [command, ...args] = inNamespace;
    const inside = [process.execPath, '--import', 'tsx', INSIDE, emulator];
    return await ran(command, [...args, ...inside], {
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
