/**
 * `npm run bench`: every table, from runs made side by side, to the terminal and to
 * bench/results.md. `-- --only handler,start --runs 5 --quick --date 2026-11-21 --no-write`.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endWithReader, print, tell } from '../cli/print.ts';
import { loadText, machineText } from './harness/machine.ts';
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

endWithReader();
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(benches).join(',') },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    date: { type: 'string', default: new Date().toISOString().slice(0, 10) },
    dynamodb: { type: 'string' },
    'no-write': { type: 'boolean', default: false },
  },
});
const names = values.only.split(',');
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  refuse(`--only names ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
}
const runs = Number(values.runs ?? (values.quick ? 3 : 5));
if (!Number.isSafeInteger(runs) || runs < 1) {
  refuse(`--runs is ${values.runs}; a whole number from 1 on is allowed, e.g. 5`);
}
const startedAt = performance.now();
const load = loadText();
const options: BenchOptions = {
  runs,
  isQuick: values.quick,
  note: (line) => tell(`${elapsed()} ${line}`),
  ...(values.dynamodb === undefined ? {} : { dynamodbUrl: values.dynamodb }),
};
const tables: Table[] = [];
for (const name of names) await runBench(name);
const minutes = (performance.now() - startedAt) / 60_000;
if (!values['no-write']) {
  const { date, quick } = values;
  const facts = { date, machine: machineText(), load, minutes, runs, isQuick: quick, names };
  writeFileSync(RESULTS, reportText(tables, facts));
  tell(`bench/results.md is written, after ${minutes.toFixed(1)} minutes`);
}
const missed = tables.flatMap(({ goals }) => goals.filter(({ isMet }) => !isMet));
const failed = names.filter((name) => !tables.some((table) => table.name === name));
if (failed.length > 0) tell(`not measured: ${failed.join(', ')}`);
else tell(missed.length === 0 ? 'every goal is met' : `${missed.length} goals are missed`);

async function runBench(name: string): Promise<void> {
  const made = await loadBench(name)
    .then((bench) => bench(options))
    .catch((error: unknown) => {
      tell(`${name} could not be measured: ${error instanceof Error ? error.stack : error}`);
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

function refuse(text: string): never {
  tell(text);
  process.exit(2);
}
