/** Goal: receipts change what they name and nothing else, whatever they say. */
import { describe, expect, it } from 'vitest';
import { receipt, settle, startWorld, TOPIC } from '../fake-world.ts';

describe('an answer', () => {
  it.each<[string, (hash: string) => object]>([
    [
      'another body',
      () => ({ id: 'a', bodyHash: '0'.repeat(64), outcome: 'accepted', bookedAt: 1 }),
    ],
    ['another id', (bodyHash) => ({ id: 'b', bodyHash, outcome: 'accepted', bookedAt: 1 })],
    ['a number for a text', (bodyHash) => ({ id: 1, bodyHash, outcome: 'accepted', bookedAt: 1 })],
    ['no id, but booked', (bodyHash) => ({ bodyHash, outcome: 'accepted', bookedAt: 1 })],
    ['no time', (bodyHash) => ({ id: 'a', bodyHash, outcome: 'accepted' })],
    ['an early completed', () => ({ id: 'a', outcome: 'completed' })],
    ['an empty reason', (bodyHash) => ({ id: 'a', bodyHash, outcome: 'rejected', reason: '' })],
    ['no reason', (bodyHash) => ({ id: 'a', bodyHash, outcome: 'rejected' })],
  ])('with %s changes nothing, and is told', async (_, answerOf) => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('charges', {}, 'a');
    await settle();
    await world.answer('charges', answerOf(entry.record.hash));
    expect(entry.state).toBe('pending');
    expect(world.told.filter(({ name }) => name === 'ignored')).toHaveLength(1);
    await world.answer('other', receipt(entry));
    expect(entry.state).toBe('pending');
    await world.answer('charges', receipt(entry));
    expect(entry.state).toBe('settled');
  });

  it('of a message that is not on disk yet is none of it', async () => {
    const world = await startWorld();
    world.sender.up();
    let open = () => {};
    world.store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const { entry, written } = world.outbox.enqueue(world.draft('charges', {}, 'a'));
    await world.answer('charges', receipt(entry));
    open();
    await written;
    expect(entry.state).toBe('pending');
    const ignored = world.told.filter(({ name }) => name === 'ignored');
    expect(ignored).toEqual([
      { name: 'ignored', args: [{ why: expect.stringContaining('which was never sent') }] },
    ]);
  });

  it('that could not read the id rejects the message by its hash', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('charges', {}, 'a');
    const answered = world.outbox.answerTo(entry);
    await settle();
    const { hash: bodyHash } = entry.record;
    await world.answer('charges', { bodyHash, outcome: 'rejected', reason: 'missing-id' });
    await expect(answered).rejects.toMatchObject({ code: 'rejected', reason: 'missing-id' });
  });

  it('is matched by the hash alone where the bridge makes the id of the body', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('hashed', { at: 1 });
    await settle();
    const { hash: bodyHash } = entry.record;
    await world.answer('hashed', { id: 'sha:00', bodyHash, outcome: 'duplicate', bookedAt: 5 });
    expect(entry.receipt).toMatchObject({ outcome: 'duplicate', bookedAt: 5 });
  });

  it('is noted of a rejected body whose id the bridge makes, under the id that the device knows', async () => {
    const world = await startWorld();
    world.sender.up();
    const { record } = await world.enqueue('hashed', { at: 1 });
    const bodyHash = record.hash;
    await settle();
    const why = { outcome: 'rejected', reason: 'early' };
    await world.answer('hashed', { id: 'sha:00', bodyHash, ...why });
    const booked = { bodyHash, outcome: 'accepted', bookedAt: 5 };
    await world.answer('hashed', { id: 'sha:00', ...booked }, booked);
    const listed = [];
    for await (const message of world.outbox.rejected.list()) listed.push(message);
    expect(listed).toMatchObject([{ reason: 'early', bookedLaterAt: 5 }]);
    const told = world.told.filter(({ name }) => name === 'receipt');
    expect(told).toEqual([
      { name: 'receipt', args: [{ route: 'hashed', id: bodyHash, ...booked }] },
    ]);
  });

  it('does not bring back a rejected message that is being discarded', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('charges', {}, 'a');
    await settle();
    await world.answer('charges', receipt(entry, 'rejected', { reason: 'early' }));
    const discarding = world.outbox.rejected.discard('charges', { kind: 'text', text: 'a' });
    await world.answer('charges', receipt(entry));
    expect(await discarding).toBe(1);
    expect(world.outbox.stats()).toEqual({ messages: 0, bytes: 0 });
    expect([...world.store.disk.keys()]).toEqual(['owner/outbox']);
  });

  it('of a rejected message that was booked after all is noted in the side store', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('charges', {}, 'a');
    await settle();
    await world.answer('charges', receipt(entry, 'rejected', { reason: 'early' }));
    await world.answer('charges', receipt(entry));
    const listed = [];
    for await (const message of world.outbox.rejected.list()) listed.push(message);
    expect(listed).toMatchObject([{ id: 'a', reason: 'early', bookedLaterAt: 5 }]);
    const again = await startWorld({}, world.store.disk);
    for await (const message of again.outbox.rejected.list()) {
      expect(message.bookedLaterAt).toBe(5);
    }
  });

  it('that comes twice is told once and changes nothing the second time', async () => {
    const world = await startWorld();
    world.sender.up();
    const entry = await world.enqueue('charges', {}, 'a');
    await settle();
    await world.answer('charges', receipt(entry), receipt(entry, 'duplicate'));
    await world.answer('charges', receipt(entry, 'rejected', { reason: 'late' }));
    expect(world.told.filter(({ name }) => name === 'receipt')).toHaveLength(1);
    expect(world.outbox.rejected.count).toBe(0);
    expect(world.transport.on(TOPIC)).toHaveLength(1);
  });
});
