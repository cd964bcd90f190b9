/** Goal: the sender's rules of the protocol, one by one, on a clock that the test moves. */
import { describe, expect, it } from 'vitest';
import { receipt, settle, startWorld, type World } from '../fake-world.ts';

async function keepMany(world: World, count: number, route = 'charges'): Promise<void> {
  for (let n = 0; n < count; n++) await world.enqueue(route, { n }, `id-${n}`);
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `id-${from + n}`);

describe('a message', () => {
  it('is not sent before its id and bytes are on disk', async () => {
    const world = await startWorld();
    world.sender.up();
    let open = () => {};
    world.store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const enqueueing = world.enqueue('charges', { n: 1 }, 'a');
    await settle();
    expect(world.transport.sent).toEqual([]);
    expect(world.outbox.find('charges', { kind: 'text', text: 'a' })?.state).toBe('writing');
    open();
    await enqueueing;
    await settle();
    expect(world.ids()).toEqual(['a']);
  });

  it('is never sent when the disk did not take it', async () => {
    const world = await startWorld();
    world.sender.up();
    world.store.isFailing = true;
    await expect(world.enqueue('charges', { n: 1 }, 'a')).rejects.toMatchObject({
      code: 'store-failed',
    });
    await world.timers.advance(700_000);
    expect(world.transport.sent).toEqual([]);
    expect(world.outbox.stats()).toEqual({ messages: 0, bytes: 0 });
  });

  it('is sent again, byte for byte, after 30 s, then doubled up to 10 minutes', async () => {
    const world = await startWorld();
    world.sender.up();
    await world.enqueue('charges', { n: 1 }, 'a');
    await world.timers.advance(2_600_000);
    const waits = world.transport.sent.map(({ at }) => at / 1_000);
    expect(waits).toEqual([0, 30, 90, 210, 450, 930, 1_530, 2_130]);
    expect(new Set(world.transport.sent.map(({ text }) => text)).size).toBe(1);
    expect(world.told.filter(({ name }) => name === 'sent')).toHaveLength(8);
  });

  it('is not held back by a PUBACK, and not sent again because of one', async () => {
    const world = await startWorld();
    world.transport.acknowledges = false;
    world.sender.up();
    await world.enqueue('charges', { n: 1 }, 'a');
    await world.timers.advance(10_000);
    world.transport.sent[0]?.answer({ kind: 'acknowledged' });
    await world.timers.advance(19_999);
    expect(world.ids()).toEqual(['a']);
    await world.timers.advance(1);
    expect(world.ids()).toEqual(['a', 'a']);
  });

  it('that a PUBACK of MQTT 5 refused counts as not delivered, and is told', async () => {
    const world = await startWorld();
    world.transport.acknowledges = false;
    world.sender.up();
    const entry = await world.enqueue('charges', { n: 1 }, 'a');
    await settle();
    world.transport.sent[0]?.answer({ kind: 'refused', reasonCode: 0x97 });
    await settle();
    const told = world.told.filter(({ name }) => name === 'not-delivered');
    expect(told).toEqual([
      { name: 'not-delivered', args: [{ route: 'charges', id: 'a', reasonCode: 0x97 }] },
    ]);
    expect(entry.state).toBe('pending');
    await world.timers.advance(30_000);
    expect(world.ids()).toEqual(['a', 'a']);
  });

  it('is sent no more once it is booked or rejected', async () => {
    const world = await startWorld();
    world.sender.up();
    const one = await world.enqueue('charges', { n: 1 }, 'a');
    const two = await world.enqueue('charges', { n: 2 }, 'b');
    await settle();
    await world.answer('charges', receipt(one), receipt(two, 'rejected', { reason: 'late' }));
    await world.timers.advance(3_600_000);
    expect(world.ids()).toEqual(['a', 'b']);
    expect(world.sender.inFlight).toBe(0);
  });

  it('whose bytes the disk has changed is not sent, and is told', async () => {
    const world = await startWorld();
    await world.enqueue('charges', { n: 1 }, 'a');
    for (const [key] of world.store.disk) {
      if (key.startsWith('body/')) world.store.disk.set(key, Buffer.from('{"id":"a","n":2}'));
    }
    world.sender.up();
    await world.timers.advance(30_000);
    expect(world.transport.sent).toEqual([]);
    const [problem] = world.told.filter(({ name }) => name === 'error');
    expect(problem?.args[0]).toMatchObject({ code: 'store-failed' });
  });
});

