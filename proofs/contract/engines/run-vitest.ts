/** How the suites of the engines are run by programs. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The command that runs files of the engines' suites. */
export function vitest(...files: readonly string[]): readonly [command: string, ...args: string[]] {
  const config = join(ROOT, 'vitest.engines.config.ts');
  const program = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const paths = files.map((file) => join('proofs', 'contract', 'engines', file));
  return [process.execPath, program, 'run', '--config', config, ...paths];
}

/** The exit status of a process that has closed; 1 for one that a signal has ended. */
export function statusOf([status]: unknown[]): number {
  return typeof status === 'number' ? status : 1;
}
