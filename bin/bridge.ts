/** The CDK app: reads the configuration, checks it against the lock, builds the stacks. */
import { fileURLToPath } from 'node:url';
import { App } from 'aws-cdk-lib';
import { checkConfig } from '../core/config/check.ts';
import { LockError } from '../core/config/lock.ts';
import { LockFileError } from '../core/config/lock-text.ts';
import { ConfigError } from '../core/config/problem.ts';
import { buildApp } from '../lib/build-app.ts';
import { acceptedNames, carryOut, isCi, planLock } from '../lib/lock-file.ts';
import * as file from '../tollbridge.config.ts';

const { CI, TOLLBRIDGE_ACCEPT, TOLLBRIDGE_LOCK } = process.env;
const path = TOLLBRIDGE_LOCK ?? fileURLToPath(new URL('../tollbridge.lock.json', import.meta.url));

try {
  // No template is made at the end of a run that refused: the last good one stays.
  const app = new App({ autoSynth: false });
  // Not a default import: a file without one is a problem to report, not a fault of the module.
  const bridge = checkConfig((file as { readonly default?: unknown }).default);
  const accepted = acceptedNames(app.node.tryGetContext('accept'), TOLLBRIDGE_ACCEPT);
  const plan = planLock({ path, bridge, accepted, isCi: isCi(CI) });
  buildApp(bridge, app).app.synth();
  // Only now: a change is accepted when there is a template that has it.
  carryOut(plan, path, printError);
} catch (error) {
  if (!isForPerson(error)) throw error;
  // Whoever edits the configuration needs the list of problems, not a stack of this program.
  printError(error.message);
  process.exitCode = 1;
}

function isForPerson(error: unknown): error is Error {
  return (
    error instanceof ConfigError || error instanceof LockError || error instanceof LockFileError
  );
}

function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}
