/** Goal: the second half of the full handshake, on a clock that the test moves. */
import { describe, expect, it } from 'vitest';
import { Releases } from '../../../device/publish/releases.ts';
import { receipt, settle, startWorld } from '../fake-world.ts';

describe('a full handshake', () => {
  const RELEASE = 'tollbridge/m/release';

  it('keeps the id, gathers ids into one release, and forgets them when completed', async () => {
    const world = await startWorld();
    world.sender.up();
    const entries = [];
    for (const id of ['a', 'b', 'c']) entries.push(await world.enqueue('full', {}, id));
    await settle();
    await world.answer('full', ...entries.map((entry) => receipt(entry)));
    expect(world.outbox.stats()).toEqual({ messages: 3, bytes: 0 });
    expect(world.transport.on(RELEASE)).toEqual([]);
    await world.timers.advance(1_000);
    expect(world.transport.on(RELEASE).map(({ text }) => JSON.parse(text))).toEqual([
      { v: 1, route: 'full', ids: ['a', 'b', 'c'] },
    ]);
    await world.answer(
      'full',
      { id: 'a', outcome: 'completed' },
      { id: 'b', outcome: 'completed' },
    );
    await world.timers.advance(30_000);
    expect(JSON.parse(world.transport.on(RELEASE)[1]?.text ?? '')).toMatchObject({ ids: ['c'] });
    await world.answer('full', { id: 'c', outcome: 'completed' });
    await world.timers.advance(3_600_000);
    expect(world.transport.on(RELEASE)).toHaveLength(2);
    expect(world.outbox.stats()).toEqual({ messages: 0, bytes: 0 });
    expect([...world.store.disk.keys()]).toEqual(['owner/outbox']);
    expect(world.ids('full/m')).toEqual(['a', 'b', 'c']);
  });

  it('releases no id while one of its packets has no PUBACK', async () => {
    const world = await startWorld();
    world.transport.acknowledges = false;
    world.sender.up();
    const entry = await world.enqueue('full', {}, 'a');
    await world.timers.advance(30_000);
    const [first, second] = world.transport.on('full/m');
    await world.answer('full', receipt(entry));
    first?.answer({ kind: 'acknowledged' });
    await world.timers.advance(10_000);
    expect(world.transport.on(RELEASE)).toEqual([]);
    second?.answer({ kind: 'acknowledged' });
    await world.timers.advance(1_000);
    expect(world.transport.on(RELEASE)).toHaveLength(1);
  });

  it('releases it after the session of such a packet is discarded', async () => {
    const world = await startWorld();
    world.transport.acknowledges = false;
    world.sender.up();
    const entry = await world.enqueue('full', {}, 'a');
    await settle();
    await world.answer('full', receipt(entry));
    world.sender.down();
    world.transport.sent[0]?.answer({ kind: 'lost' });
    await world.timers.advance(10_000);
    expect(world.transport.on(RELEASE)).toEqual([]);
    world.sender.up();
    await world.timers.advance(1_000);
    expect(world.transport.on(RELEASE)).toHaveLength(1);
  });

  it('repeats a release after a reconnection and with back-off, until it is completed', async () => {
    const world = await startWorld();
    world.sender.up();
    await world.answer('full', receipt(await world.enqueue('full', {}, 'a')));
    await world.timers.advance(95_000);
    expect(world.transport.on(RELEASE).map(({ at }) => at)).toEqual([1_000, 31_000, 91_000]);
    world.sender.down();
    world.sender.up();
    await settle();
    expect(world.transport.on(RELEASE)).toHaveLength(4);
  });

  it('releases nothing for a packet that was lost while the connection stands', async () => {
    const world = await startWorld();
    world.transport.acknowledges = false;
    world.sender.up();
    const entry = await world.enqueue('full', {}, 'a');
    await settle();
    await world.answer('full', receipt(entry));
    world.transport.sent[0]?.answer({ kind: 'lost' });
    await world.timers.advance(10_000);
    expect(world.transport.on(RELEASE)).toEqual([]);
  });

  it('takes a late PUBACK of an old connection for nothing', async () => {
    const world = await startWorld();
    world.transport.acknowledges = false;
    world.sender.up();
    const entry = await world.enqueue('full', {}, 'a');
    await settle();
    world.sender.down();
    world.sender.up();
    await settle();
    await world.answer('full', receipt(entry));
    const [old, fresh] = world.transport.on('full/m');
    old?.answer({ kind: 'acknowledged' });
    await world.timers.advance(10_000);
    expect(world.transport.on(RELEASE)).toEqual([]);
    fresh?.answer({ kind: 'acknowledged' });
    await world.timers.advance(1_000);
    expect(world.transport.on(RELEASE)).toHaveLength(1);
  });

  it('hears `completed` only of what it released', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('full', {}, 'a');
    await settle();
    await world.answer('full', receipt(entry));
    await world.answer('full', { id: 'a', outcome: 'completed' });
    expect(entry.state).toBe('booked');
    await world.timers.advance(1_000);
    await world.answer('full', { id: 'a', outcome: 'completed' });
    expect(entry.state).toBe('settled');
  });

  it('begins its waits anew with each connection', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('full', {}, 'a');
    await settle();
    await world.answer('full', receipt(entry));
    await world.timers.advance(200_000);
    world.sender.down();
    world.sender.up();
    await settle();
    const before = world.transport.on(RELEASE).length;
    await world.timers.advance(30_000);
    expect(world.transport.on(RELEASE)).toHaveLength(before + 1);
  });

  it('gives no id to two releases', async () => {
    const world = await startWorld();
    const entry = await world.enqueue('full', {}, 'a');
    const releases = new Releases(0, { firstMillis: 1_000, maxMillis: 1_000 }, () => 0);
    releases.add(entry, 0);
    const batch = releases.next(0);
    if (batch === undefined) throw new Error('one is ready');
    releases.wait(batch, 0);
    releases.add(entry, 0);
    expect(releases.next(0)).toBeUndefined();
    expect(releases.next(1_000)).toBe(batch);
  });

  it('goes on with its releases after a restart, and never sends those messages again', async () => {
    const before = await startWorld();
    before.sender.up();
    await before.answer('full', receipt(await before.enqueue('full', {}, 'a')));
    await before.enqueue('full', {}, 'b');
    const world = await startWorld({}, before.store.disk);
    world.sender.up();
    await world.timers.advance(1_000);
    expect(world.ids('full/m')).toEqual(['b']);
    expect(JSON.parse(world.transport.on(RELEASE)[0]?.text ?? '')).toMatchObject({ ids: ['a'] });
  });

  it('never releases an id whose booking the disk did not take', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('full', {}, 'a');
    const answered = world.outbox.answerTo(entry);
    await settle();
    world.store.isFailing = true;
    await world.answer('full', receipt(entry));
    expect(await answered).toMatchObject({ outcome: 'accepted' });
    await world.timers.advance(3_600_000);
    world.sender.down();
    world.sender.up();
    await world.timers.advance(3_600_000);
    expect(world.transport.on(RELEASE)).toEqual([]);
    expect(world.told.filter(({ name }) => name === 'error')).toHaveLength(1);
  });

  it('releases many ids in publications of up to 100', async () => {
    const world = await startWorld({ perSecondMax: 10_000, inFlightMax: 1_000 });
    world.sender.up();
    const entries = [];
    for (let n = 0; n < 250; n++) entries.push(await world.enqueue('full', { n }, `id-${n}`));
    await settle();
    await world.answer('full', ...entries.map((entry) => receipt(entry)));
    await world.timers.advance(1_000);
    const counts = world.transport
      .on(RELEASE)
      .map(({ text }) => (JSON.parse(text) as { ids: string[] }).ids.length);
    expect(counts).toEqual([100, 100, 50]);
  });

  it('keeps a release of long ids within what a broker takes', async () => {
    const world = await startWorld();
    world.sender.up();
    // Each control character takes six bytes in JSON.
    for (let n = 0; n < 100; n++) {
      const id = `${n}${'\u0001'.repeat(250)}`;
      await world.answer('full', receipt(await world.enqueue('full', {}, id)));
    }
    await world.timers.advance(5_000);
    const sizes = world.transport.on(RELEASE).map(({ payload }) => payload.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(92_160);
    expect(sizes.length).toBeGreaterThan(1);
  });
});
