/** Goal: what `tollbridge copies` counts is what devices sent again, the whole way. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { copiesCommand } from '../../cli/commands/copies.ts';
import {
  BENCH_CONFIG,
  type Bench,
  linesOf,
  runHere,
  startBench,
} from '../../tools/clouds/asking-ground.ts';
import { connectThing } from '../../tools/mqtt/thing.ts';

vi.mock('../../tollbridge.config.ts', () => ({ default: BENCH_CONFIG }));

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

it('counts each delivery of a device that was not its first, with a line of its own', async () => {
  const at = new Date().toISOString();
  const body = JSON.stringify({ id: 'a', account: 'acme', amount: '1', at });
  for (const [name, times] of [
    ['meter-1', 1],
    ['meter-2', 4],
  ] as const) {
    const thing = await connectThing(bench.bridge.port, name);
    for (let n = 0; n < times; n++) await thing.publish(`billing/${name}/charges`, body);
    await thing.nextReceipts();
    await bench.bridge.cloud.idle();
    await thing.end();
  }
  const { stdout } = await runHere(copiesCommand(), ['--json', ...bench.local]);
  expect(linesOf(stdout)).toEqual([
    { route: 'charges', device: 'meter-2', copies: 3, messages: 1 },
  ]);
});
