/** Goal: `tollbridge copies` counts what devices sent again, and never a retry inside the cloud. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { copiesCommand } from '../../cli/commands/copies.ts';
import { traceCommand } from '../../cli/trace/command.ts';
import { COPY_NOTE, type CopyNote } from '../../core/operations/copy-note.ts';
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
const copies = (...args: readonly string[]) => runHere(copiesCommand(), [...args, ...bench.local]);

const note = (device: string, id: string, deliveryId: string) => {
  const fields: CopyNote = { device, id, deliveryId };
  return { level: 'INFO', message: COPY_NOTE, route: 'charges', ...fields };
};
const NOTES = [
  note('meter-1', 'a', 'd-1'),
  note('meter-2', 'a', 'd-2'),
  note('meter-2', 'a', 'd-3'),
  // The same delivery, tried again by its queue.
  note('meter-2', 'a', 'd-3'),
  note('meter-2', 'b', 'd-4'),
  note('=meter\u001b', 'c', 'd-5'),
  { level: 'INFO', message: 'about a "copy"', device: 'meter-9', deliveryId: 'd-6' },
];

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'notes-'));
  const lines = [...NOTES.map((each) => JSON.stringify(each)), 'no JSON, but "copy"'];
  // A function that does nothing but log, so that what is counted is known to the line.
  writeFileSync(
    join(folder, 'index.mjs'),
    `export const handler = async () => { for (const line of ${JSON.stringify(lines)}) process.stdout.write(line + '\\n'); return { batchItemFailures: [] }; };`,
  );
  bench = await startBench(BENCH_CONFIG, {
    functionOverrides: { RoutesChargesIngestFunction: folder },
  });
  const thing = await connectThing(bench.bridge.port, 'meter-1');
  await thing.publish('billing/meter-1/charges', '{}');
  await bench.bridge.seen((event) => event.kind === 'log' && event.line.includes('no JSON'));
  await thing.end();
  await bench.bridge.cloud.idle();
});

afterAll(() => bench.close());

it('prints devices with the most copies first, each delivery once', async () => {
  const { stdout, status } = await copies('--json');
  expect(linesOf(stdout)).toEqual([
    { route: 'charges', device: 'meter-2', copies: 3, messages: 2 },
    { route: 'charges', device: 'meter-1', copies: 1, messages: 1 },
    { route: 'charges', device: '=meter\u001b', copies: 1, messages: 1 },
  ]);
  expect(status).toBe(0);
});

it('makes the names of devices harmless', async () => {
  expect((await copies()).stdout).toContain('│ =meter\\u{1b} │');
  expect((await copies('--csv')).stdout).toContain("charges,'=meter\\u{1b},1,1\n");
});

it('keeps to a number of devices, and to a route', async () => {
  expect(linesOf((await copies('--limit', '1', '--json')).stdout)).toHaveLength(1);
  const { stdout, status } = await copies('--route', 'parking');
  expect(stdout).toContain('0 devices');
  expect(status).toBe(0);
});

it('gives trace the copies of a message, each with its time', async () => {
  const body = { id: 'a', account: 'acme', amount: '1', at: new Date().toISOString() };
  const bookedAt = new Date().toISOString();
  await bench.seed('charges', { device: 'meter-2', body, bookedAt });
  await bench.seed('charges', { device: 'meter-2', body, bookedAt });
  const { stdout } = await runHere(traceCommand(), ['meter-2', 'a', '--json', ...bench.local]);
  const found = linesOf(stdout).filter(({ what }) => what === 'copy');
  expect(found.map(({ detail }) => /"deliveryId":"(.*)"/.exec(String(detail))?.[1])).toEqual([
    'd-2',
    'd-3',
    'd-3',
  ]);
});

it.each([
  [['--since', '0h'], /90m, 24h, 7d/],
  [['--since', 'yesterday'], /90m, 24h, 7d/],
  [['--route', 'nope'], /it has: charges/],
])('refuses %j with status 2', async (args, text) => {
  const { stderr, status } = await copies(...args);
  expect(stderr).toMatch(text);
  expect(status).toBe(2);
});
