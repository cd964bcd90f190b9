/** Goal: `tollbridge gaps` names every number that never came, and none that did. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { gapsCommand } from '../../cli/commands/gaps.ts';
import {
  BENCH_CONFIG,
  type Bench,
  linesOf,
  runHere,
  startBench,
} from '../../tools/clouds/asking-ground.ts';

vi.mock('../../tollbridge.config.ts', () => ({ default: BENCH_CONFIG }));

let bench: Bench;
const gaps = (...args: readonly string[]) => runHere(gapsCommand(), [...args, ...bench.local]);
const stay = (boot: unknown, seq: number | string) => ({
  boot,
  seq,
  account: 'acme',
  amount: '2',
  at: '2026-11-20T08:00:00Z',
});

beforeAll(async () => {
  bench = await startBench();
  for (const seq of [3, 4, 7, 8, 12]) {
    await bench.seed('parking', { device: 'gate-1', body: stay('b\u001b', seq) });
  }
  await bench.conflict('parking', { device: 'gate-1', body: stay('b\u001b', 10) }, '{}');
  await bench.seed('parking', { device: 'gate-1', body: stay(2, '18446744073709551616') });
  await bench.seed('parking', { device: 'gate-1', body: stay(2, '18446744073709551618') });
  for (const seq of [1, 2, 3])
    await bench.seed('parking', { device: 'gate-2', body: stay('b', seq) });
});

afterAll(() => bench.close());

it('prints ranges per epoch with every digit, and ends with status 1', async () => {
  const { stdout, status } = await gaps('gate-1', '--json');
  const common = { route: 'parking', quarantined: 0 };
  expect(linesOf(stdout)).toEqual([
    { ...common, epoch: 'b\u001b', from: '5', to: '6', missing: '2' },
    { ...common, epoch: 'b\u001b', from: '9', to: '11', missing: '3', quarantined: 1 },
    {
      ...common,
      epoch: 'int:2',
      from: '18446744073709551617',
      to: '18446744073709551617',
      missing: '1',
    },
  ]);
  expect(status).toBe(1);
});

it('counts from --starts-at', async () => {
  const { stdout } = await gaps('gate-1', '--starts-at', '1', '--csv');
  expect(stdout).toContain('parking,b\\u{1b},1,2,2,0\n');
});

it('ends with status 0 where nothing is missing, and says how many came', async () => {
  const { stdout, status } = await gaps('gate-2');
  expect(stdout).toContain('0 gaps\n3 numbers came in 1 epoch\n');
  expect(status).toBe(0);
});

it.each([
  [['gate-1', '--route', 'charges'], /routes\.charges takes its id from sequence/],
  [['gate-1', '--route', 'events'], /only exactly-once routes/],
  [['gate-1', '--starts-at', '-1'], /non-negative integer/],
  [[], /missing required argument/],
])('refuses %j with status 2', async (args, text) => {
  const { stderr, status } = await gaps(...args);
  expect(stderr).toMatch(text);
  expect(status).toBe(2);
});
