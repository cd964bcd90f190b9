/** The bridge's side of release and query. */
import { describe, expect, it } from 'vitest';
import { RetryableError } from '../../core/base/errors.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import { sequence } from '../../core/config/sources.ts';
import { exactlyOnceWriteOf } from '../../core/guarantees/exactly-once/row.ts';
import { quarantineRowOf } from '../../core/tables/quarantine-row.ts';
import { HandshakeHarness } from '../../tools/handlers/handshake.ts';
import {
  BODY,
  bodyWith,
  deliveryOf,
  messageOf,
  NOW,
  routeOf,
  stateRouteOf,
  windowRouteOf,
  windowWrite,
  writeOf,
} from '../../tools/handlers/samples.ts';

const TOPIC = 'billing/dev-1/charges';
const hashOf = (body: string) => bodyHashOf(TOPIC, Buffer.from(body));
const RELEASED_AT = '2026-11-20T09:01:51.000Z';

const harness = () => new HandshakeHarness(routeOf(), windowRouteOf(), stateRouteOf());
const releaseOf = (...ids: readonly unknown[]) => ({ v: 1, route: 'charges', ids });
const queryOf = (...messages: readonly object[]) => ({ v: 1, route: 'charges', messages });
const completed = (...ids: readonly unknown[]) => ids.map((id) => ({ id, outcome: 'completed' }));

