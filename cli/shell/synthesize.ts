/** Makes the assembly as `cdk synth` does, by running the same app. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { printError } from '../output/print.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs `bin/bridge.ts` and leaves the assembly in `dir`.
 * @throws Error with what the app printed, e.g. the problems of the configuration
 */
export async function synthesize(dir: string): Promise<void> {
  const app = spawn(process.execPath, ['--import', 'tsx', 'bin/bridge.ts'], {
    cwd: root,
    // Template validation costs seconds and is done by `npx cdk synth` and the tests.
    env: { ...process.env, CDK_OUTDIR: dir, CDK_VALIDATION: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const keep = (chunk: Buffer) => {
    printed += chunk.toString();
  };
  app.stdout.on('data', keep);
  app.stderr.on('data', keep);
  const status = await new Promise<number | null>((resolve, reject) => {
    app.once('error', reject);
    app.once('close', resolve);
  });
  if (status !== 0) throw new Error(`the template could not be made:\n${printed.trim()}`);
  // A lock that is new or has grown is to be committed; the rest is noise of the bundler.
  for (const line of printed.split('\n'))
    if (line.includes('tollbridge.lock.json')) printError(line);
}
