/** Goal: an entry is found under its own names alone, and none of another route is taken for it. */
import { describe, expect, it } from 'vitest';
import type { MessageId } from '../../../core/message/id.ts';
import { Entries } from '../../../device/outbox/entries.ts';
import type { Entry } from '../../../device/outbox/entry.ts';
import { startWorld } from '../fake-world.ts';

const text = (id: string): MessageId => ({ kind: 'text', text: id });

async function sample(): Promise<Entry> {
  const { outbox, draft } = await startWorld();
  return outbox.enqueue(draft('charges', {}, 'a')).entry;
}

describe('an entry', () => {
  it('is found by id and by hash within its route, until it is removed', async () => {
    const first = await sample();
    const { hash } = first.record;
    const second: Entry = { ...first, record: { ...first.record, route: 'full', serial: 1 } };
    const entries = new Entries();
    for (const entry of [first, second]) entries.add(entry);
    expect(entries.size).toBe(2);
    expect(entries.byId('charges', text('a'))).toBe(first);
    expect(entries.byHash('charges', hash)).toBe(first);
    expect(entries.byId('full', text('a'))).toBe(second);
    expect(entries.byHash('full', hash)).toBe(second);
    expect(entries.byId('other', text('a'))).toBeUndefined();
    expect(entries.byHash('other', hash)).toBeUndefined();
    entries.remove(first);
    expect(entries.size).toBe(1);
    expect(entries.byId('charges', text('a'))).toBeUndefined();
    expect(entries.byHash('charges', hash)).toBeUndefined();
    expect(entries.inOrder()).toEqual([second]);
  });

  it('with the number 1 for its id is another than one with the text "1"', async () => {
    const first = await sample();
    const of = (serial: number, id: MessageId): Entry => ({
      ...first,
      record: { ...first.record, serial, id, hash: `${serial}` },
    });
    const number = of(0, { kind: 'integer', digits: '1' });
    const other = of(1, text('1'));
    const entries = new Entries();
    for (const entry of [number, other]) entries.add(entry);
    expect(entries.byId('charges', { kind: 'integer', digits: '1' })).toBe(number);
    expect(entries.byId('charges', text('1'))).toBe(other);
  });
});

describe('entries of several routes', () => {
  it('are listed in the order in which they were published, also after a restart', async () => {
    const world = await startWorld();
    const routes = ['charges', 'full', 'charges', 'hashed', 'full', 'charges'];
    for (const [n, route] of routes.entries()) {
      await world.enqueue(route, { n }, route === 'hashed' ? undefined : `${9 - n}`);
    }
    const listed = (outbox: typeof world.outbox) =>
      [...outbox.entries()].map(({ record }) => record.route);
    expect(listed(world.outbox)).toEqual(routes);
    expect(listed((await startWorld({}, world.store.disk)).outbox)).toEqual(routes);
  });

  it('are sent in that order after a restart', async () => {
    const world = await startWorld();
    const topics = ['full/m', 'billing/m/charges', 'full/m', 'billing/m/charges'];
    for (const [n, topic] of topics.entries()) {
      await world.enqueue(topic === 'full/m' ? 'full' : 'charges', {}, `${n}`);
    }
    const again = await startWorld({}, world.store.disk);
    again.sender.up();
    await again.timers.advance(0);
    expect(again.transport.sent.map(({ topic }) => topic)).toEqual(topics);
  });
});