describe('a release', () => {
  it('marks the rows of its ids and answers each, in one publication', async () => {
    const bridge = harness();
    const writes = ['"a"', '"b"', '7'].map((id) => writeOf(bodyWith({ id })));
    for (const write of writes) await bridge.ledger.book(write);
    await bridge.ask('release', releaseOf('b', 7, 'a'));
    expect(bridge.answersTo('dev-1')).toEqual(completed('b', 7, 'a'));
    expect(bridge.published).toHaveLength(1);
    for (const { key } of writes) {
      expect(bridge.ledger.get(key)).toMatchObject({ releasedAt: RELEASED_AT, tries: 1 });
    }
    expect(Object.fromEntries(bridge.counts)).toEqual({
      'charges Released': 3,
      'charges Completed': 3,
      'charges Receipts': 1,
    });
  });

  it('of 2,300 UUIDs is answered, and one that is longer than a body may be is not', async () => {
    const bridge = harness();
    const uuid = (n: number) => `0198a3c0-7b1e-7c3a-9f00-${String(n).padStart(12, '0')}`;
    const ids = Array.from({ length: 2_400 }, (_, n) => uuid(n));
    await bridge.ask('release', releaseOf(...ids.slice(0, 2_300)));
    expect(bridge.answersTo('dev-1')).toHaveLength(2_300);
    await bridge.ask('release', releaseOf(...ids));
    expect(bridge.answersTo('dev-1')).toHaveLength(2_300);
    expect(bridge.counts.get('- Unreadable')).toBe(1);
  });

  it('that overtakes its message is completed, and the message is booked as usual', async () => {
    const bridge = harness();
    await bridge.ask('release', releaseOf('c-1'));
    expect(bridge.answersTo('dev-1')).toEqual(completed('c-1'));
    expect(bridge.ledger.rows.size).toBe(0);
    expect((await bridge.ledger.book(writeOf(BODY))).kind).toBe('written');
    expect(bridge.counts.has('charges Released')).toBe(false);
  });

  it('repeated does no harm, and the first time stands', async () => {
    const bridge = harness();
    await bridge.ledger.book(writeOf(BODY));
    await bridge.ask('release', releaseOf('c-1', 'c-1'));
    await bridge.ask('release', releaseOf('c-1'), { receivedAt: NOW + 120_000 });
    expect(bridge.answersTo('dev-1')).toEqual(completed('c-1', 'c-1'));
    expect(bridge.ledger.get(writeOf(BODY).key)).toMatchObject({ releasedAt: RELEASED_AT });
  });

  it('shortens the life of a windowed row', async () => {
    const bridge = harness();
    const write = windowWrite(BODY, {}, windowRouteOf({ windowSeconds: 60 * 86_400 }));
    await bridge.dedupRecords.admit(write);
    await bridge.ask('release', { ...releaseOf('c-1'), route: 'events' });
    const row = bridge.dedupRecords.get(write.key);
    expect(row?.releasedAt).toBe(RELEASED_AT);
    expect(row?.expiresAt).toBeLessThan(write.expiresAtSeconds);
  });

  it('of values, which have no ids, is completed', async () => {
    const bridge = harness();
    await bridge.ask('release', { ...releaseOf('x'), route: 'status' });
    expect(bridge.answersTo('dev-1')).toEqual(completed('x'));
  });

  it('takes thousands of ids and answers in publications that can be sent', async () => {
    const bridge = harness();
    const ids = Array.from({ length: 2_300 }, (_, n) => `id-${n}`.padEnd(36, '-'));
    await bridge.ask('release', releaseOf(...ids));
    expect(bridge.answersTo('dev-1').map(({ id }) => id)).toEqual(ids);
    expect(bridge.published.length).toBeGreaterThan(1);
    for (const { payload } of bridge.published) {
      expect(Buffer.byteLength(payload)).toBeLessThan(128 * 1_024);
    }
  });

  it.each([
    ['7', '{"boot":7,"seq":3}'],
    ['b-1', '{"boot":"b-1","seq":3}'],
  ])('of the counted id %s:3 marks its row', async (epoch, counted) => {
    const route = routeOf({ id: sequence('seq', { epoch: 'boot' }) });
    const bridge = new HandshakeHarness(route);
    const body = bodyWith(
      JSON.parse(counted, (_, value) => (value instanceof Object ? value : JSON.stringify(value))),
    );
    const write = exactlyOnceWriteOf(route, deliveryOf(body), messageOf(body, {}, route), 1, NOW);
    await bridge.ledger.book(write);
    await bridge.ask('release', releaseOf(`${epoch}:3`));
    expect(bridge.ledger.get(write.key)?.releasedAt).toBe(RELEASED_AT);
  });

  it('that could mean two rows marks neither, and is completed', async () => {
    const route = routeOf({ id: sequence('seq', { epoch: 'boot' }) });
    const bridge = new HandshakeHarness(route);
    const writes = ['7', '"7"'].map((boot) => {
      const body = bodyWith({ boot, seq: '3' });
      return exactlyOnceWriteOf(route, deliveryOf(body), messageOf(body, {}, route), 1, NOW);
    });
    for (const write of writes) await bridge.ledger.book(write);
    await bridge.ask('release', releaseOf('7:3'));
    expect(bridge.answersTo('dev-1')).toEqual(completed('7:3'));
    for (const { key } of writes) expect(bridge.ledger.get(key)?.releasedAt).toBeUndefined();
  });
});

