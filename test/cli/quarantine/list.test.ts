/** Goal: what could not be booked is found, and shown whole, whatever a device put into it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BridgeClient } from '../../../cli/access/access.ts';
import { keyText } from '../../../cli/quarantine/key.ts';
import { withDecisions } from '../../../cli/quarantine/rows.ts';
import { linesOf } from '../../../tools/clouds/asking-ground.ts';
import { OBEYED, told } from '../repair-fixture.ts';
import { type QuarantineBench, startQuarantineBench, yes } from './quarantine-fixture.ts';

vi.mock('../../../tollbridge.config.ts', async () => ({
  default: (await import('../repair-fixture.ts')).REPAIR_CONFIG,
}));

const HOSTILE = '\u001b[31m\u009b2J\u202e"\n,%#/é';

let bench: QuarantineBench;

beforeAll(async () => {
  bench = await startQuarantineBench();
});
afterAll(() => bench.close());

describe('list', () => {
  it('prints today’s rows with reasons, keys that show takes, and counts per reason', async () => {
    const { device, key } = await bench.conflict();
    const { stdout, status } = await bench.run('list', '--route', 'charges');
    expect(stdout).toMatch(new RegExp(`conflict +│ ${device} +│ a-1 +│ +│ ${keyText(key)}`));
    expect(stdout).toMatch(/charges conflict: \d+\n$/);
    expect(status).toBe(0);
    const shown = await bench.run('show', keyText(key), '--json');
    expect(linesOf(shown.stdout)).toMatchObject([{ reason: 'conflict', device, fields: ['kWh'] }]);
  });

  it('reads by device, by reason, by what is open, and no more than asked for', async () => {
    const { device, thing, topic, key } = await bench.conflict();
    expect((await told(thing, topic, '{'))?.reason).toBe('invalid-body');
    const reasons = async (...args: readonly string[]) =>
      linesOf((await bench.run('list', '--device', device, '--json', ...args)).stdout).map(
        ({ reason }) => reason,
      );
    expect(await reasons()).toEqual(['invalid-body', 'conflict']);
    expect(await reasons('--reason', 'conflict')).toEqual(['conflict']);
    expect(await reasons('--limit', '1')).toHaveLength(1);
    await bench.run('discard', keyText(key), '--reason', 'a test', ...yes);
    expect(await reasons('--open')).toEqual(['invalid-body']);
    const today = new Date().toISOString().slice(0, 10);
    const open = await bench.run('list', '--period', today, '--open', '--json');
    const keys = linesOf(open.stdout).map((row) => row.key);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys).not.toContain(keyText(key));
    expect((await bench.run('list', '--period', '2020-02')).stdout).toMatch(/0 rows\n$/);
  });

  it('counts by reason alone, as CSV', async () => {
    await bench.conflict();
    const { stdout } = await bench.run('list', '--counts', '--csv', '--route', 'charges');
    expect(stdout).toMatch(/^route,reason,count\ncharges,/);
    expect(stdout).toMatch(/charges,conflict,\d+\n/);
  });

  it('scans only when agreed to, and refuses two questions at once', async () => {
    const refused = await bench.run('list', '--all-days');
    expect([refused.stdout, refused.status]).toEqual(['', 2]);
    expect(refused.stderr).toMatch(/This is a scan/);
    const all = await bench.run('list', '--all-days', '--yes', '--json');
    expect(linesOf(all.stdout)).toHaveLength((await bench.bridge.rows('Quarantine')).length);
    expect((await bench.run('list', '--device', 'x', '--all-days')).status).toBe(2);
    expect((await bench.run('list', '--period', '2020..2026')).stderr).toMatch(
      /more than 400 days/,
    );
  });
});

describe('show', () => {
  it('puts both bodies side by side and marks what differs', async () => {
    const { key } = await bench.conflict('a-1', { note: { deep: 1.0 } });
    const { stdout } = await bench.run('show', keyText(key));
    expect(stdout).toMatch(/≠ +│ kWh +│ 1\.25 +│ 99 /);
    expect(stdout).toMatch(/≠ +│ note\.deep +│ +│ 1 /);
    expect(stdout).toMatch(/\n│ +│ account +│ "acme" +│ "acme" /);
  });

  it('lets no terminal obey an id or a body, and still finds the row by its key', async () => {
    const { key, body } = await bench.conflict(HOSTILE, { account: HOSTILE });
    const listed = await bench.run('list', '--device', key.pk.slice('charges#'.length));
    const text = keyText(key);
    expect(text).toMatch(/^[!-~]+$/);
    expect(listed.stdout).toContain(text);
    const shown = await bench.run('show', text);
    const decided = await bench.run('discard', text, '--reason', HOSTILE, ...yes);
    const again = await bench.run('accept', text, ...yes);
    for (const { stdout, stderr } of [listed, shown, decided, again]) {
      expect(stdout + stderr).not.toMatch(OBEYED);
    }
    const [json] = linesOf((await bench.run('show', text, '--json')).stdout);
    expect(json?.body).toBe(body);
  });

  it('says so where there is no such row, or no key', async () => {
    expect(await bench.run('show', `charges#none/x#${'0'.repeat(64)}`)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no such row/),
    });
    for (const text of ['charges', 'charges#m/x', '%zz#/#']) {
      expect((await bench.run('show', text)).status).toBe(2);
    }
  });
});

it('asks again for decisions that one answer left over, and for no row twice', async () => {
  const keys = [1, 2, 3].map((n) => ({ pk: { S: 'charges#m' }, sk: { S: `${n}#h` } }));
  const asked: number[] = [];
  const send = async ({
    input,
  }: {
    input: { RequestItems: Record<string, { Keys: typeof keys }> };
  }) => {
    const [[table, { Keys }] = ['', { Keys: [] as typeof keys }]] = Object.entries(
      input.RequestItems,
    );
    asked.push(Keys.length);
    const [first, ...rest] = Keys;
    return {
      Responses: { [table]: [{ ...first, decision: { S: 'discarded' } }] },
      UnprocessedKeys: rest.length > 0 ? { [table]: { Keys: rest } } : {},
    };
  };
  const access = { ...bench.access, dynamodb: { send } } as unknown as BridgeClient;
  const rows = [];
  for await (const row of withDecisions(access, of(keys))) rows.push(row.decision?.S);
  expect([rows, asked]).toEqual([Array(3).fill('discarded'), [3, 2, 1]]);
});

async function* of<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
