/** Goal: a discard is a decision with a reason, can be taken back, and never undoes a booking. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keyText } from '../../../cli/quarantine/key.ts';
import { told } from '../repair-fixture.ts';
import { type QuarantineBench, startQuarantineBench, yes } from './quarantine-fixture.ts';

vi.mock('../../../tollbridge.config.ts', async () => ({
  default: (await import('../repair-fixture.ts')).REPAIR_CONFIG,
}));

let bench: QuarantineBench;

beforeAll(async () => {
  bench = await startQuarantineBench();
});
afterAll(() => bench.close());

describe('discard', () => {
  it('has the row forgotten in a month, with who, when and why, and is safe to repeat', async () => {
    const { key } = await bench.conflict();
    const before = Math.floor(Date.now() / 1_000);
    const { stdout, status } = await bench.run(
      'discard',
      keyText(key),
      '--reason',
      'a test',
      ...yes,
    );
    expect([stdout, status]).toEqual([expect.stringMatching(/discarded, restorable/), 0]);
    const row = await bench.rowOf(key);
    expect(row).toMatchObject({
      decision: { S: 'discarded' },
      decidedBy: { S: 'ann' },
      decisionReason: { S: 'a test' },
    });
    expect(Number(row?.expiresAt?.N) - before).toBeGreaterThanOrEqual(30 * 86_400);
    const again = await bench.run(
      'discard',
      keyText(key),
      '--reason',
      'other',
      '--yes',
      '--operator',
      'bob',
    );
    expect([again.stdout, again.status]).toEqual([
      expect.stringMatching(/discarded before, by ann/),
      0,
    ]);
    expect(await bench.rowOf(key)).toEqual(row);
  });

  it('is refused of what is accepted, and an acceptance of what is discarded', async () => {
    const [one, other] = [await bench.conflict(), await bench.conflict()];
    await bench.run('accept', keyText(one.key), ...yes);
    expect(await bench.run('discard', keyText(one.key), '--reason', 'x', ...yes)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/ann has accepted it/),
    });
    await bench.run('discard', keyText(other.key), '--reason', 'x', ...yes);
    expect(await bench.run('accept', keyText(other.key), ...yes)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/discarded it at .*quarantine restore KEY/),
    });
    expect(await bench.ledgerOf(other.device)).toHaveLength(1);
  });

  it('is taken back by restore, after which the row can be accepted', async () => {
    const { device, key } = await bench.conflict();
    await bench.run('discard', keyText(key), '--reason', 'x', ...yes);
    expect(await bench.run('restore', keyText(key), '--yes', '--operator', 'bob')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/restored/),
    });
    const row = await bench.rowOf(key);
    expect([row?.decision, row?.expiresAt, row?.restoredBy?.S]).toEqual([
      undefined,
      undefined,
      'bob',
    ]);
    expect((await bench.run('restore', keyText(key), ...yes)).stdout).toMatch(
      /nothing was decided/,
    );
    expect((await bench.run('accept', keyText(key), ...yes)).status).toBe(0);
    expect(await bench.ledgerOf(device)).toHaveLength(2);
    expect((await bench.run('restore', keyText(key), ...yes)).stderr).toMatch(/a booking stays/);
  });

  it('needs a reason, and every act an agreement where nobody can be asked', async () => {
    const { key } = await bench.conflict();
    expect((await bench.run('discard', keyText(key), '--yes')).status).toBe(2);
    expect((await bench.run('discard', keyText(key), '--yes', '--reason', ' ')).status).toBe(2);
    for (const act of [['accept'], ['discard', '--reason', 'x'], ['restore']]) {
      const { stderr, status } = await bench.run(...act, keyText(key));
      expect([stderr, status]).toEqual([expect.stringMatching(/needs --yes .* nothing was/), 2]);
    }
    expect((await bench.rowOf(key))?.decision).toBeUndefined();
  });

  it('is not undone by a copy that comes later, which is only counted', async () => {
    const { key, thing, topic, body } = await bench.conflict();
    await bench.run('discard', keyText(key), '--reason', 'x', ...yes);
    await told(thing, topic, body);
    expect(await bench.rowOf(key)).toMatchObject({
      decision: { S: 'discarded' },
      tries: { N: '2' },
    });
  });
});

it('an operator who says no name is the user of this machine', async () => {
  const { key } = await bench.conflict();
  await bench.run('accept', keyText(key), '--yes');
  expect((await bench.rowOf(key))?.decidedBy?.S).toMatch(/^[^@]+@[^@]+$/);
});
