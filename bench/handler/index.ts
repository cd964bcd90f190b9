/** The table `handler`: what a delivery costs in the function, and what a call of the SDK costs. */
import { join } from 'node:path';
import { bundleProgram } from '../harness/bundle.ts';
import { figure, percentText, spreadText } from '../harness/figures.ts';
import { interleaved } from '../harness/interleave.ts';
import { runProgram } from '../harness/program.ts';
import { percentileOf, spreadOf } from '../harness/statistics.ts';
import type { Bench, BenchOptions, Goal, Table } from '../harness/table.ts';
import { inWorkshop } from '../harness/workshop.ts';
import { FUNCTION_ENVIRONMENT } from './environment.ts';
import type { HandlerCost, HandlerTask } from './handler-program.ts';
import type { SdkCost, SdkTask } from './sdk-program.ts';
import { startStubServer } from './stub-server.ts';

const CPU_MICROS_MAX = 40;
const DEVICES = 10;
/** What makes a young generation so large that the garbage collector does not run meanwhile. */
const NO_COLLECTION = ['--min-semi-space-size=64', '--max-semi-space-size=64'];

interface Case {
  readonly batch: number;
  readonly copies: number;
}
const cases: readonly Case[] = [10, 100, 1_000].flatMap((batch) =>
  [0, 0.2].map((copies) => ({ batch, copies })),
);

export const bench: Bench = (options) =>
  inWorkshop(async (folder) => {
    const program = await bundleProgram(
      'bench/handler/handler-program.ts',
      join(folder, 'handler.mjs'),
    );
    const costs = await interleaved(
      cases.map((each) => ({
        name: `handler, batches of ${each.batch}, ${percentText(each.copies)} copies`,
        measure: () => measureHandler(program.file, each, options),
      })),
      options.runs,
      options.note,
    );
    return [handlerTable(costs), await sdkTable(folder, costs, options)];
  });

interface Cost {
  readonly cpuMicros: number;
  readonly allocatedBytes: number;
}

async function measureHandler(file: string, each: Case, { isQuick }: BenchOptions): Promise<Cost> {
  const task: HandlerTask = {
    ...each,
    devices: DEVICES,
    deliveries: isQuick ? 10_000 : 40_000,
    rows: 0,
  };
  const { cpuMicros } = await runProgram<HandlerCost>(file, task, {
    environment: FUNCTION_ENVIRONMENT,
  });
  const { allocatedBytes } = await runProgram<HandlerCost>(
    file,
    { ...task, deliveries: 4_000 },
    { environment: FUNCTION_ENVIRONMENT, flags: NO_COLLECTION },
  );
  return { cpuMicros, allocatedBytes: allocatedBytes ?? Number.NaN };
}

function handlerTable(costs: readonly (readonly Cost[])[]): Table {
  const cpuOf = (index: number) => spreadOf((costs[index] ?? []).map(({ cpuMicros }) => cpuMicros));
  const rows = cases.map(({ batch, copies }, index) => {
    const allocated = (costs[index] ?? []).map(({ allocatedBytes }) => allocatedBytes);
    const known = allocated.filter((bytes) => !Number.isNaN(bytes));
    return [
      String(batch),
      percentText(copies),
      spreadText(cpuOf(index)),
      known.length === 0 ? 'not known' : spreadText(spreadOf(known)),
    ];
  });
  return {
    name: 'handler',
    title: 'The function without its clients: CPU and allocation of a delivery',
    columns: ['batch', 'copies', 'CPU, µs', 'allocated, bytes'],
    rows,
    notes: [
      'The real handler, register, receipts, forward and telemetry; ledger and publisher are maps and counters at the port. CPU is user and system time of the process, garbage collection included, in a process of its own for each run.',
      'Allocated is what the heap grows by for a delivery while nothing is collected.',
    ],
    goals: cases.flatMap(({ batch, copies }, index) =>
      batch === 100 ? [cpuGoal(copies, cpuOf(index).median)] : [],
    ),
  };
}

function cpuGoal(copies: number, got: number): Goal {
  return {
    goal: `at most ${CPU_MICROS_MAX} µs of CPU for a delivery at batch 100, ${percentText(copies)} copies`,
    got: `${figure(got)} µs`,
    isMet: got <= CPU_MICROS_MAX,
  };
}

const calls: readonly SdkTask['call'][] = ['UpdateItem', 'Publish', 'bare'];

async function sdkTable(
  folder: string,
  handler: readonly (readonly Cost[])[],
  { isQuick, note, runs }: BenchOptions,
): Promise<Table> {
  const program = await bundleProgram('bench/handler/sdk-program.ts', join(folder, 'sdk.mjs'));
  const server = await startStubServer();
  try {
    const costs = await interleaved(
      calls.map((call) => ({
        name: `a call of the SDK, ${call}`,
        measure: async () => {
          const task: SdkTask = { call, url: server.url, calls: isQuick ? 1_000 : 4_000 };
          return (await runProgram<SdkCost>(program.file, task)).cpuMicros;
        },
      })),
      runs,
      note,
    );
    return callsTable(costs, medianCpu(handler[2] ?? []));
  } finally {
    await server.close();
  }
}

function medianCpu(costs: readonly Cost[]): number {
  return percentileOf(
    costs.map(({ cpuMicros }) => cpuMicros),
    0.5,
  );
}

function callsTable(costs: readonly (readonly number[])[], handlerMicros: number): Table {
  const medians = costs.map((one) => spreadOf(one).median);
  const [update = 0, publish = 0, bare = 0] = medians;
  const whole = update + publish * 1.1;
  return {
    name: 'handler',
    title: 'The AWS SDK: CPU of a call against a server that does nothing',
    columns: ['call', 'CPU, µs', 'beside bare HTTP'],
    rows: [
      ['UpdateItem, the one write', spreadText(spreadOf(costs[0] ?? [])), ratioOf(update, bare)],
      ['Publish, a forward', spreadText(spreadOf(costs[1] ?? [])), ratioOf(publish, bare)],
      ['the same bytes by node:http', spreadText(spreadOf(costs[2] ?? [])), '1 ×'],
    ],
    notes: [
      `A first delivery with its forward and a tenth of a publication of receipts makes 2.1 calls, about ${figure(whole)} µs of CPU beside the ${figure(handlerMicros)} µs of the function itself: the SDK and HTTP are ${percentText(whole / (whole + handlerMicros))} of the whole, the SDK alone without HTTP ${percentText((whole - 2.1 * bare) / (whole + handlerMicros))}.`,
      'Twenty calls at a time, keep-alive, as in the function.',
    ],
    goals: [],
  };
}

function ratioOf(value: number, base: number): string {
  return `${figure(value / base)} ×`;
}
