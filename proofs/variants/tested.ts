/** Tests of the suite on the sources of variants: one run of Vitest for all, a project for each. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, type Variant } from './variant.ts';

/** A JSON array of the variants' names. */
export const NAMES_VARIABLE = 'TOLLBRIDGE_VARIANTS';
/** The file that takes the outcomes. */
export const REPORT_VARIABLE = 'TOLLBRIDGE_VARIANTS_REPORT';

const RUN_MILLIS_MAX = 300_000;

export interface TestOutcome {
  readonly variant: string;
  /** From the project's root. */
  readonly file: string;
  /** With the titles of the suites around it. */
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  /** Of a failure: its first message. */
  readonly said: string;
}

/** The files whose tests have to object to a variant. */
export function testFilesOf({ checks }: Variant): ReadonlySet<string> {
  return new Set(checks.flatMap((check) => (check.by === 'test' ? [check.file] : [])));
}

/** Every outcome of every test in those files. */
export async function runTests(
  variants: readonly Variant[],
  folder: string,
): Promise<readonly TestOutcome[]> {
  const tested = variants.filter((variant) => testFilesOf(variant).size > 0);
  if (tested.length === 0) return [];
  const report = join(folder, 'outcomes.json');
  const { [NAMES_VARIABLE]: _, [REPORT_VARIABLE]: __, ...environment } = process.env;
  await vitest({
    ...environment,
    [NAMES_VARIABLE]: JSON.stringify(tested.map(({ name }) => name)),
    [REPORT_VARIABLE]: report,
  });
  return JSON.parse(readFileSync(report, 'utf8')) as readonly TestOutcome[];
}

/** It ends with a status of its own, for tests are meant to fail in it. */
function vitest(env: NodeJS.ProcessEnv): Promise<void> {
  const program = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(ROOT, 'proofs', 'variants', 'vitest.config.ts');
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [program, 'run', '--config', config],
      { cwd: ROOT, env, timeout: RUN_MILLIS_MAX, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const isEnded = error === null || error.code === 1;
        if (isEnded) resolve();
        else reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
      },
    );
  });
}
