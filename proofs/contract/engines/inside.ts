/**
 * Inside the network namespace: starts DynamoDB Local, runs the suites on it, and ends it whatever
 * happens. Then the suites for AWS, with DynamoDB Local in its place, so that what cannot be run
 * without an account is at least run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { startDynamoDbLocal } from '../../../tools/stores/dynamodb-local.ts';
import { assertLoopbackAlone } from '../../../tools/stores/loopback-namespace.ts';
import { PREFIX_VARIABLE } from './aws-store.ts';
import { statusOf, vitest } from './run-vitest.ts';

/** Nobody else is in this namespace. */
const PORT = 8000;

let child: ChildProcess | undefined;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    child?.kill('SIGTERM');
  });
}

const [emulator] = process.argv.slice(2);
if (emulator === undefined) throw new Error('say where the emulator is unpacked');
// DynamoDB Local listens on every interface, so there must be no other.
assertLoopbackAlone('npm run test:engines');
const engine = await startDynamoDbLocal(emulator, PORT);
try {
  process.exitCode = await suites();
} finally {
  await engine.end();
}

async function suites(): Promise<number> {
  const local = await ran(['dynamodb-local.engines.ts', 'commands.engines.ts'], {
    TOLLBRIDGE_DYNAMODB_LOCAL: engine.url,
    TOLLBRIDGE_DYNAMODB_LOCAL_VERSION: engine.version,
  });
  if (interrupted) return 1;
  const rehearsal = await ran(['aws.engines.ts'], {
    [PREFIX_VARIABLE]: 'Rehearsal-',
    AWS_ENDPOINT_URL_DYNAMODB: engine.url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'rehearsal',
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    AWS_PROFILE: undefined,
    AWS_SESSION_TOKEN: undefined,
  });
  return Math.max(local, rehearsal);
}

async function ran(files: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command, ...args] = vitest(...files);
  child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return statusOf(await once(child, 'close'));
}
