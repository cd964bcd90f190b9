/** `npm run simulate -- --schedules 100000 --seed 7`: the simulation, as long as one likes. */
import { availableParallelism } from 'node:os';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { Command } from 'commander';
import { endWithReader, print, printError } from '../../cli/output/print.ts';
import { wholeNumber } from '../../cli/shell/options.ts';
import { EXIT } from '../../cli/shell/usage.ts';
import { runOnWorkers } from './parts.ts';
import { coverageRows, type Failure, type RunResult, replay, runSchedules } from './run.ts';

interface Options {
  readonly schedules: number;
  readonly seed: number;
  readonly workers: number;
  readonly replay?: number;
}

const SEED_MAX = 2 ** 32 - 1;

endWithReader();
await new Command('simulate')
  .description('Runs seeded schedules of faults around the real code, and checks every history.')
  .option('--schedules <n>', 'how many', wholeNumber(1, 1e9), 10_000)
  .option('--seed <n>', 'of the run', wholeNumber(0, SEED_MAX), 7)
  .option('--workers <n>', 'processes', wholeNumber(1, 64), availableParallelism())
  .option(
    '--replay <seed>',
    'run the one schedule of this seed again, and shorten it',
    wholeNumber(0, SEED_MAX),
  )
  .action((options: Options) => {
    return options.replay === undefined ? simulate(options) : again(options.replay);
  })
  .showHelpAfterError('(add --help for the options)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage))
  .parseAsync();

async function simulate({ schedules, seed, workers }: Options): Promise<void> {
  const bar = new SingleBar({
    format: 'schedules [{bar}] {value}/{total} | {rate}/s | {eta_formatted} left',
    etaBuffer: 100,
    linewrap: true,
  });
  const isShown = process.stderr.isTTY === true;
  const began = performance.now();
  const rateOf = (done: number) => Math.round((done * 1_000) / (performance.now() - began));
  if (isShown) bar.start(schedules, 0, { rate: 0 });
  const onProgress = (done: number) => {
    if (isShown) bar.update(done, { rate: rateOf(done) });
  };
  const run = { seed, schedules, onProgress };
  const result = await (workers === 1 ? runSchedules(run) : runOnWorkers(run, workers));
  const rate = rateOf(result.schedules);
  if (isShown) bar.stop();
  print(coverageTable(result));
  print(`${result.schedules} schedules from seed ${seed}, ${rate} a second, ${workers} processes`);
  const [failure] = result.failures;
  if (failure === undefined) {
    print('Every history keeps I1 to I7.');
    return;
  }
  printError('A schedule fails. It is made as short as it can be:');
  show((await replay(failure.seed)) ?? failure);
}

async function again(seed: number): Promise<void> {
  const failure = await replay(seed);
  if (failure === undefined) print(`The schedule of seed ${seed} keeps I1 to I7.`);
  else show(failure);
}

function show({ seed, invariant, what, schedule }: Failure): void {
  print(`${invariant} is broken: ${what}\n`);
  print(`${schedule}\n`);
  print(`To see it again: npm run simulate -- --replay ${seed}`);
  process.exitCode = 1;
}

function coverageTable({ coverage }: RunResult): string {
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head: ['fault', 'what it is', 'struck'], style });
  for (const [fault, meaning, times] of coverageRows(coverage)) {
    table.push([fault, meaning, { content: String(times), hAlign: 'right' }]);
  }
  return table.toString();
}
