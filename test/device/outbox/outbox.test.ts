/** Goal: the rules of the outbox, one by one. `outbox-history.test.ts` tries them together. */
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import type { Entry } from '../../../device/outbox/entry.ts';
import { openOutbox } from '../../../device/outbox/start.ts';
import { startWorld, type World } from '../fake-world.ts';
import { MemoryStore } from '../memory-store.ts';

const at = epochMillis(5);
const idOf = (text: string) => ({ kind: 'text' as const, text });
const enqueue = (world: World, id: string, body: object = {}, route = 'charges') =>
  world.outbox.enqueue(world.draft(route, body, id));

describe('an id', () => {
  it('with the same body is the same message: one place, one write, one promise', async () => {
    const world = await startWorld();
    const one = enqueue(world, 'a', { n: 1 });
    const two = enqueue(world, 'a', { n: 1 });
    expect(two.entry).toBe(one.entry);
    expect(two.isNew).toBe(false);
    expect(world.outbox.answerTo(two.entry)).toBe(world.outbox.answerTo(one.entry));
    await Promise.all([one.written, two.written]);
    expect(world.outbox.stats().messages).toBe(1);
    expect(world.store.count('message')).toBe(1);
  });

  it('with the same body waits for the same flush', async () => {
    const world = await startWorld();
    world.store.isFailing = true;
    const kept = [enqueue(world, 'a').written, enqueue(world, 'a').written];
    for (const each of kept) await expect(each).rejects.toMatchObject({ code: 'store-failed' });
  });

  it('that the disk did not take rejects for whoever asked for its receipt meanwhile', async () => {
    const world = await startWorld();
    world.store.isFailing = true;
    const { entry, written } = enqueue(world, 'a');
    const receipt = world.outbox.answerTo(entry);
    await expect(written).rejects.toMatchObject({ code: 'store-failed' });
    await expect(receipt).rejects.toMatchObject({ code: 'store-failed' });
  });

  it('with another body is a conflict while it is held, and the held one is not touched', async () => {
    const world = await startWorld();
    const { entry, written } = enqueue(world, 'a', { n: 1 });
    await written;
    expect(() => enqueue(world, 'a', { n: 2 })).toThrow(
      expect.objectContaining({ code: 'conflict', route: 'charges', id: 'a' }),
    );
    expect(Buffer.from(await world.outbox.body(entry)).toString()).toBe('{"n":1,"id":"a"}');
    // On another route it is another message.
    expect(enqueue(world, 'a', { n: 2 }, 'full').isNew).toBe(true);
  });

  it('that is being released answers the same body with its receipt, and no other', async () => {
    const world = await startWorld();
    const { entry, written } = enqueue(world, 'a', { n: 1 }, 'full');
    await written;
    await world.outbox.book(entry, 'accepted', at);
    const again = enqueue(world, 'a', { n: 1 }, 'full');
    expect(await world.outbox.answerTo(again.entry)).toMatchObject({ bookedAt: 5, id: 'a' });
    expect(() => enqueue(world, 'a', { n: 2 }, 'full')).toThrow(
      expect.objectContaining({ code: 'id-in-use' }),
    );
    await world.outbox.complete(entry);
    expect(enqueue(world, 'a', { n: 2 }, 'full').isNew).toBe(true);
  });

  it('that was rejected refuses that very body, and takes a corrected one', async () => {
    const world = await startWorld();
    const { entry, written } = enqueue(world, 'a', { n: 1 });
    await written;
    const why = { reason: 'late', detail: undefined, fields: undefined };
    await world.outbox.reject(entry, why);
    expect(() => enqueue(world, 'a', { n: 1 })).toThrow(
      expect.objectContaining({ code: 'rejected', reason: 'late' }),
    );
    const corrected = enqueue(world, 'a', { n: 2 });
    await corrected.written;
    await world.outbox.reject(corrected.entry, why);
    expect(world.outbox.rejected.count).toBe(2);
    expect(await world.outbox.rejected.discard('charges', idOf('a'))).toBe(2);
    expect(await world.outbox.rejected.discard('charges', idOf('a'))).toBe(0);
    expect(world.outbox.stats()).toEqual({ messages: 0, bytes: 0 });
    expect([...world.store.disk.keys()]).toEqual(['owner/outbox']);
  });
});

describe('a rejection', () => {
  it('moves the message in one write, whole, and lists it with its reason after a restart', async () => {
    const world = await startWorld();
    const { entry, written } = enqueue(world, 'a', { n: 1 });
    await written;
    const answered = world.outbox.answerTo(entry);
    const fields = ['kWh'];
    await world.outbox.reject(entry, { reason: 'conflict', detail: 'they differ', fields });
    await expect(answered).rejects.toMatchObject({ code: 'rejected', reason: 'conflict', fields });
    const last = world.store.writes.at(-1)?.map(({ area, value }) => [area, value !== undefined]);
    expect(last).toEqual([
      ['message', false],
      ['rejected', true],
    ]);
    const again = await startWorld({}, world.store.disk);
    expect([...again.outbox.entries()]).toEqual([]);
    const lines = [];
    for await (const line of again.outbox.rejected.lines()) lines.push(JSON.parse(line));
    expect(lines).toEqual([
      {
        route: 'charges',
        id: 'a',
        topic: 'billing/m/charges',
        reason: 'conflict',
        detail: 'they differ',
        fields,
        bodyHash: entry.record.hash,
        body: '{"n":1,"id":"a"}',
        publishedAt: '2023-11-14T22:13:20.000Z',
        rejectedAt: '2023-11-14T22:13:20.000Z',
      },
    ]);
  });
});

