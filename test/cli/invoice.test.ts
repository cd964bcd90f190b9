/** Goal: an invoice is exact, complete, and stays what it was once its period is closed. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { invoiceCommand } from '../../cli/commands/invoice.ts';
import {
  BENCH_CONFIG,
  type Bench,
  linesOf,
  runHere,
  startBench,
} from '../../tools/clouds/asking-ground.ts';

vi.mock('../../tollbridge.config.ts', () => ({ default: BENCH_CONFIG }));

let bench: Bench;
const invoice = (...args: readonly string[]) =>
  runHere(invoiceCommand(), [...args, ...bench.local]);
const CLOSED = ['--booked-before', '2026-12-03'];

async function book(
  account: string,
  amounts: readonly string[],
  at: string,
  bookedAt?: string,
): Promise<void> {
  for (const [n, amount] of amounts.entries()) {
    const body = { id: `${account}-${at}-${n}`, account, amount, at };
    const times = bookedAt === undefined ? {} : { bookedAt };
    await bench.seed('charges', { device: 'meter-1', body, ...times });
  }
}

beforeAll(async () => {
  bench = await startBench();
  await book(
    'tenths',
    Array.from({ length: 30 }, () => '0.1'),
    '2026-11-05T00:00:00Z',
  );
  await book(
    'digits',
    ['99999999999999999999999999999999999999', '0.00000000000000000000000000000000000001'],
    '2026-11-05T00:00:00Z',
  );
  await book('edges', ['1'], '2026-11-01T00:00:00.000Z');
  await book('edges', ['0.5'], '2026-11-21T00:00:00.000Z');
  await book('edges', ['10'], '2026-11-30T23:59:59.999Z');
  await book('edges', ['100'], '2026-12-01T00:00:00.000Z', '2026-12-01T00:00:01.000Z');
  await book('edges', ['1000'], '2026-10-31T23:59:59.999Z');
  await book('closed', ['5', '-2'], '2026-11-30T12:00:00Z', '2026-12-02T23:59:59.999Z');
  await book('closed', ['7.5'], '2026-11-29T12:00:00Z', '2026-12-03T00:00:00.000Z');
  for (let seq = 1; seq <= 20; seq++) {
    const body = { boot: 'b', seq, account: 'tenths', amount: '1', at: '2026-11-05T00:00:00Z' };
    await bench.seed('parking', { device: 'gate-1', body });
  }
  // An account of 2,000 bytes makes rows of the index so long that 400 are more than a page.
  const long = 'l'.repeat(2_000);
  for (let n = 0; n < 400; n += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => {
        const body = {
          id: `l-${n + at}`,
          account: long,
          amount: '0.01',
          at: '2026-11-06T00:00:00Z',
        };
        return bench.seed('charges', { device: 'meter-2', body });
      }),
    );
  }
});

afterAll(() => bench.close());

describe('totals', () => {
  it('are per unit, over all routes and all index shards, without a float', async () => {
    const { stdout, status } = await invoice('tenths', '--period', '2026-11', '--json');
    expect(linesOf(stdout)).toEqual([
      {
        kind: 'total',
        period: '2026-11',
        status: 'booked',
        account: 'tenths',
        unit: 'EUR',
        rows: 20,
        amount: '20',
      },
      {
        kind: 'total',
        period: '2026-11',
        status: 'booked',
        account: 'tenths',
        unit: 'kWh',
        rows: 30,
        amount: '3',
      },
    ]);
    expect(status).toBe(0);
  });

  it('have more digits than any one amount can have', async () => {
    const { stdout } = await invoice('digits', '--period', '2026-11', '--json');
    expect(linesOf(stdout)).toMatchObject([
      { amount: '99999999999999999999999999999999999999.00000000000000000000000000000000000001' },
    ]);
  });

  it('hold the first moment of a period and not the first of the next', async () => {
    const amounts = async (period: string) =>
      linesOf((await invoice('edges', '--period', period, '--json')).stdout).map(
        ({ amount }) => amount,
      );
    expect(await amounts('2026-11')).toEqual(['11.5']);
    expect(await amounts('2026-11-20')).toEqual([]);
    expect(await amounts('2026-11-21')).toEqual(['0.5']);
    expect(await amounts('2026-12')).toEqual(['100']);
    expect(await amounts('2026-Q4')).toEqual(['1111.5']);
    expect(await amounts('2026-11-30')).toEqual(['10']);
    expect(await amounts('2026-10-31..2026-11-01')).toEqual(['1001']);
  });

  it('count every page of the index', async () => {
    const { stdout } = await invoice('l'.repeat(2_000), '--period', '2026-11', '--json');
    expect(linesOf(stdout)).toMatchObject([{ rows: 400, amount: '4' }]);
  });

  it('keep the routes apart with --by-route, and to one of them with --route', async () => {
    const apart = await invoice('tenths', '--period', '2026-11', '--by-route', '--json');
    expect(linesOf(apart.stdout)).toMatchObject([{ route: 'parking' }, { route: 'charges' }]);
    const one = await invoice('tenths', '--period', '2026-11', '--route', 'parking', '--json');
    expect(linesOf(one.stdout)).toMatchObject([{ unit: 'EUR', rows: 20 }]);
    expect(linesOf(one.stdout)).toHaveLength(1);
  });

  it('miss the rows of shards that are not read, which --shards can show', async () => {
    const { stdout } = await invoice('tenths', '--period', '2026-11', '--shards', '1', '--json');
    const [first] = linesOf(stdout);
    expect(Number(first?.rows)).toBeLessThan(20);
    const all = await invoice('tenths', '--period', '2026-11', '--shards', '9', '--json');
    expect(linesOf(all.stdout)[0]).toMatchObject({ rows: 20 });
  });

  it('are none, with status 0, where nothing was booked', async () => {
    const { stdout, status } = await invoice('nobody', '--period', '2026-11');
    expect(stdout).toContain('0 rows of 0 accounts');
    expect(status).toBe(0);
  });

  it('of every account are a scan, which has to be agreed to', async () => {
    const refused = await invoice('--period', '2026-11', '--json');
    expect([refused.stdout, refused.status]).toEqual(['', 2]);
    expect(refused.stderr).toMatch(/This is a scan: no account is given/);
    const { stdout } = await invoice('--period', '2026-11', '--yes', '--csv');
    expect(stdout.trim().split('\n')).toHaveLength(7);
    expect(stdout).toMatch(/\nclosed,2026-11,booked,3,10\.5,kWh\n/);
  });
});

describe('a closed period', () => {
  it('leaves out what was booked at its end or later, and lists it as late', async () => {
    const { stdout } = await invoice('closed', '--period', '2026-11', ...CLOSED);
    const [totals, late] = stdout.split('Late: booked at 2026-12-03T00:00:00.000Z');
    expect(totals).toMatch(/│ closed +│ 2026-11 +│ booked +│ +2 +│ +3 +│ kWh/);
    expect(late).toMatch(/│ closed +│ 2026-11 +│ late +│ +1 +│ +7\.5 +│ kWh/);
    expect(late).toMatch(/│ meter-1 +│ closed-2026-11-29T12:00:00Z-0 +│ 7\.5 /);
    expect(late).toContain('1 late row\n');
  });

  it('gives the same totals after more rows were booked', async () => {
    const totals = async () =>
      linesOf((await invoice('closed', '--period', '2026-11', ...CLOSED, '--json')).stdout).filter(
        ({ status }) => status === 'booked',
      );
    const before = await totals();
    await book('closed', ['900'], '2026-11-28T12:00:00Z', '2026-12-04T00:00:00.000Z');
    expect(await totals()).toEqual(before);
    const { stdout } = await invoice('closed', '--period', '2026-11', ...CLOSED, '--json');
    expect(linesOf(stdout)).toEqual([
      expect.objectContaining({ status: 'booked', amount: '3' }),
      expect.objectContaining({ status: 'late', rows: 2, amount: '907.5' }),
      expect.objectContaining({ kind: 'late-row', amount: '900' }),
      expect.objectContaining({ kind: 'late-row', amount: '7.5' }),
    ]);
  });

  it('keeps both apart for accounting, by the column status', async () => {
    const { stdout } = await invoice(
      'closed',
      '--period',
      '2026-11',
      ...CLOSED,
      '--csv',
      '--by-route',
    );
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'account,period,route,status,rows,amount,unit',
      'closed,2026-11,charges,booked,2,3,kWh',
      expect.stringMatching(/^closed,2026-11,charges,late,/),
    ]);
  });

  it('that is not over is said to be open', async () => {
    const { stderr } = await invoice(
      'closed',
      '--period',
      '2026-11',
      '--booked-before',
      '2999-01-01',
    );
    expect(stderr).toContain('lies ahead');
  });
});

it('fails, and names the row, rather than pass over one without an amount', async () => {
  const Item = {
    pk: { S: 'charges#odd' },
    id: { S: 'x' },
    account: { S: 'odd' },
    accountPeriod: { S: 'odd#2026-11#0' },
    occurrence: { S: '2026-11-05T00:00:00.000Z#odd#x' },
  };
  await bench.client.send(new PutItemCommand({ TableName: bench.tables.Ledger, Item }));
  const { stderr, stdout, status } = await invoice('odd', '--period', '2026-11');
  expect(stderr).toContain('the ledger row ["charges#odd","x"] lacks one of');
  expect([stdout, status]).toEqual(['', 1]);
});

it.each([
  [['acme'], /--period/],
  [['acme', '--period', 'November'], /allowed is a year/],
  [['acme', '--period', '2026-11', '--booked-before', 'soon'], /allowed is a time with its offset/],
  [['acme', '--period', '2026-11', '--route', 'status'], /only exactly-once routes have a ledger/],
  [['acme', '--period', '2000..2026'], /up to 120/],
])('refuses %j with status 2', async (args, text) => {
  const { stderr, status } = await invoice(...args);
  expect(stderr).toMatch(text);
  expect(status).toBe(2);
});
