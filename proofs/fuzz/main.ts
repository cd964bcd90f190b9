/**
 * `npm run fuzz -- --inputs 1000000 --seed 7 --target bodies`: inputs by the million. Exit status 1
 * where one of them has no clean end, or an end was never reached.
 */
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../../cli/shell/options.ts';
import { EXIT } from '../../cli/shell/usage.ts';
import { faultsOf, tableOf } from './report.ts';
import type { Report } from './target.ts';
import { inputsOf, TARGETS } from './targets.ts';

interface Flags {
  readonly inputs: number;
  readonly seed: number;
  readonly target?: readonly string[];
  readonly path?: string;
}

const known = TARGETS.map(({ name }) => name);
const values = new Command('fuzz')
  .description('Draws inputs by a seed, and demands a clean end of each.')
  .option(
    '--inputs <n>',
    'in all, about: each target has its share',
    wholeNumber(1, 1_000_000_000),
    100_000,
  )
  .option('--seed <n>', 'the same seed draws the same inputs', wholeSeed, 7)
  .addOption(new Option('--target <name...>', 'these alone').choices(known))
  .option('--path <path>', 'where in the seed to begin, as a failure has printed it')
  .showHelpAfterError('(add --help for the options)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage))
  .parse()
  .opts<Flags>();
const { inputs: all, seed } = values;
const names = values.target ?? known;

/** Below this, an end that is rare may not come up. */
const REACHING_INPUTS = 100_000;
const chosen = TARGETS.filter(({ name }) => names.includes(name));
const inputsFor = (target: (typeof TARGETS)[number]) =>
  values.target === undefined ? inputsOf(target, all) : Math.ceil(all / chosen.length);
const reports: Report[] = [];
for (const target of chosen) {
  const inputs = inputsFor(target);
  const bar = barOf(target.name, inputs);
  const { path } = values;
  const place = path === undefined ? {} : { path };
  reports.push(await target.run({ seed, inputs, ...place, onInput: () => bar?.increment() }));
  bar?.stop();
}
process.stdout.write(`${tableOf(reports)}\n`);
const inputs = reports.reduce((sum, report) => sum + report.inputs, 0);
const seconds = reports.reduce((sum, report) => sum + report.seconds, 0);
const mustReach = values.path === undefined && all >= REACHING_INPUTS;
const faults = reports.flatMap((report) => faultsOf(report, mustReach));
process.stdout.write(
  `${inputs} inputs in ${seconds.toFixed(1)} s, seed ${seed}, ${faults.length === 0 ? 'each with a clean end' : 'with faults'}\n`,
);
for (const line of faults) process.stdout.write(`${line}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

/** Shown on standard error, and only where a person watches. */
function barOf(name: string, total: number): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    format: `${name} [{bar}] {value}/{total} · {duration_formatted}`,
    stream: process.stderr,
    clearOnComplete: true,
    // Inputs leave no moment for a signal to be heard: at Ctrl-C the terminal has to be in order.
    linewrap: true,
  });
  bar.start(total, 0);
  return bar;
}

/** What a failure prints may be negative. */
function wholeSeed(text: string): number {
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('allowed is a whole number of up to ten digits.');
}
