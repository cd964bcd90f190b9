/** Goal: what a shell sees of the commands that ask: streams, exit statuses, help, a closed pipe. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import { type Bench, linesOf, runProcess, startBench } from '../../tools/clouds/asking-ground.ts';

let bench: Bench;
const charge = (n: number, account: string) => ({
  id: `a-${n}`,
  account,
  kWh: '1.25',
  at: '2026-11-20T08:59:00Z',
  padding: 'x'.repeat(4_000),
});

beforeAll(async () => {
  bench = await startBench(config);
  for (let n = 0; n < 200; n += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        bench.seed('charges', { device: 'meter-17', body: charge(n + at, 'acme') }),
      ),
    );
  }
});

afterAll(() => bench.close());

describe('answers stand on standard output, and status 0, of', () => {
  it('ledger', async () => {
    const { stdout, stderr, status } = await runProcess([
      'ledger',
      'meter-17',
      '--json',
      ...bench.local,
    ]);
    expect([linesOf(stdout).length, stderr, status]).toEqual([200, '', 0]);
  });

  it('invoice', async () => {
    const { stdout, stderr, status } = await runProcess([
      'invoice',
      'acme',
      '--period',
      '2026-11',
      '--csv',
      ...bench.local,
    ]);
    expect(stdout).toBe(
      'account,period,status,rows,amount,unit\nacme,2026-11,booked,200,250,kWh\n',
    );
    expect([stderr, status]).toEqual(['', 0]);
  });

  it('trace', async () => {
    const { stdout, stderr, status } = await runProcess([
      'trace',
      'meter-17',
      'a-7',
      ...bench.local,
    ]);
    expect(stdout).toContain('1 row, 0 quarantine rows');
    expect([stderr, status]).toEqual(['', 0]);
  });

  it('copies', async () => {
    const { stdout, stderr, status } = await runProcess(['copies', '--json', ...bench.local]);
    expect([stdout, stderr, status]).toEqual(['', '', 0]);
  });
});

describe('what is wrong stands on standard error, with status', () => {
  it('1 where nothing is found by trace', async () => {
    const { stdout, stderr, status } = await runProcess([
      'trace',
      'meter-17',
      'none',
      ...bench.local,
    ]);
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toContain('nothing is known of it');
  });

  it('1 where there is no cloud', async () => {
    const { stdout, stderr, status } = await runProcess([
      'invoice',
      'acme',
      '--period',
      '2026',
      '--local',
      'http://127.0.0.1:1',
    ]);
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toContain('npm start');
  });

  it.each([
    [
      ['gaps', 'meter-17'],
      /no exactly-once route of tollbridge\.config\.ts takes its id from sequence/,
    ],
    [['ledger'], /This is a scan[\s\S]*needs --yes/],
    [['invoice', 'acme'], /required option '--period <period>'/],
    [['ledger', '--nope'], /unknown option '--nope'/],
    [['nope'], /unknown command 'nope'/],
    [['trace', 'meter-17'], /missing required argument 'id'/],
  ])('2 for %j', async (args, text) => {
    const known = args[0] === 'nope' ? [] : bench.local;
    const { stdout, stderr, status } = await runProcess([...args, ...known]);
    expect([stdout, status]).toEqual(['', 2]);
    expect(stderr).toMatch(text);
  });
});

it.each(['ledger', 'invoice', 'trace', 'copies', 'gaps'])(
  '%s --help shows examples and exit statuses',
  async (command) => {
    const { stdout, stderr, status } = await runProcess([command, '--help']);
    expect(stdout).toMatch(new RegExp(`Examples:\\n  tollbridge ${command}`));
    expect(stdout).toMatch(/Exit status: 0/);
    expect([stderr, status]).toEqual(['', 0]);
  },
);

it('ends in silence when nobody reads on', async () => {
  const args = [
    '--import',
    'tsx',
    'bin/tollbridge.ts',
    'ledger',
    'meter-17',
    '--json',
    ...bench.local,
  ];
  const ledger = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  ledger.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  // Nearly a megabyte follows the first line, which no pipe takes.
  await once(ledger.stdout, 'data');
  ledger.stdout.destroy();
  const [status] = await once(ledger, 'close');
  expect([said, status]).toEqual(['', 141]);
});
