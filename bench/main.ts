/**
 * `npm run bench`: every table, from runs made side by side, to the terminal and to
 * bench/results.md. `-- --only handler,start --runs 5 --quick --date 2026-11-21 --no-write`.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { endWithReader, print, printError } from '../cli/output/print.ts';
import { wholeNumber } from '../cli/shell/options.ts';
import { EXIT } from '../cli/shell/usage.ts';
import { loadText, machineText } from '../tools/machine.ts';
import { ownTemporaryFolder } from '../tools/own-temporary.ts';
import { OPTION } from './dynamodb-local/index.ts';
import { terminalText } from './harness/print.ts';
import { reportText } from './harness/report.ts';
import type { Bench, BenchOptions, Table } from './harness/table.ts';

const RESULTS = fileURLToPath(new URL('results.md', import.meta.url));

/** Loaded when asked for: a table that cannot be made here does not keep the others away. */
const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  writes: () => import('./units/index.ts'),
  calls: () => import('./calls/index.ts'),
  handler: () => import('./handler/index.ts'),
  start: () => import('./start/index.ts'),
  'end-to-end': () => import('./end-to-end/index.ts'),
  wire: () => import('./harness/wire.ts'),
  truth: () => import('./truth/index.ts'),
  growth: () => import('./growth/index.ts'),
  money: () => import('./money/index.ts'),
};

interface Flags {
  readonly only: readonly string[];
  readonly runs?: number;
  readonly quick?: true;
  readonly date: string;
  readonly withDynamodbLocal?: true;
  readonly write: boolean;
}

endWithReader();
const flags = new Command('bench')
  .description('Measures every table, prints it, and writes bench/results.md.')
  .addOption(
    new Option('--only <tables>', `of ${Object.keys(benches).join(',')}`)
      .default(Object.keys(benches), 'all')
      .argParser(tablesOf),
  )
  .option('--runs <n>', 'of each thing that is timed (default: 5, with --quick 3)', runsOf)
  .option('--quick', 'small amounts of work')
  .option('--date <date>', 'that the document tells', dateOf, today())
  .option(OPTION, 'fetch and use it where the embedded engine will not do; its licence is Amazon’s')
  .option('--no-write', 'leave bench/results.md as it is; without it, --only writes those alone')
  .showHelpAfterError('(add --help for the options)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage))
  .parse()
  .opts<Flags>();
const { only: names } = flags;
const isQuick = flags.quick === true;
const { runs = isQuick ? 3 : 5 } = flags;
ownTemporaryFolder('bench', 'bench/results.md is as it was');
const startedAt = performance.now();
const load = loadText();
const options: BenchOptions = {
  runs,
  isQuick,
  note: (line) => printError(`${elapsed()} ${line}`),
  withDynamoDbLocal: flags.withDynamodbLocal === true,
};
const tables: Table[] = [];
for (const name of names) await runBench(name);
const minutes = (performance.now() - startedAt) / 60_000;
if (flags.write) {
  const { date } = flags;
  const facts = { date, machine: machineText(), load, minutes, runs, isQuick, names };
  writeFileSync(RESULTS, reportText(tables, facts));
  printError(`bench/results.md is written, after ${minutes.toFixed(1)} minutes`);
}
const missed = tables.flatMap(({ goals }) => goals.filter(({ isMet }) => !isMet));
const failed = names.filter((name) => !tables.some((table) => table.name === name));
if (failed.length > 0) printError(`not measured: ${failed.join(', ')}`);
else printError(missed.length === 0 ? 'every goal is met' : `${missed.length} goals are missed`);

async function runBench(name: string): Promise<void> {
  const made = await loadBench(name)
    .then((bench) => bench(options))
    .catch((error: unknown) => {
      printError(`${name} could not be measured: ${error instanceof Error ? error.stack : error}`);
      process.exitCode = 1;
      return [];
    });
  for (const table of made) print(`\n${terminalText(table)}`);
  tables.push(...made);
}

async function loadBench(name: string): Promise<Bench> {
  const found = benches[name];
  if (found === undefined) throw new Error(`there is no table ${name}`);
  return (await found()).bench;
}

function elapsed(): string {
  return `${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s`;
}

function tablesOf(text: string): readonly string[] {
  const wanted = [...new Set(text.split(','))];
  if (wanted.every((name) => Object.hasOwn(benches, name))) return wanted;
  throw new InvalidArgumentError(
    `allowed are ${Object.keys(benches).join(', ')}, joined by commas.`,
  );
}

function runsOf(text: string): number {
  return wholeNumber(1, 1_000)(text);
}

function dateOf(text: string): string {
  const date = new Date(`${text}T00:00:00Z`);
  const isDate = !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text;
  if (isDate) return text;
  throw new InvalidArgumentError('allowed is a day such as 2026-11-21.');
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
