/** Goal: `tollbridge trace` finds a message under every reading of its id, and guesses nothing. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { traceCommand } from '../../cli/trace/command.ts';
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
const trace = (...args: readonly string[]) => runHere(traceCommand(), [...bench.local, ...args]);
const charge = (id: unknown, amount = '1.25') => ({
  id,
  account: 'acme',
  amount,
  at: '2026-11-20T08:59:00Z',
});

beforeAll(async () => {
  bench = await startBench();
  const device = 'meter-17';
  await bench.seed('charges', { device, body: charge('7'), deliveryId: 'first-7' });
  await bench.seed('charges', { device, body: charge(7), deliveryId: 'first-int-7' });
  await bench.seed('charges', { device, body: charge('abc:1') });
  await bench.seed('charges', { device, body: charge('a') });
  await bench.seed('charges', { device, body: charge('a'), bookedAt: '2026-11-20T10:00:00.000Z' });
  await bench.conflict('charges', { device, body: charge('a', '99') }, 'BOOKED BODY');
  await bench.conflict('charges', { device, body: charge('a#b', '98') }, 'OTHER');
  const stay = { account: 'acme', amount: '2', at: '2026-11-20T08:00:00Z' };
  await bench.seed('parking', { device, body: { boot: 'b:c', seq: 7, ...stay } });
  await bench.seed('parking', { device, body: { boot: 3, seq: 7, ...stay } });
  await bench.seed('events', { device, body: { id: 'e-1' } });
  await bench.seed('status', { device, body: { at: '2026-11-20T08:00:00Z', on: true } });
});

afterAll(() => bench.close());

describe('finds', () => {
  it('the text and the integer of the same digits, each named', async () => {
    const { stdout, status } = await trace('meter-17', '7', '--route', 'charges', '--json');
    const rows = linesOf(stdout).filter(({ kind }) => kind === 'row');
    expect(rows).toMatchObject([
      { reading: 'text', id: '7', table: 'ledger' },
      { reading: 'integer', id: 'int:7', table: 'ledger' },
    ]);
    expect(status).toBe(0);
  });

  it.each([
    ['int:7', 'key', 'int:7'],
    ['abc:1', 'text', 'str:abc:1'],
    ['str:abc:1', 'key', 'str:abc:1'],
    ['b:c:7', 'sequence', 'seq:b:c:7'],
    ['3:7', 'sequence', 'seq:int:3:7'],
    ['seq:int:3:7', 'key', 'seq:int:3:7'],
    ['e-1', 'text', 'e-1'],
    ['status/meter-17', 'topic', 'status/meter-17'],
  ])('%s, read as %s', async (told, reading, id) => {
    const { stdout } = await trace('meter-17', told, '--json', '--no-logs');
    expect(linesOf(stdout).filter(({ kind }) => kind === 'row')).toMatchObject([{ reading, id }]);
  });

  it('the conflicts of an id, and not those of an id that begins like it', async () => {
    const { stdout } = await trace('meter-17', 'a', '--json', '--no-logs');
    const kept = linesOf(stdout).filter(({ kind }) => kind === 'quarantine');
    expect(kept).toMatchObject([{ id: 'a', bookedBody: 'BOOKED BODY', fields: ['amount'] }]);
    const other = await trace('meter-17', 'a#b', '--no-logs');
    expect(other.stdout).toContain('0 rows, 1 quarantine row');
    expect(other.status).toBe(0);
  });

  it('nothing, says what it looked for, and ends with status 1', async () => {
    const { stdout, stderr, status } = await trace('meter-17', 'b\u001b[2J:9');
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toContain('parking#meter-17#seq:b\\u{1b}[2J:9 (sequence)');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(stderr).not.toMatch(/\u001b/);
  });

  it('an id that begins with a hyphen, after --', async () => {
    const { stderr } = await trace('--no-logs', '--', 'meter-17', '-5');
    expect(stderr).toContain('charges#meter-17#int:-5 (integer)');
  });
});

describe('tells', () => {
  it('the life of a message in the order of time, and what nobody knows at the end', async () => {
    const { stdout } = await trace('meter-17', 'a', '--json', '--no-logs');
    const facts = linesOf(stdout).filter(({ kind }) => kind === 'fact');
    expect(facts.map(({ at, what }) => [at, what])).toEqual([
      ['2026-11-20T08:59:00.000Z', 'occurred'],
      ['2026-11-20T09:00:51.000Z', 'first seen'],
      ['2026-11-20T09:00:51.000Z', 'booked'],
      ['2026-11-20T09:00:51.000Z', 'receipt'],
      ['2026-11-20T09:00:51.000Z', 'conflict'],
      ['2026-11-20T10:00:00.000Z', 'last seen'],
      [null, 'forward'],
      [null, 'release'],
    ]);
    const detail = (what: string) => facts.find((fact) => fact.what === what)?.detail;
    expect(detail('last seen')).toMatch(/^2 tries .* retries inside the cloud count/);
    expect(detail('forward')).toContain('tollbridge-id charges#meter-17#a');
    expect(detail('release')).toMatch(/^not released/);
  });

  it('that a route sends no receipts and forwards nothing', async () => {
    const { stdout } = await trace('meter-17', 'e-1', '--csv', '--no-logs');
    expect(stdout).toContain(',events,receipt,none: the route sends no receipts');
    expect(stdout).toContain(',events,forward,none: the route forwards nothing');
    expect(stdout).toContain('window ends,copies are recognised until then');
  });

  it('what the logs say of a delivery, or that they say nothing', async () => {
    const thing = await connectThing(bench.bridge.port, 'meter-18');
    const body = { id: 'x', account: 'acme', amount: '1', at: new Date().toISOString() };
    await thing.publish('billing/meter-18/charges', JSON.stringify(body));
    await thing.nextReceipts();
    await thing.publish('billing/meter-18/charges', JSON.stringify({ ...body, amount: '2' }));
    await thing.nextReceipts();
    await thing.end();
    await bench.bridge.cloud.idle();
    const { stdout } = await trace('meter-18', 'x', '--json');
    const facts = linesOf(stdout).filter(({ kind }) => kind === 'fact');
    const quarantined = facts.filter(({ what }) => what === 'log');
    expect(quarantined).toMatchObject([{ route: 'charges' }]);
    expect(quarantined[0]?.detail).toMatch(/^WARN quarantined .*"reason":"conflict"/);
    const unknown = facts.filter(({ what }) => what === 'not known').map(({ detail }) => detail);
    expect(unknown).toEqual([
      expect.stringMatching(/^what became of delivery .*: the logs say nothing/),
    ]);
  });
});
