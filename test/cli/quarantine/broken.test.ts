/**
 * Goal: wherever an acceptance breaks off, and however many operators are at it, it ends in one
 * booking, at least one forward under one name, and one decision. Method: clients whose requests
 * fail in the middle.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accept, UNDER_WAY_MILLIS } from '../../../cli/quarantine/accept.ts';
import { discard } from '../../../cli/quarantine/decisions.ts';
import { keyText } from '../../../cli/quarantine/key.ts';
import { epochMillis, systemClock } from '../../../core/base/time.ts';
import type { QuarantineKey } from '../../../core/tables/quarantine-row.ts';
import { linesOf } from '../../../tools/clouds/asking-ground.ts';
import { failNext } from '../repair-fixture.ts';
import { type QuarantineBench, startQuarantineBench, yes } from './quarantine-fixture.ts';

vi.mock('../../../tollbridge.config.ts', async () => ({
  default: (await import('../repair-fixture.ts')).REPAIR_CONFIG,
}));

let bench: QuarantineBench;

beforeAll(async () => {
  bench = await startQuarantineBench();
});
afterAll(() => bench.close());

describe('an acceptance that breaks off', () => {
  /** Of a table; of the ledger, the booking under the spare key. */
  const isOf = (table: string) => (input: unknown) => {
    const { TableName, Key } = input as { TableName?: string; Key?: { id?: { S?: string } } };
    const isIt = TableName === bench.bridge.cloud.tableName(table);
    return isIt && (table !== 'Ledger' || Key?.id?.S?.includes('~') === true);
  };

  it.each([
    ['before the claim', 'Quarantine', 'before'],
    ['after the claim', 'Quarantine', 'after'],
    ['before the booking', 'Ledger', 'before'],
    ['after the booking, whose answer is lost,', 'Ledger', 'after'],
  ] as const)(
    '%s ends in one booking and a forward when it is run again',
    async (_, table, when) => {
      const { device, key, bodyHash } = await bench.conflict();
      const broken = await bench.operator();
      failNext(broken.access.dynamodb, 'UpdateItemCommand', when, isOf(table));
      await expect(accept(broken, key)).rejects.toThrow(/process is gone/);
      broken.access.close();
      await expectWhole(device, key, bodyHash);
    },
  );

  it('after the booking, before the forward', async () => {
    const { device, key, bodyHash } = await bench.conflict();
    const broken = await bench.operator();
    const publish = () => Promise.reject(new Error('the process is gone'));
    await expect(accept({ ...broken, publisher: { publish } }, key)).rejects.toThrow(/gone/);
    expect(await bench.ledgerOf(device)).toHaveLength(2);
    expect(bench.forwardsOf(device)).toHaveLength(1);
    broken.access.close();
    await expectWhole(device, key, bodyHash);
  });

  it('after the forward, before the row is told', async () => {
    const { device, key, bodyHash } = await bench.conflict();
    const broken = await bench.operator();
    const { publisher } = broken;
    const publish: typeof publisher.publish = async (publication) => {
      await publisher.publish(publication);
      throw new Error('the process is gone');
    };
    await expect(accept({ ...broken, publisher: { publish } }, key)).rejects.toThrow(/gone/);
    broken.access.close();
    await expectWhole(device, key, bodyHash);
    // Twice under one name: receivers skip the second.
    const names = bench.forwardsOf(device).map(({ payload }) => payload['tollbridge-id']);
    expect(names).toEqual([
      `charges#${device}#a-1`,
      ...Array(2).fill(`charges#${device}#a-1~${bodyHash}`),
    ]);
  });

  async function expectWhole(device: string, key: QuarantineKey, bodyHash: string) {
    const { stdout, status } = await bench.run('accept', keyText(key), ...yes, '--json');
    expect(linesOf(stdout)).toMatchObject([{ outcome: 'accepted', bookedAs: `a-1~${bodyHash}` }]);
    expect(status).toBe(0);
    expect((await bench.ledgerOf(device)).map(({ id }) => id?.S)).toEqual([
      'a-1',
      `a-1~${bodyHash}`,
    ]);
    const names = bench.forwardsOf(device).map(({ payload }) => payload['tollbridge-id']);
    expect(names).toContain(`charges#${device}#a-1~${bodyHash}`);
    expect(await bench.rowOf(key)).toMatchObject({ decision: { S: 'accepted' } });
  }

  it('is left alone by others for a minute, and can then be taken over', async () => {
    const { device, key, bodyHash } = await bench.conflict();
    const broken = await bench.operator('ann');
    const publish = () => Promise.reject(new Error('the process is gone'));
    await expect(accept({ ...broken, publisher: { publish } }, key)).rejects.toThrow(/gone/);
    broken.access.close();
    const bob = await bench.operator('bob');
    await expect(accept(bob, key)).rejects.toThrow(
      /ann began to accept it at .* run this again after/,
    );
    const refused = await bench.run('discard', keyText(key), '--reason', 'x', ...yes);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringMatching(/begun to accept/) });
    const later = () => epochMillis(Date.now() + UNDER_WAY_MILLIS);
    expect(await accept({ ...bob, clock: later }, key)).toMatchObject({ isNew: true, by: 'bob' });
    bob.access.close();
    expect((await bench.ledgerOf(device)).map(({ id }) => id?.S)).toEqual([
      'a-1',
      `a-1~${bodyHash}`,
    ]);
  });
});

describe('of several operators at once', () => {
  it('one decides, and the row says which', async () => {
    for (let round = 0; round < 5; round++) {
      const { device, key } = await bench.conflict();
      const [ann, bob] = [await bench.operator('ann'), await bench.operator('bob')];
      const [accepted, discarded] = await Promise.allSettled([
        accept(ann, key),
        discard(bob.access, key, { by: 'bob', now: systemClock() }, 'a test'),
      ]);
      const isDiscarded = discarded.status === 'fulfilled' && discarded.value;
      expect(accepted.status).toBe(isDiscarded ? 'rejected' : 'fulfilled');
      expect((await bench.rowOf(key))?.decidedBy?.S).toBe(isDiscarded ? 'bob' : 'ann');
      expect(await bench.ledgerOf(device)).toHaveLength(isDiscarded ? 1 : 2);
      ann.access.close();
      bob.access.close();
    }
  });

  it('two accept one booking', async () => {
    const { device, key } = await bench.conflict();
    const both = [await bench.operator('ann'), await bench.operator('bob')];
    await Promise.allSettled(both.map((one) => accept(one, key)));
    for (const { access } of both) access.close();
    expect(await bench.ledgerOf(device)).toHaveLength(2);
    expect(await bench.rowOf(key)).toMatchObject({ decision: { S: 'accepted' } });
    expect(bench.forwardsOf(device)).toHaveLength(2);
  });
});