describe('a query', () => {
  const quarantined = (body: string, reason: 'conflict' | 'late', id: string | undefined) =>
    quarantineRowOf('charges', deliveryOf(body), {
      reason,
      detail: 'a test',
      bodyHash: hashOf(body),
      device: 'dev-1',
      id: id === undefined ? undefined : { kind: 'text', text: id },
      answerTo: 'dev-1',
    });

  it('hears accepted of the very body that is booked, with the time of the booking (I3)', async () => {
    const bridge = harness();
    await bridge.ledger.book(writeOf(BODY));
    await bridge.ask('query', queryOf({ id: 'c-1', bodyHash: hashOf(BODY) }));
    expect(bridge.answersTo('dev-1')).toEqual([
      { id: 'c-1', bodyHash: hashOf(BODY), outcome: 'accepted', bookedAt: NOW },
    ]);
    expect(bridge.counts.get('charges Queried')).toBe(1);
  });

  it('hears unknown of another body under a booked id until that has arrived, then rejected', async () => {
    const bridge = harness();
    await bridge.ledger.book(writeOf(BODY));
    const other = bodyWith({ kWh: '99' });
    const asked = { id: 'c-1', bodyHash: hashOf(other) };
    await bridge.ask('query', queryOf(asked));
    expect(bridge.answersTo('dev-1')).toEqual([{ ...asked, outcome: 'unknown' }]);
    const row = quarantined(other, 'conflict', 'c-1');
    await bridge.quarantine.put({ ...row, fields: ['kWh'] });
    await bridge.ask('query', queryOf(asked));
    expect(bridge.answersTo('dev-1').at(-1)).toEqual({
      ...asked,
      outcome: 'rejected',
      reason: 'conflict',
      detail: 'a test',
      fields: ['kWh'],
    });
  });

  it('hears accepted of a booked body even where the quarantine has it as well', async () => {
    const bridge = harness();
    await bridge.ledger.book(writeOf(BODY));
    await bridge.quarantine.put(quarantined(BODY, 'late', 'c-1'));
    await bridge.ask('query', queryOf({ id: 'c-1', bodyHash: hashOf(BODY) }));
    expect(bridge.answersTo('dev-1')).toMatchObject([{ outcome: 'accepted' }]);
  });

  it('finds a body whose id could not be read by its hash alone', async () => {
    const bridge = harness();
    await bridge.quarantine.put(quarantined('{}', 'late', undefined));
    await bridge.ask('query', queryOf({ bodyHash: hashOf('{}') }, { bodyHash: hashOf('[]') }));
    expect(bridge.answersTo('dev-1')).toMatchObject([
      { bodyHash: hashOf('{}'), outcome: 'rejected', reason: 'late' },
      { bodyHash: hashOf('[]'), outcome: 'unknown' },
    ]);
  });

  it('asks about windowed rows and values as well', async () => {
    const bridge = harness();
    await bridge.dedupRecords.admit(windowWrite(BODY));
    const asked = { id: 'c-1', bodyHash: hashOf(BODY) };
    await bridge.ask('query', { ...queryOf(asked), route: 'events' });
    await bridge.ask('query', { ...queryOf(asked), route: 'status' });
    expect(bridge.answersTo('dev-1').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'unknown',
    ]);
  });
});

describe('a device (I6)', () => {
  it('releases and queries its own ids alone', async () => {
    const bridge = harness();
    await bridge.ledger.book(writeOf(BODY));
    const bodyHash = hashOf(BODY);
    await bridge.ask('release', releaseOf('c-1'), { device: 'dev-2' });
    await bridge.ask('query', queryOf({ id: 'c-1', bodyHash }), { device: 'dev-2' });
    expect(bridge.ledger.get(writeOf(BODY).key)?.releasedAt).toBeUndefined();
    expect(bridge.answersTo('dev-2').map(({ outcome }) => outcome)).toEqual([
      'completed',
      'unknown',
    ]);
  });

  it('asks nothing in the name of another, and neither of them hears of it', async () => {
    const bridge = harness();
    await bridge.ledger.book(writeOf(BODY));
    await bridge.ask('release', releaseOf('c-1'), { clientId: 'dev-2' });
    await bridge.ask('query', queryOf({ id: 'c-1', bodyHash: hashOf(BODY) }), { clientId: 'n/a' });
    expect(bridge.published).toEqual([]);
    expect(bridge.ledger.get(writeOf(BODY).key)?.releasedAt).toBeUndefined();
    expect(bridge.counts.get('charges Unreadable')).toBe(2);
  });

  it('may be spoken for by a gateway where the route trusts one', async () => {
    const bridge = new HandshakeHarness(routeOf({ trustTopicLevel: 'our gateways' }));
    await bridge.ledger.book(writeOf(BODY));
    await bridge.ask('release', releaseOf('c-1'), { clientId: 'gateway-1' });
    expect(bridge.answersTo('dev-1')).toEqual(completed('c-1'));
  });
});

