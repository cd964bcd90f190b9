/**
 * `npm run soak -- --minutes 10`: everything breaks for so long, and in the end the ledger, the other
 * tables and the receiver of forwards are compared with what the devices meant. Exit status 1 for any
 * difference, and from five minutes on for memory that grows. Ctrl-C ends the load and compares.
 */
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../../cli/shell/options.ts';
import { EXIT } from '../../cli/shell/usage.ts';
import { printable } from '../../core/base/printable.ts';
import type { SoakResult } from './result.ts';
import { runSoak } from './run.ts';

/** In a shorter run there is no second half to speak of. */
const MEMORY_MINUTES_MIN = 5;
const SHOWN_MAX = 20;
const ONE_INTERRUPT_MILLIS = 2_000;
const EXIT_INTERRUPTED = 130;

interface Flags {
  readonly minutes: number;
  readonly devices: number;
  readonly perSecond: number;
  readonly seed: number;
  readonly restMinutes: number;
}

const flags = new Command('soak')
  .option('--minutes <n>', 'of load, e.g. 0.5', minutesOf, 10)
  .option('--devices <n>', 'each a process', wholeNumber(1, 200), 20)
  .option('--per-second <n>', 'messages of all devices, at most', wholeNumber(1, 1_000), 200)
  .option('--seed <n>', 'of faults and messages', wholeNumber(0, 1_000_000_000), 1)
  .option('--rest-minutes <n>', 'to drain and compare after the load', wholeNumber(1, 1_000), 20)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.usage))
  .parse()
  .opts<Flags>();
const interrupted = new AbortController();
let interruptedAt = 0;
process.on('SIGINT', () => {
  interruptedAt ||= Date.now();
  interrupted.abort();
  // A terminal and npm both tell of one Ctrl-C. A second one is for good: what the run has started
  // ends with it.
  if (Date.now() - interruptedAt > ONE_INTERRUPT_MILLIS) process.exit(EXIT_INTERRUPTED);
});

const startedAt = Date.now();
const result = await runSoak({
  ...flags,
  tell: (line) => {
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`);
  },
  restMillisMax: flags.restMinutes * 60_000,
  signal: interrupted.signal,
});
report(result);

function report({ figures, differences, unexplainedForwards, failed, meter, isClean }: SoakResult) {
  const style = { head: [], border: [] };
  const table = new Table({ style, colAligns: ['left', 'right'] });
  for (const [name, count] of Object.entries(figures)) table.push([printable(name, 100), count]);
  process.stdout.write(`${table.toString()}\n`);
  const memory = new Table({
    head: ['memory', 'samples', 'mean MB', 'growth, MB a minute', 'allowed'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style,
  });
  memory.push(...meter.rows().map((row) => [...row]));
  process.stdout.write(`${memory.toString()}\n`);
  const found = { ...differences, unexplainedForwards, failed };
  for (const [name, all] of Object.entries(found)) {
    if (all.length === 0) continue;
    process.stdout.write(`${name}: ${all.length}\n`);
    for (const one of all.slice(0, SHOWN_MAX)) process.stdout.write(`  ${printable(one, 1_000)}\n`);
  }
  const growing = (figures.loadSeconds ?? 0) >= MEMORY_MINUTES_MIN * 60 ? meter.growing() : [];
  for (const name of growing) process.stdout.write(`grows: ${name}\n`);
  const isGood = isClean && growing.length === 0;
  process.stdout.write(
    isGood
      ? 'Every message is where it was meant to be, once.\n'
      : 'Something is not as it was meant.\n',
  );
  process.exitCode = isGood ? 0 : 1;
}

function minutesOf(text: string): number {
  const minutes = /^\d{1,5}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (minutes >= 0.25) return minutes;
  throw new InvalidArgumentError('allowed is a number of minutes from 0.25 to 99999.');
}
