/** Goal: what is sent next is found without keeping what was answered. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Entry } from '../../../device/outbox/entry.ts';
import { Window } from '../../../device/publish/window.ts';
import { startWorld } from '../fake-world.ts';

it('a queue that is never empty holds nothing that was answered', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { outbox, draft } = await startWorld();
  const { entry } = outbox.enqueue(draft('charges', {}, 'a'));
  const window = new Window(100, { firstMillis: 1_000, maxMillis: 1_000 }, () => 0);
  const pending = (): Entry => ({ ...entry, state: 'pending' });
  const answered: WeakRef<Entry>[] = [];
  const order: (Entry | undefined)[] = [];
  // Ten wait at any time, and each is answered when the next is sent.
  for (let n = 0; n < 10; n++) window.add(pending());
  for (let n = 0; n < 5_000; n++) {
    window.add(pending());
    const next = window.peek(0);
    if (next === undefined) throw new Error('ten wait');
    window.wait(window.take(next), 0);
    next.state = 'settled';
    window.remove(next);
    answered.push(new WeakRef(next));
    order.push(window.peek(0));
  }
  expect(order.every((next) => next?.state === 'pending' || next?.state === 'settled')).toBe(true);
  order.length = 0;
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const kept = answered.filter((ref) => ref.deref() !== undefined).length;
  expect(kept).toBeLessThan(2_500);
});
