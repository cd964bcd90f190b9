/** Goal: what an operator accepts is booked by the function's own write, forwarded, and said so. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openAccess } from '../../../cli/access/access.ts';
import { accept } from '../../../cli/quarantine/accept.ts';
import { keyText } from '../../../cli/quarantine/key.ts';
import { bodyHashOf } from '../../../core/base/hash.ts';
import { checkConfig } from '../../../core/config/check.ts';
import { linesOf } from '../../../tools/clouds/asking-ground.ts';
import { charge, REPAIR_CONFIG, told } from '../repair-fixture.ts';
import { keyIn, type QuarantineBench, startQuarantineBench, yes } from './quarantine-fixture.ts';

vi.mock('../../../tollbridge.config.ts', async () => ({
  default: (await import('../repair-fixture.ts')).REPAIR_CONFIG,
}));

const DAY = 86_400_000;

let bench: QuarantineBench;

beforeAll(async () => {
  bench = await startQuarantineBench();
});
afterAll(() => bench.close());

describe('accept', () => {
  it('books a conflict under its id and hash, forwards it under that name, and says so', async () => {
    const { device, key, bodyHash, thing, topic, body } = await bench.conflict();
    const { stdout, status } = await bench.run('accept', keyText(key), ...yes, '--json');
    const bookedAs = `a-1~${bodyHash}`;
    const forwardedAs = `charges#${device}#${bookedAs}`;
    expect(linesOf(stdout)).toEqual([
      { key: keyText(key), outcome: 'accepted', bookedAs, forwardedAs },
    ]);
    expect(status).toBe(0);
    const rows = await bench.ledgerOf(device);
    expect(rows.map(({ id, amount }) => [id?.S, amount?.N])).toEqual([
      ['a-1', '1.25'],
      [bookedAs, '99'],
    ]);
    expect(bench.forwardsOf(device).at(-1)).toEqual({
      topic: `booked/${device}/charges`,
      payload: {
        v: 1,
        'tollbridge-id': forwardedAs,
        route: 'charges',
        device,
        id: 'a-1',
        body: JSON.parse(body),
      },
    });
    expect(await bench.rowOf(key)).toMatchObject({
      decision: { S: 'accepted' },
      decidedBy: { S: 'ann' },
      decidedAt: { S: expect.stringMatching(/^\d{4}-.*Z$/) },
      bookedAs: { S: bookedAs },
      forwardedAs: { S: forwardedAs },
    });
    // The used id stays used, and the very body stays a conflict.
    expect((await told(thing, topic, body))?.reason).toBe('conflict');
    expect(await bench.ledgerOf(device)).toHaveLength(2);
  });

  it('is safe to repeat: nothing is booked, counted or forwarded again', async () => {
    const { device, key } = await bench.conflict();
    await bench.run('accept', keyText(key), ...yes);
    const [before, forwards] = [await bench.ledgerOf(device), bench.forwardsOf(device).length];
    const again = await bench.run('accept', keyText(key), '--yes', '--operator', 'bob');
    expect(again.stdout).toMatch(/accepted before, by ann/);
    expect(again.status).toBe(0);
    expect(await bench.ledgerOf(device)).toEqual(before);
    expect(bench.forwardsOf(device)).toHaveLength(forwards);
  });

  it('books what came too early under its own id, so that a copy in time is a duplicate', async () => {
    const device = bench.newDevice();
    const thing = await bench.thing(device);
    const topic = `billing/${device}/charges`;
    const body = charge('e-1', { at: new Date(Date.now() + 3 * DAY).toISOString() });
    expect((await told(thing, topic, body))?.reason).toBe('early');
    const key = keyIn(device, 'e-1', bodyHashOf(topic, Buffer.from(body)));
    const { stdout } = await bench.run('accept', keyText(key), ...yes, '--json');
    expect(linesOf(stdout)).toMatchObject([{ outcome: 'accepted', bookedAs: 'e-1' }]);
    bench.setClockAhead(3 * DAY);
    try {
      expect((await told(thing, topic, body))?.outcome).toBe('duplicate');
    } finally {
      bench.setClockAhead(0);
    }
    expect(await bench.ledgerOf(device)).toHaveLength(1);
    expect(bench.forwardsOf(device)).toHaveLength(1);
  });

  it('forwards a conflict in a window under its own name, and books nothing', async () => {
    const device = bench.newDevice();
    const thing = await bench.thing(device);
    const topic = `events/${device}/all`;
    await told(thing, topic, '{"id":"a","n":1}');
    expect((await told(thing, topic, '{"id":"a","n":2}'))?.reason).toBe('conflict');
    const hash = bodyHashOf(topic, Buffer.from('{"id":"a","n":2}'));
    const key = { pk: `events#${device}`, sk: `a#${hash}` };
    const { stdout } = await bench.run('accept', keyText(key), ...yes, '--json');
    const forwardedAs = `events#${device}#a~${hash}`;
    expect(linesOf(stdout)).toMatchObject([{ outcome: 'accepted', bookedAs: '', forwardedAs }]);
    expect(bench.forwardsOf(device).at(-1)?.payload).toMatchObject({
      'tollbridge-id': forwardedAs,
    });
    expect(await bench.rowOf(key)).toMatchObject({ bookedAs: { NULL: true } });
  });

  it('refuses what holds no message, and what another client sent, and leaves the rows undecided', async () => {
    const { device, thing, topic } = await bench.conflict();
    await told(thing, topic, '{"id":');
    const broken = { pk: `charges#${device}`, sk: `-#${bodyHashOf(topic, Buffer.from('{"id":'))}` };
    const { stdout, stderr, status } = await bench.run('accept', keyText(broken), ...yes, '--json');
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toMatch(/cannot be accepted: it holds no message.*by hand/);
    expect((await bench.rowOf(broken))?.decision).toBeUndefined();
  });

  it('goes on with the others where one of several cannot be accepted', async () => {
    const { device, key, thing, topic } = await bench.conflict();
    await told(thing, topic, '{');
    const broken = { pk: `charges#${device}`, sk: `-#${bodyHashOf(topic, Buffer.from('{'))}` };
    const { stdout, status } = await bench.run(
      'accept',
      keyText(broken),
      keyText(key),
      ...yes,
      '--json',
    );
    expect([linesOf(stdout).length, status]).toEqual([1, 1]);
    expect(await bench.ledgerOf(device)).toHaveLength(2);
  });

  it('refuses where the id and its spare are both another message’s', async () => {
    const { device, key, bodyHash, thing, topic } = await bench.conflict();
    // A device that knows the form of spare ids gains nothing by taking one.
    await told(thing, topic, charge(`a-1~${bodyHash}`));
    const { stderr, status } = await bench.run('accept', keyText(key), ...yes);
    expect(stderr).toMatch(/other messages stand under its id and under/);
    expect(status).toBe(1);
    expect((await bench.rowOf(key))?.decision).toBeUndefined();
    expect(await bench.ledgerOf(device)).toHaveLength(2);
  });

  it('books by no other route than the one that is deployed', async () => {
    const { key } = await bench.conflict();
    const { charges } = REPAIR_CONFIG.routes;
    if (charges?.guarantee !== 'exactly-once') throw new Error('the bench bills');
    const config = {
      routes: { ...REPAIR_CONFIG.routes, charges: { ...charges, maxAge: { days: 7 } } },
    };
    const deps = await bench.operator();
    const access = {
      ...deps.access,
      ...(await openAccess({ local: bench.bridge.cloud.apiUrl }, checkConfig(config))),
    };
    await expect(accept({ ...deps, access }, key)).rejects.toThrow(
      /not the one that is deployed .*differs in maxAgeDays/,
    );
    access.close();
    deps.access.close();
    expect((await bench.rowOf(key))?.decision).toBeUndefined();
  });
});
