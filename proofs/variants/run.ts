/** Every variant through its checks, and the code itself through the same schedules. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { type Finding, judgeSimulated, judgeTested } from './judge.ts';
import { type SimulatedRun, simulate } from './simulated.ts';
import { runTests } from './tested.ts';
import { sourcesOf, type Variant } from './variant.ts';

export interface Proof {
  /** In the order of the variants. */
  readonly findings: readonly Finding[];
  /** The code as it stands, on as many schedules as the most patient variant has; it has to pass. */
  readonly control: SimulatedRun | undefined;
}

/** One for each of the two cores that CI has. */
const RUNS_CONCURRENT_MAX = 2;

/** @param onProgress called with how many runs are done, and of how many */
export async function proveVariants(
  variants: readonly Variant[],
  onProgress: (done: number, of: number) => void = () => {},
): Promise<Proof> {
  for (const variant of variants) sourcesOf(variant);
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-variants-'));
  try {
    return await prove(variants, folder, onProgress);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prove(
  variants: readonly Variant[],
  folder: string,
  onProgress: (done: number, of: number) => void,
): Promise<Proof> {
  const limit = pLimit(RUNS_CONCURRENT_MAX);
  const bounds = variants.flatMap(({ checks }) =>
    checks.flatMap((check) => (check.by === 'simulation' ? [check.within] : [])),
  );
  const of = bounds.length + (bounds.length > 0 ? 1 : 0) + 1;
  let done = 0;
  const counted = async <T>(run: Promise<T>): Promise<T> => {
    const result = await run;
    onProgress(++done, of);
    return result;
  };
  const simulated = (variant: Pick<Variant, 'name' | 'edits'>, within: number) =>
    counted(limit(simulate, variant, within, folder));
  // The longest first, so that no core waits for it at the end.
  const control =
    bounds.length === 0
      ? undefined
      : simulated({ name: 'control', edits: [] }, Math.max(...bounds));
  const outcomes = counted(limit(runTests, variants, folder));
  const findings = variants.flatMap((variant) =>
    variant.checks.map(async (check) =>
      check.by === 'test'
        ? judgeTested(variant, check, await outcomes)
        : judgeSimulated(variant, check, await simulated(variant, check.within)),
    ),
  );
  const [found, passed] = await Promise.all([Promise.all(findings), control]);
  return { findings: found, control: passed };
}
