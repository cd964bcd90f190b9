/** The simulation with the sources of a variant in it, in a process of its own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { Failure } from '../simulation/run.ts';
import { ROOT, sourcesOf, type Variant } from './variant.ts';

/** The first schedule's seed; every variant meets the same schedules as the code itself. */
const SEED = 7;

/** A variant that runs on for ever is ended, and has survived. */
const RUN_MILLIS_MAX = 500_000;

export interface SimulatedRun {
  /** Schedules that were run, the failed one included. */
  readonly schedules: number;
  readonly failure: Pick<Failure, 'seed' | 'invariant' | 'what'> | undefined;
}

/** Runs up to so many schedules on a variant, or on the code itself. */
export async function simulate(
  variant: Pick<Variant, 'name' | 'edits'>,
  schedules: number,
  folder: string,
): Promise<SimulatedRun> {
  const file = join(folder, `${variant.name}.mjs`);
  await bundle(sourcesOf(variant), file);
  const text = await run(file, String(SEED), String(schedules));
  return JSON.parse(text) as SimulatedRun;
}

/** Prints one line of JSON, a `SimulatedRun`. */
const PROGRAM = `
import { runSchedules } from './proofs/simulation/run.ts';
const [seed, schedules] = process.argv.slice(2).map(Number);
const run = await runSchedules({ seed, schedules });
const [first] = run.failures;
const failure = first && { seed: first.seed, invariant: first.invariant, what: first.what };
process.stdout.write(JSON.stringify({ schedules: run.schedules, failure }));
`;

async function bundle(sources: ReadonlyMap<string, string>, outfile: string): Promise<void> {
  const loaded = new Set<string>();
  const exchange: Plugin = {
    name: 'variant',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = sources.get(path);
        if (contents === undefined) return undefined;
        loaded.add(path);
        return { contents, loader: 'ts' };
      });
    },
  };
  await build({
    absWorkingDir: ROOT,
    stdin: { contents: PROGRAM, resolveDir: ROOT, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    plugins: [exchange],
  });
  // A fault in a source that does not run is none.
  const missed = [...sources.keys()].filter((path) => !loaded.has(path));
  if (missed.length > 0) throw new Error(`the simulation holds nothing of ${missed.join(', ')}`);
}

function run(file: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [file, ...args],
      { timeout: RUN_MILLIS_MAX, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${error.message}\n${stderr}`));
      },
    );
  });
}
