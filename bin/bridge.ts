/** The CDK app: reads the configuration, checks it, builds the stacks. */
import { checkConfig } from '../core/config/check.ts';
import { ConfigError } from '../core/config/problem.ts';
import { buildApp } from '../lib/build-app.ts';
import config from '../tollbridge.config.ts';

try {
  buildApp(checkConfig(config));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  // Whoever edits the configuration needs the list of problems, not a stack of this program.
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
