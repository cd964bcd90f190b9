/**
 * Goal: the outbox and the sender keep their promises over any order of publishing, answers,
 * reconnections, failures of the disk and crashes. Method: random histories against a small model.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../../core/base/hash.ts';
import type { Entry } from '../../../device/outbox/entry.ts';
import { receipt, settle, startWorld, type World } from '../fake-world.ts';

const idOf = (text: string) => ({ kind: 'text' as const, text });

/** One step of a history. */
type Step =
  | {
      readonly do: 'publish';
      readonly route: 'charges' | 'full';
      readonly id: number;
      readonly body: number;
    }
  | {
      readonly do: 'answer';
      readonly which: number;
      readonly outcome: 'accepted' | 'duplicate' | 'rejected';
    }
  | { readonly do: 'complete'; readonly which: number }
  | { readonly do: 'discard'; readonly id: number }
  | { readonly do: 'reconnect' | 'crash' | 'fail' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      route: fc.constantFrom('charges' as const, 'full' as const),
      id: fc.nat(5),
      body: fc.nat(2),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      which: fc.nat(9),
      outcome: fc.constantFrom('accepted' as const, 'duplicate' as const, 'rejected' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('complete' as const), which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('discard' as const), id: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('reconnect' as const, 'crash' as const, 'fail' as const),
    }),
  },
);

/** What must be true of each message that was taken: by route, id and body. */
class Model {
  readonly taken = new Map<string, 'pending' | 'booked' | 'rejected' | 'gone'>();
  readonly released = new Set<string>();
  name({ record }: Entry): string {
    return this.nameOf(record);
  }
  nameOf({ route, id, hash }: Entry['record']): string {
    return `${route} ${id.kind === 'text' ? id.text : ''} ${hash}`;
  }
}

async function play(steps: readonly Step[]): Promise<void> {
  const model = new Model();
  let world = await startWorld({ perSecondMax: 10_000 });
  world.sender.up();
  for (const each of steps) {
    world = await perform(world, model, each);
    await settle();
    check(world, model);
  }
  // Whatever happened, a restart finds every message that was taken and is not answered.
  const last = await startWorld({}, world.store.disk);
  const pending = [...last.outbox.entries()].filter(({ state }) => state === 'pending');
  const wanted = [...model.taken].filter(([, state]) => state === 'pending').map(([name]) => name);
  expect(new Set(pending.map((entry) => model.name(entry)))).toEqual(new Set(wanted));
}

async function perform(world: World, model: Model, each: Step): Promise<World> {
  const entries = [...world.outbox.entries()];
  switch (each.do) {
    case 'publish': {
      const id = `id-${each.id}`;
      try {
        const entry = await world.enqueue(each.route, { body: each.body }, id);
        // A message that is being released is the one that is booked.
        if (entry.state === 'pending') model.taken.set(model.name(entry), 'pending');
      } catch (error) {
        expect(['conflict', 'id-in-use', 'rejected', 'store-failed']).toContain(
          (error as { code?: string }).code,
        );
      }
      return world;
    }
    case 'answer': {
      const entry = entries[each.which % Math.max(entries.length, 1)];
      if (entry?.state !== 'pending') return world;
      const isRejected = each.outcome === 'rejected';
      await world.answer(entry.record.route, receipt(entry, each.outcome, { reason: 'late' }));
      if (!world.store.isFailing)
        model.taken.set(model.name(entry), isRejected ? 'rejected' : 'booked');
      return world;
    }
    case 'complete': {
      await world.timers.advance(1_000);
      const booked = entries.filter(({ state }) => state === 'booked');
      const entry = booked[each.which % Math.max(booked.length, 1)];
      if (entry?.record.id.kind !== 'text') return world;
      checkSent(world, model);
      await world.answer('full', { id: entry.record.id.text, outcome: 'completed' });
      // Forgotten now, if the release was out: the id is the caller's to use again.
      if (entry.state === 'settled') model.released.delete(entry.record.id.text);
      return world;
    }
    case 'discard':
      if (!world.store.isFailing) {
        await world.outbox.rejected.discard('charges', idOf(`id-${each.id}`));
        for (const [name, state] of model.taken) {
          const isIt = name.startsWith(`charges id-${each.id} `) && state === 'rejected';
          if (isIt) model.taken.set(name, 'gone');
        }
      }
      return world;
    case 'reconnect':
      world.sender.down();
      world.sender.up();
      return world;
    case 'fail':
      world.store.isFailing = true;
      return world;
    case 'crash': {
      const next = await startWorld({ perSecondMax: 10_000 }, world.store.disk);
      next.sender.up();
      return next;
    }
  }
}

function check(world: World, model: Model): void {
  checkSent(world, model);
  const disk = new Set<string>();
  for (const [key, value] of world.store.disk) {
    if (!key.startsWith('message/')) continue;
    const record = JSON.parse(value.toString()) as Entry['record'];
    disk.add(model.nameOf(record));
    const hasBody = world.store.disk.has(key.replace('message/', 'body/'));
    expect(hasBody).toBe(record.booked === undefined);
  }
  for (const [name, state] of model.taken) if (state === 'pending') expect(disk).toContain(name);
  const { messages, bytes } = world.outbox.stats();
  expect(bytes).toBeGreaterThanOrEqual(0);
  if (world.store.isFailing) return;
  expect(world.store.count('message') + world.store.count('rejected')).toBe(messages);
  expect(world.store.bytes('body')).toBe(bytes);
}

/** What is sent was taken, as it was taken; and nothing under an id that is being released. */
function checkSent({ transport }: World, model: Model): void {
  for (const { topic, text } of transport.sent.splice(0)) {
    if (topic === 'tollbridge/m/release') {
      for (const id of (JSON.parse(text) as { ids: string[] }).ids) model.released.add(id);
      continue;
    }
    const route = topic === 'full/m' ? 'full' : 'charges';
    const { id } = JSON.parse(text) as { id: string };
    const name = `${route} ${id} ${bodyHashOf(topic, Buffer.from(text))}`;
    expect([...model.taken.keys()]).toContain(name);
    if (route === 'full') expect([...model.released]).not.toContain(id);
  }
}

describe('any history', () => {
  it('loses no message that was taken, and holds what it says it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), (steps) => play(steps)),
      { seed: 4, numRuns: 120 },
    );
  });
});
