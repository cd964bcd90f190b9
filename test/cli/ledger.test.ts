/** Goal: `tollbridge ledger` prints the rows that are there, and each once, whatever is in them. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ledgerCommand } from '../../cli/commands/ledger.ts';
import {
  BENCH_CONFIG,
  type Bench,
  linesOf,
  runHere,
  startBench,
} from '../../tools/clouds/asking-ground.ts';

vi.mock('../../tollbridge.config.ts', () => ({ default: BENCH_CONFIG }));

let bench: Bench;
const HOSTILE = '=cmd|\u001b[31m\u009b\u202e"\n,';
const DIGITS = '12345678901234567890.123456789012345678';

const charge = (id: string, changes: Readonly<Record<string, unknown>> = {}) => ({
  id,
  account: 'acme',
  amount: '1.25',
  at: '2026-11-20T08:59:00Z',
  ...changes,
});
const ledger = (...args: readonly string[]) => runHere(ledgerCommand(), [...args, ...bench.local]);

beforeAll(async () => {
  bench = await startBench();
  await bench.seed('charges', { device: 'meter-17', body: charge('a-1') });
  await bench.seed('charges', { device: 'meter-17', body: charge('a-1') });
  await bench.seed('charges', {
    device: 'meter-17',
    body: charge('a-2', { amount: DIGITS, at: '2026-10-31T23:59:59.999Z' }),
  });
  await bench.seed('charges', { device: 'hostile', body: charge(HOSTILE, { account: HOSTILE }) });
  const stays = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const seq of stays) {
    await bench.seed('parking', {
      device: 'gate-1',
      body: { boot: 'b', seq, account: 'acme', amount: `-${seq}`, at: '2026-11-20T10:00:00Z' },
      bookedAt: '2026-11-21T00:00:00.000Z',
    });
  }
  // 300 rows of 8 KB are two pages and a half.
  const padding = 'x'.repeat(8_000);
  for (let n = 0; n < 300; n += 50) {
    const some = Array.from({ length: 50 }, (_, at) =>
      charge(`p-${n + at}`, { account: 'big', padding }),
    );
    await Promise.all(some.map((body) => bench.seed('charges', { device: 'paged', body })));
  }
});

afterAll(() => bench.close());

describe('by device', () => {
  it('prints a table with the tries, and the number of rows', async () => {
    const { stdout, status } = await ledger('meter-17', '--route', 'charges');
    expect(stdout).toMatch(/│ a-1 +│ acme +│ 1\.25 +│ kWh .*│ 2 +│/);
    expect(stdout.endsWith('\n2 rows\n')).toBe(true);
    expect(status).toBe(0);
  });

  it('prints every digit of an amount, and counts as numbers, in JSON', async () => {
    const { stdout } = await ledger('meter-17', '--json');
    expect(linesOf(stdout)).toEqual([
      expect.objectContaining({ id: 'a-1', amount: '1.25', tries: 2, epoch: null }),
      expect.objectContaining({ id: 'a-2', amount: DIGITS, tries: 1 }),
    ]);
  });

  it('reads on after the first page, and prints each row once', async () => {
    const send = vi.spyOn(Object.getPrototypeOf(bench.client), 'send');
    const { stdout } = await ledger('paged', '--json');
    const queries = send.mock.calls.filter(([call]) => call?.constructor.name === 'QueryCommand');
    send.mockRestore();
    const ids = linesOf(stdout).map(({ id }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([300, 300]);
    // One of them is of the route that has none of its rows.
    expect(queries.length).toBeGreaterThanOrEqual(4);
  });

  it('reads no more than --limit asks for', async () => {
    const send = vi.spyOn(Object.getPrototypeOf(bench.client), 'send');
    const { stdout } = await ledger('paged', '--limit', '3', '--csv');
    const [call] = send.mock.calls
      .map(([command]) => command as { constructor: { name: string }; input: { Limit?: number } })
      .filter((command) => command.constructor.name === 'QueryCommand');
    send.mockRestore();
    expect(stdout.trim().split('\n')).toHaveLength(4);
    expect(call?.input.Limit).toBe(3);
  });

  it('keeps to a period, whose last moment belongs to it', async () => {
    const { stdout } = await ledger('meter-17', '--period', '2026-10', '--json');
    expect(linesOf(stdout).map(({ id }) => id)).toEqual(['a-2']);
  });

  it('says 0 rows, with status 0, where nothing was booked', async () => {
    const { stdout, status } = await ledger('meter-99');
    expect(stdout).toContain('0 rows');
    expect(status).toBe(0);
    expect((await ledger('meter-99', '--json')).stdout).toBe('');
    expect((await ledger('meter-99', '--csv')).stdout).toMatch(/^route,id,account/);
  });

  it('hands no control character of a device on, in any format', async () => {
    for (const format of [[], ['--json'], ['--csv']]) {
      const { stdout } = await ledger('hostile', ...format);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
    const { stdout } = await ledger('hostile', '--json');
    expect(linesOf(stdout)).toMatchObject([{ id: HOSTILE, account: HOSTILE }]);
  });

  it('writes no cell that a spreadsheet would compute, and leaves numbers alone', async () => {
    const hostile = (await ledger('hostile', '--csv')).stdout.split('\n')[1] ?? '';
    expect(hostile).toMatch(/^charges,"'=cmd\|/);
    const stays = (await ledger('gate-1', '--csv', '--route', 'parking')).stdout;
    expect(stays).toContain(',-8,EUR,');
  });
});

describe('by account', () => {
  it('reads every month and every shard of a period, over all routes', async () => {
    const { stdout } = await ledger('--account', 'acme', '--period', '2026-Q4', '--json');
    const rows = linesOf(stdout);
    expect(rows).toHaveLength(10);
    expect(new Set(rows.map(({ accountPeriod }) => accountPeriod)).size).toBeGreaterThan(3);
    expect(rows[0]).not.toHaveProperty('body');
  });

  it.each([
    ['2026-11', 9],
    ['2026-11-20', 9],
    ['2026-11-19', 0],
    ['2026-10-31..2026-11-19', 1],
    ['2026', 10],
    ['2025', 0],
  ])('gives of %s %i rows', async (period, count) => {
    const { stdout } = await ledger('--account', 'acme', '--period', period, '--json');
    expect(linesOf(stdout)).toHaveLength(count);
  });

  it('keeps to a route, and to when a row was booked', async () => {
    const period = ['--account', 'acme', '--period', '2026-11', '--json'];
    expect(linesOf((await ledger(...period, '--route', 'charges')).stdout)).toHaveLength(1);
    const from = await ledger(...period, '--booked-from', '2026-11-21');
    expect(linesOf(from.stdout)).toHaveLength(8);
    const before = await ledger(...period, '--booked-before', '2026-11-21T00:00:00Z');
    expect(linesOf(before.stdout)).toHaveLength(1);
  });
});

describe('without a key', () => {
  it('says that it is a scan and what it costs, and reads nothing unless that is agreed to', async () => {
    const send = vi.spyOn(Object.getPrototypeOf(bench.client), 'send');
    const { stdout, stderr, status } = await ledger();
    const names = send.mock.calls.map(([command]) => command?.constructor.name);
    send.mockRestore();
    expect(stderr).toMatch(/This is a scan: .*the local cloud counts no rows/);
    expect(stderr).toContain('--yes');
    expect([stdout, status]).toEqual(['', 2]);
    expect(names).not.toContain('ScanCommand');
  });

  it('reads all of it with --yes, page after page', async () => {
    const { stdout } = await ledger('--yes', '--json');
    expect(linesOf(stdout)).toHaveLength(311);
  });

  it('reads the smaller index where a period is given', async () => {
    const { stdout, stderr } = await ledger('--yes', '--json', '--period', '2026-10');
    expect(stderr).toContain('the index by-account of');
    expect(linesOf(stdout).map(({ id }) => id)).toEqual(['a-2']);
  });
});

it.each([
  [['meter-17', '--account', 'acme', '--period', '2026-11'], /two questions/],
  [['--account', 'acme'], /--account needs --period/],
  [['--account', 'acme', '--period', '2026-13'], /allowed is a year/],
  [['--account', 'acme', '--period', '2026-02-30'], /allowed is a year/],
  [['meter/17'], /a level of a topic/],
  [['meter-17', '--json', '--csv'], /cannot be used with/],
  [['meter-17', '--route', 'nope'], /it has: charges, parking, events, status/],
  [['meter-17', '--route', 'status'], /routes\.status is 'latest'/],
  [['meter-17', '--region', 'eu-central-1'], /give one of them/],
  [['meter-17', '--limit', '0'], /allowed is a whole number/],
])('refuses %j with status 2', async (args, text) => {
  const { stderr, stdout, status } = await ledger(...args);
  expect(stderr).toMatch(text);
  expect([stdout, status]).toEqual(['', 2]);
});