describe('a counter', () => {
  const numbers = (entries: readonly Entry[]) =>
    entries.map(({ record }) => (record.id.kind === 'text' ? record.id.text : ''));

  it('goes on after a restart, and is written with its message', async () => {
    const world = await startWorld();
    const one = await world.enqueue('counted', {});
    const two = await world.enqueue('counted', {});
    const [epoch] = numbers([one])[0]?.split(':') ?? [];
    expect(numbers([one, two])).toEqual([`${epoch}:1`, `${epoch}:2`]);
    const areas = world.store.writes.at(-1)?.map(({ area }) => area);
    expect(areas).toEqual(['message', 'body', 'counter']);
    const again = await startWorld({}, world.store.disk);
    expect(numbers([await again.enqueue('counted', {})])).toEqual([`${epoch}:3`]);
  });

  it('begins a new epoch in a new store', async () => {
    const one = await (await startWorld()).enqueue('counted', {});
    const two = await (await startWorld()).enqueue('counted', {});
    expect(numbers([one])[0]).not.toBe(numbers([two])[0]);
  });

  it('spends no number on a body that is refused', async () => {
    const world = await startWorld({}, undefined, { messages: 1, bytes: 1_000 });
    expect(() => world.draft('counted', { a: Number.NaN })).toThrow(/NaN/);
    expect(() => world.draft('counted', { a: 'x'.repeat(100_000) })).toThrow(/split it/);
    const one = await world.enqueue('counted', {});
    await expect(world.enqueue('counted', {})).rejects.toMatchObject({ code: 'outbox-full' });
    await world.outbox.book(one, 'accepted', at);
    expect(numbers([await world.enqueue('counted', {})])[0]).toMatch(/:2$/);
  });
});

describe('the limits', () => {
  it('count what is pending, being kept, rejected, and not yet completed', async () => {
    const world = await startWorld({}, undefined, { messages: 3, bytes: 1_000 });
    await world.outbox.book((await world.enqueue('full', {}, 'a')) as Entry, 'accepted', at);
    const why = { reason: 'late', detail: undefined, fields: undefined };
    await world.outbox.reject(await world.enqueue('charges', {}, 'b'), why);
    const { written } = enqueue(world, 'c');
    expect(() => enqueue(world, 'd')).toThrow(
      expect.objectContaining({
        code: 'outbox-full',
        message: expect.stringContaining('1 of them rejected; 3 messages is its limit'),
      }),
    );
    await written;
    await world.outbox.rejected.discard('charges', idOf('b'));
    expect(enqueue(world, 'd').isNew).toBe(true);
  });

  it('count bytes of bodies, which are gone once they are booked', async () => {
    const world = await startWorld({}, undefined, { messages: 100, bytes: 60 });
    const body = { text: 'x'.repeat(20) };
    const entry = await world.enqueue('full', body, 'a');
    expect(world.outbox.stats().bytes).toBe(entry.record.size);
    expect(() => enqueue(world, 'b', body)).toThrow(/60 bytes is its limit/);
    await world.outbox.book(entry, 'accepted', at);
    expect(world.outbox.stats()).toEqual({ messages: 1, bytes: 0 });
    await world.enqueue('charges', body, 'b');
    expect(world.store.bytes('body')).toBe(world.outbox.stats().bytes);
  });
});

describe('a start', () => {
  const open = (store: MemoryStore, device: string) =>
    openOutbox(device, {
      store,
      limits: { messages: 10, bytes: 1_000 },
      clock: () => at,
      drawEpoch: () => 'e',
      onError: () => {},
    });

  it('refuses the outbox of another device', async () => {
    const store = new MemoryStore();
    await open(store, 'meter-17');
    await expect(open(store, 'meter-18')).rejects.toMatchObject({
      code: 'invalid-options',
      message: expect.stringContaining('belongs to the device "meter-17"'),
    });
  });

  it('refuses a layout or a record that it does not know, and changes nothing', async () => {
    const store = new MemoryStore();
    await open(store, 'm');
    store.disk.set('message/0000000000000001', Buffer.from('{}'));
    const before = [...store.disk];
    await expect(open(store, 'm')).rejects.toMatchObject({ code: 'store-failed' });
    store.disk.set('owner/outbox', Buffer.from('{"layout":2,"device":"m"}'));
    await expect(open(store, 'm')).rejects.toThrow(/layout 2/);
    expect([...store.disk.keys()]).toEqual(before.map(([key]) => key));
  });
});
