/** What may come between two steps of a window: the sweep, another body, a retry, a rival. */
import { describe, expect, it } from 'vitest';
import { RetryableError } from '../../../core/base/errors.ts';
import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../../core/base/limits.ts';
import { bodyWith, NOW, WINDOW_SECONDS } from '../../../tools/handlers/samples.ts';
import { WindowDecider } from '../../../tools/handlers/window-decider.ts';
import { memoryEngine } from '../../../tools/stores/engines.ts';

const W = WINDOW_SECONDS * 1_000;
const DAY = 86_400_000;
const L = MESSAGE_LIFETIME_MAX_SECONDS * 1_000;

describe('the sweep', () => {
  const body = bodyWith();

  it('that comes as early as it may takes no row of which a copy can still count as new', async () => {
    const window = new WindowDecider(memoryEngine());
    await window.kind({ id: 'a', body });
    const expiresAt = W + L;
    await window.sweep(body);
    // The last copy of the window, at the very second in which TTL may take the row, and while
    // the longest write that began before is still under way.
    for (const before of [0, 1_000, 29_000]) {
      const copy = { id: 'b', body, receivedAt: W, handledAt: expiresAt - before };
      expect(await window.kind(copy), String(before)).toBe('late');
    }
  });

  it('that never comes leaves a row which is renewed after its window, under its new owner', async () => {
    const window = new WindowDecider(memoryEngine());
    await window.kind({ id: 'a', body });
    const later = { id: 'b', body, receivedAt: 400 * DAY };
    expect(await window.decide(later)).toEqual({
      kind: 'accepted',
      bookedAt: NOW + 400 * DAY,
      firstDeliveryId: 'b',
    });
    expect(await window.row(body)).toMatchObject({
      firstDeliveryId: 'b',
      windowEndsAtMillis: NOW + 400 * DAY + W,
    });
    expect(await window.tries(body)).toBe(1);
    expect(await window.kind({ ...later, id: 'c' })).toBe('duplicate');
  });

  it('that comes between a refusal and the renewal makes the next round open the window', async () => {
    const window = new WindowDecider(memoryEngine());
    await window.kind({ id: 'a', body });
    const { renew } = window.store;
    window.store.renew = async (write, old) => {
      await window.sweep(body);
      return renew(write, old);
    };
    expect(await window.kind({ id: 'b', body, receivedAt: W + 1 })).toBe('accepted');
  });
});

describe('the same id with another body', () => {
  it('is a conflict inside the window and a new message after it', async () => {
    const window = new WindowDecider(memoryEngine());
    const [body, other] = [bodyWith(), bodyWith({ kWh: '99' })];
    await window.kind({ id: 'a', body });
    expect(await window.decide({ id: 'b', body: other, receivedAt: W })).toMatchObject({
      kind: 'conflict',
      fields: ['kWh'],
      row: { firstDeliveryId: 'a', body },
    });
    expect(await window.kind({ id: 'b', body: other, receivedAt: W + 1 })).toBe('accepted');
    expect(await window.row(body)).toMatchObject({ firstDeliveryId: 'b', body: other });
    expect(await window.kind({ id: 'c', body, receivedAt: W + 2 })).toBe('conflict');
  });
});

describe('a try that is repeated', () => {
  const body = bodyWith();

  it('after a crash between write and effects is resumed, even when copies came meanwhile', async () => {
    const window = new WindowDecider(memoryEngine());
    await window.kind({ id: 'a', body });
    await window.kind({ id: 'b', body, receivedAt: 2 * 1_000 });
    expect(await window.decide({ id: 'a', body, handledAt: DAY })).toEqual({
      kind: 'resumed',
      bookedAt: NOW,
      firstDeliveryId: 'a',
    });
  });

  it('by the SDK after the first write landed is resumed', async () => {
    const window = new WindowDecider(memoryEngine());
    const { admit } = window.store;
    window.store.admit = async (write) => {
      await admit(write);
      return admit(write);
    };
    expect(await window.kind({ id: 'a', body })).toBe('resumed');
  });

  it('by the SDK after a renewal landed finds its own row, and is resumed', async () => {
    const window = new WindowDecider(memoryEngine());
    await window.kind({ id: 'a', body });
    const { renew } = window.store;
    window.store.renew = async (write, old) => {
      await renew(write, old);
      return renew(write, old);
    };
    expect(await window.kind({ id: 'b', body, receivedAt: W + 1 })).toBe('resumed');
    expect((await window.row(body)).firstDeliveryId).toBe('b');
  });
});

describe('renewals that race', () => {
  const body = bodyWith();

  it('have one winner, and the others are its copies', async () => {
    const engine = memoryEngine();
    await new WindowDecider(engine).kind({ id: 'a', body });
    const kinds = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        new WindowDecider(engine).kind({ id: `b-${n}`, body, receivedAt: W + 1 }),
      ),
    );
    expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(19);
  });

  it('are left to the queue after five rounds', async () => {
    const window = new WindowDecider(memoryEngine());
    await window.kind({ id: 'a', body });
    let rounds = 0;
    window.store.renew = async () => {
      rounds++;
      return false;
    };
    const late = { id: 'b', body, receivedAt: W + 1 };
    await expect(window.decide(late)).rejects.toThrow(RetryableError);
    expect(rounds).toBe(5);
  });
});