describe('a request that cannot be served', () => {
  it('gets no answer and is counted when it is no JSON', async () => {
    const bridge = harness();
    await bridge.ask('release', 'x');
    expect(bridge.published).toEqual([]);
    expect(bridge.counts.get('- Unreadable')).toBe(1);
    expect(bridge.flushes).toBe(1);
  });

  it.each(['no', 'constructor'])(
    'is left to another bridge of the account when it names the route %s, which is not here',
    async (route) => {
      const bridge = harness();
      await bridge.ask('release', { ...releaseOf('a'), route });
      expect(bridge.published).toEqual([]);
      expect(Object.fromEntries(bridge.counts)).toEqual({});
    },
  );

  it('is counted when its envelope is none', async () => {
    const bridge = harness();
    for (const event of [null, 7, {}, []]) await bridge.handle(event);
    expect(bridge.counts.get('- Unreadable')).toBe(4);
  });

  it('is answered as far as it can be read', async () => {
    const bridge = harness();
    await bridge.ask('release', releaseOf('a', 1.5, 'b'));
    expect(bridge.answersTo('dev-1')).toEqual(completed('a', 'b'));
    expect(bridge.counts.get('charges Unreadable')).toBe(1);
  });
});

it('answers stand in the order of their questions, however long each took', async () => {
  const bridge = harness();
  bridge.beforeStore = async (id) => {
    if (id === 'a') for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };
  await bridge.ask('release', releaseOf('a', 'b', 'c'));
  expect(bridge.answersTo('dev-1')).toEqual(completed('a', 'b', 'c'));
});

describe('what a table does not answer, the bridge does not either (I3)', () => {
  it('and the invocation fails, while the other ids have their answer', async () => {
    const bridge = harness();
    bridge.beforeStore = async (id) => {
      if (id === 'b') throw new RetryableError('down');
    };
    await expect(bridge.ask('release', releaseOf('a', 'b', 'c'))).rejects.toThrow(RetryableError);
    expect(bridge.answersTo('dev-1')).toEqual(completed('a', 'c'));
    expect(bridge.flushes).toBe(1);
  });

  it('nor when the deadline comes first', async () => {
    const bridge = harness();
    bridge.beforeStore = (id) => (id === 'b' ? new Promise(() => {}) : Promise.resolve());
    const asked = bridge.ask('release', releaseOf('a', 'b'), { remainingMillis: 3_020 });
    await expect(asked).rejects.toThrow(RetryableError);
    expect(bridge.answersTo('dev-1')).toEqual(completed('a'));
  });

  it('nor when there is no time left at all', async () => {
    const bridge = harness();
    const stored: string[] = [];
    bridge.beforeStore = async (id) => {
      stored.push(id);
    };
    const asked = bridge.ask('release', releaseOf('a'), { remainingMillis: 0 });
    await expect(asked).rejects.toThrow(RetryableError);
    expect(bridge.published).toEqual([]);
    expect(stored).toEqual([]);
  });

  it('and one lost answer of several makes it fail', async () => {
    const bridge = harness();
    let publications = 0;
    bridge.beforePublish = async () => {
      if (publications++ === 0) throw new RetryableError('throttled');
    };
    const ids = Array.from({ length: 4_000 }, (_, n) => `${n}`);
    await expect(bridge.ask('release', releaseOf(...ids))).rejects.toThrow(RetryableError);
    expect(publications).toBe(2);
  });

  it('and a lost answer makes it fail', async () => {
    const bridge = harness();
    bridge.beforePublish = async () => {
      throw new RetryableError('throttled');
    };
    await expect(bridge.ask('release', releaseOf('a'))).rejects.toThrow(RetryableError);
    expect(bridge.counts.get('charges ReceiptsLost')).toBe(1);
  });
});

it('answers go out with the quality of the route, at 0 where it sends no receipts', async () => {
  for (const [receipts, qos] of [
    [1, 1],
    [0, 0],
    ['none', 0],
  ] as const) {
    const bridge = new HandshakeHarness(routeOf({ receipts }));
    await bridge.ask('release', releaseOf('a'));
    expect(bridge.published).toMatchObject([{ qos }]);
  }
});
