/** End to end with a fleet that grows. */
import { startBenchCloud } from '../end-to-end/cloud.ts';
import { onCloud } from '../end-to-end/contenders.ts';
import { spreadText } from '../harness/figures.ts';
import { interleaved } from '../harness/interleave.ts';
import { spreadOf } from '../harness/statistics.ts';
import type { BenchOptions, Table } from '../harness/table.ts';
import type { Place } from '../harness/workshop.ts';
import { costCells, flatGoal } from './slope.ts';

const SIZES = [10, 100, 1_000, 10_000];
const RUNS_MAX = 3;

export async function devicesTable(
  { assembly }: Place,
  { runs, isQuick, note }: BenchOptions,
): Promise<Table> {
  const sizes = isQuick ? SIZES.slice(0, 2) : SIZES;
  const messages = isQuick ? 200 : 2_000;
  const cloud = await startBenchCloud({ assembly, speed: 1 });
  try {
    const bridge = onCloud('the bridge', cloud, 'charges');
    const shape = { copies: 0, messages, underWay: 200 };
    await bridge.run({ ...shape, devices: 10, messages: 200 });
    const results = await interleaved(
      sizes.map((devices) => ({
        name: `growth, end to end with ${devices} devices`,
        measure: () => bridge.run({ ...shape, devices }),
      })),
      Math.min(Math.max(2, runs), RUNS_MAX),
      note,
    );
    const costs = sizes.map((size, index) => ({
      size,
      micros: (results[index] ?? []).map(({ cpu }) => cpu.broker + cpu.consumer),
    }));
    return {
      name: 'growth',
      title: 'End to end with a fleet that grows',
      columns: ['devices', 'CPU of a message, cloud and function, µs', 'messages a second'],
      rows: costs.map((cost, index) => [
        ...costCells(cost),
        spreadText(spreadOf((results[index] ?? []).map(({ perSecond }) => perSecond))),
      ]),
      notes: [
        'All devices are connected and subscribed before the clock starts; so many messages are spread over them that a large fleet sends one each, or none. With one device to a message, receipts can no longer be gathered: a batch of ten has ten publications in place of a few, and that is what grows first.',
      ],
      goals: [flatGoal('CPU of a message end to end, by devices', costs)],
    };
  } finally {
    await cloud.close();
  }
}
