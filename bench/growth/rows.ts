/** End to end over a ledger that grows. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Cloud, startBenchCloud } from '../end-to-end/cloud.ts';
import { type EndToEnd, onCloud } from '../end-to-end/contenders.ts';
import { spreadText } from '../harness/figures.ts';
import { interleaved } from '../harness/interleave.ts';
import { spreadOf } from '../harness/statistics.ts';
import type { BenchOptions, Table } from '../harness/table.ts';
import type { Place } from '../harness/workshop.ts';
import { fillLedger } from './fill.ts';
import { costCells, flatGoal } from './slope.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const RUNS_MAX = 3;

export async function rowsTable(
  { workshop, assembly }: Place,
  { runs, isQuick, note }: BenchOptions,
): Promise<Table> {
  const sizes = isQuick ? SIZES.slice(0, 2) : SIZES;
  const clouds: Cloud[] = [];
  try {
    for (const size of sizes) {
      note(`growth, a ledger of ${size} rows is filled`);
      clouds.push(await filledCloud(assembly, join(workshop, `rows-${size}`), size));
    }
    const messages = isQuick ? 200 : 1_000;
    const shape = { devices: 10, copies: 0, messages, underWay: 200 };
    const contenders = clouds.map((cloud) => onCloud('the bridge', cloud, 'charges'));
    for (const contender of contenders) await contender.run({ ...shape, messages: 200 });
    const results = await interleaved(
      contenders.map((contender, index) => ({
        name: `growth, end to end over ${sizes[index]} rows`,
        measure: () => contender.run(shape),
      })),
      Math.min(Math.max(2, runs), RUNS_MAX),
      note,
    );
    return tableOf(sizes, results);
  } finally {
    for (const cloud of clouds) await cloud.close();
  }
}

/** The cloud makes its tables, ends, is filled, and starts again on what it finds. */
async function filledCloud(assembly: string, dataDir: string, rows: number): Promise<Cloud> {
  mkdirSync(dataDir);
  const task = { assembly, dataDir, speed: 1 };
  const first = await startBenchCloud(task);
  await first.close();
  await fillLedger(dataDir, first.ledger, rows);
  return startBenchCloud(task);
}

function tableOf(sizes: readonly number[], results: readonly (readonly EndToEnd[])[]): Table {
  const costs = sizes.map((size, index) => ({
    size,
    micros: (results[index] ?? []).map(({ cpu }) => cpu.broker + cpu.consumer),
  }));
  return {
    name: 'growth',
    title: 'End to end over a ledger that grows, 10 devices, no copies',
    columns: ['rows', 'CPU of a message, cloud and function, µs', 'messages a second'],
    rows: costs.map((cost, index) => [
      ...costCells(cost),
      spreadText(spreadOf((results[index] ?? []).map(({ perSecond }) => perSecond))),
    ]),
    notes: [
      'The tables are on disk (LevelDB under dynalite) and were filled below the API; a cloud of its own for each size, all running, measured in turn.',
    ],
    goals: [flatGoal('CPU of a message end to end, by rows', costs)],
  };
}
