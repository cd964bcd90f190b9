/** The function over a ledger that grows, the ledger being a map at the port. */
import { join } from 'node:path';
import { FUNCTION_ENVIRONMENT } from '../handler/environment.ts';
import type { HandlerCost, HandlerTask } from '../handler/handler-program.ts';
import { bundleProgram } from '../harness/bundle.ts';
import { interleaved } from '../harness/interleave.ts';
import { runProgram } from '../harness/program.ts';
import type { BenchOptions, Table } from '../harness/table.ts';
import type { Place } from '../harness/workshop.ts';
import { costCells, flatGoal } from './slope.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const BATCH = 100;
const RUNS_MAX = 3;

export async function handlerGrowth(
  { workshop }: Place,
  { runs, isQuick, note }: BenchOptions,
): Promise<Table> {
  const { file } = await bundleProgram(
    'bench/handler/handler-program.ts',
    join(workshop, 'handler.mjs'),
  );
  const sizes = isQuick ? SIZES.slice(0, 3) : SIZES;
  const results = await interleaved(
    sizes.map((rows) => ({
      name: `growth, the function over ${rows} rows`,
      measure: async () => {
        const deliveries = isQuick ? 10_000 : 20_000;
        const task: HandlerTask = { batch: BATCH, copies: 0.2, devices: 10, deliveries, rows };
        const cost = await runProgram<HandlerCost>(file, task, {
          environment: FUNCTION_ENVIRONMENT,
        });
        return cost.cpuMicros;
      },
    })),
    Math.min(runs, RUNS_MAX),
    note,
  );
  const costs = sizes.map((size, index) => ({ size, micros: results[index] ?? [] }));
  return {
    name: 'growth',
    title: `The function over a ledger that grows, batches of ${BATCH}, 20 % copies`,
    columns: ['rows', 'CPU of a delivery, µs'],
    rows: costs.map(costCells),
    notes: [
      'The ledger is a map at the port: what grows is the memory that the garbage collector walks through, which a function on AWS has not.',
    ],
    goals: [flatGoal('CPU of the function for a delivery, by rows', costs)],
  };
}