describe('the window', () => {
  it('has 100 places, and a message keeps its place until it is answered', async () => {
    const world = await startWorld({ perSecondMax: 10_000 });
    await keepMany(world, 250);
    world.sender.up();
    await settle();
    expect(world.ids()).toEqual(names(0, 100));
    await world.timers.advance(40_000);
    // All 100 again after their time-out; the others wait.
    expect(new Set(world.ids())).toEqual(new Set(names(0, 100)));
    const entry = world.outbox.find('charges', { kind: 'text', text: 'id-7' });
    if (entry === undefined) throw new Error('it is held');
    await world.answer('charges', receipt(entry));
    expect(world.ids().at(-1)).toBe('id-100');
    expect(world.sender.inFlight).toBe(100);
  });

  it('stands still while 100 packets have no PUBACK, and goes on with the next', async () => {
    const world = await startWorld({ perSecondMax: 10_000 });
    world.transport.acknowledges = false;
    await keepMany(world, 100);
    world.sender.up();
    await world.timers.advance(65_000);
    expect(world.transport.sent).toHaveLength(100);
    world.transport.sent[0]?.answer({ kind: 'acknowledged' });
    await settle();
    expect(world.transport.sent).toHaveLength(101);
  });

  it('lets 100 publications a second out on one connection, in any second', async () => {
    const world = await startWorld({ inFlightMax: 1_000 });
    await keepMany(world, 350);
    world.sender.up();
    await world.timers.advance(3_500);
    const times = world.transport.sent.map(({ at }) => at);
    expect(times).toHaveLength(350);
    for (const [n, at] of times.entries()) {
      expect(at - (times[n - 100] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(1_000);
    }
  });
});

describe('the limit of a connection', () => {
  it('holds at every moment, whatever wakes the sender', async () => {
    const world = await startWorld({ inFlightMax: 1_000 });
    await keepMany(world, 150);
    world.sender.up();
    await world.timers.advance(950);
    await world.enqueue('charges', {}, 'new');
    await settle();
    expect(world.transport.sent).toHaveLength(100);
    await world.timers.advance(50);
    expect(world.transport.sent).toHaveLength(151);
  });
});

describe('a reconnection', () => {
  it('sends what has no receipt again, in its order, before anything new', async () => {
    const world = await startWorld();
    world.sender.up();
    await keepMany(world, 5);
    await settle();
    world.sender.down();
    for (const id of ['id-5', 'id-6']) await world.enqueue('charges', {}, id);
    await world.timers.advance(100_000);
    expect(world.ids()).toEqual(names(0, 5));
    world.sender.up();
    await settle();
    expect(world.ids().slice(5)).toEqual(names(0, 7));
  });

  it('begins with waits of 30 s and an open limit', async () => {
    const world = await startWorld();
    world.sender.up();
    await world.enqueue('charges', {}, 'a');
    await world.timers.advance(100_000);
    world.sender.down();
    world.sender.up();
    await world.timers.advance(29_999);
    expect(world.ids()).toHaveLength(4);
    await world.timers.advance(1);
    expect(world.ids()).toHaveLength(5);
  });

  it('in the middle of reading a body sends it once on the new connection', async () => {
    const world = await startWorld();
    await world.enqueue('charges', {}, 'a');
    world.sender.up();
    world.sender.down();
    world.sender.up();
    await settle();
    expect(world.ids()).toEqual(['a']);
  });

  it('sends nothing while there is none', async () => {
    const world = await startWorld();
    await world.enqueue('charges', {}, 'a');
    await world.timers.advance(1_000_000);
    expect(world.transport.sent).toEqual([]);
  });
});

describe('a start with a full outbox', () => {
  it('sends what was left, the same bytes in the same order, before anything new', async () => {
    const before = await startWorld();
    await keepMany(before, 30);
    before.sender.up();
    await settle();
    const after = await startWorld({}, before.store.disk);
    await after.enqueue('charges', {}, 'new');
    after.sender.up();
    await settle();
    expect(after.ids()).toEqual([...names(0, 30), 'new']);
    expect(after.transport.sent.slice(0, 30).map(({ text }) => text)).toEqual(
      before.transport.sent.map(({ text }) => text),
    );
  });

  it('asks first where it was told to, and sends what the bridge does not know', async () => {
    const before = await startWorld();
    await keepMany(before, 3);
    const world = await startWorld({ queryBeforeResend: true }, before.store.disk);
    world.sender.up();
    await settle();
    const entries = [...world.outbox.entries()];
    const [query] = world.transport.sent;
    expect(world.transport.sent).toHaveLength(1);
    expect(query).toMatchObject({ topic: 'tollbridge/m/query', qos: 1 });
    expect(JSON.parse(query?.text ?? '')).toEqual({
      v: 1,
      route: 'charges',
      messages: entries.map(({ record }) => ({
        id: record.id.kind === 'text' && record.id.text,
        bodyHash: record.hash,
      })),
    });
    const [one, two, three] = entries;
    if (!one || !two || !three) throw new Error('three are held');
    await world.answer(
      'charges',
      receipt(one),
      receipt(two, 'unknown'),
      receipt(three, 'rejected', { reason: 'late' }),
    );
    expect(world.ids()).toEqual(['id-1']);
    expect(one.receipt).toMatchObject({ outcome: 'accepted' });
    expect(world.outbox.rejected.count).toBe(1);
  });

  it('asks by route, and hears an `unknown` only of what it asked', async () => {
    const before = await startWorld();
    await before.enqueue('charges', {}, 'a');
    await before.enqueue('full', {}, 'b');
    const world = await startWorld({ queryBeforeResend: true }, before.store.disk);
    world.sender.up();
    await settle();
    const queries = world.transport.on('tollbridge/m/query');
    expect(queries.map(({ text }) => (JSON.parse(text) as { route: string }).route)).toEqual([
      'charges',
      'full',
    ]);
    const [entry] = world.outbox.entries();
    if (entry === undefined) throw new Error('one is held');
    await world.answer('charges', receipt(entry, 'unknown'));
    await world.answer('charges', receipt(entry, 'unknown'));
    expect(world.ids()).toEqual(['a']);
  });

  it('asks one window long where the bridge does not answer, and of no body without an id', async () => {
    const before = await startWorld();
    await before.enqueue('hashed', { at: 1 });
    await keepMany(before, 250);
    const settings = { queryBeforeResend: true, perSecondMax: 1_000, inFlightMax: 100 };
    const world = await startWorld(settings, before.store.disk);
    world.sender.up();
    await settle();
    expect(world.transport.on('hashed/m')).toHaveLength(1);
    expect(world.ids()).toEqual([]);
    const answerAll = () => {
      const sent = [...world.outbox.entries()].filter(({ tries }) => tries > 0);
      return Promise.all(sent.map((each) => world.answer(each.record.route, receipt(each))));
    };
    await world.timers.advance(30_000);
    for (let round = 0; round < 4; round++) await answerAll();
    expect(new Set(world.ids()).size).toBe(250);
    expect(world.transport.on('tollbridge/m/query')).toHaveLength(1);
    expect(world.outbox.stats().messages).toBe(0);
  });

  it('sends what a query had no answer for, and asks only about what it may have sent', async () => {
    const before = await startWorld();
    await keepMany(before, 2);
    const world = await startWorld({ queryBeforeResend: true }, before.store.disk);
    world.sender.up();
    await world.enqueue('charges', {}, 'new');
    await world.timers.advance(29_999);
    expect(world.ids()).toEqual(['new']);
    await world.timers.advance(1);
    expect(world.ids().toSorted()).toEqual(['id-0', 'id-1', 'new', 'new']);
    expect(world.transport.on('tollbridge/m/query')).toHaveLength(1);
    // After a reconnection all of them are in doubt.
    world.sender.down();
    world.sender.up();
    await settle();
    const asked = JSON.parse(world.transport.on('tollbridge/m/query')[1]?.text ?? '') as {
      messages: object[];
    };
    expect(asked.messages).toHaveLength(3);
  });
});
