/** The window of `deduplicated` routes , at every edge, on two stores. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLOCK_AHEAD_MILLIS_MAX, MESSAGE_LIFETIME_MAX_SECONDS } from '../../../core/base/limits.ts';
import { contentHash, payload } from '../../../core/config/sources.ts';
import { bodyWith, NOW, WINDOW_SECONDS } from '../../../tools/handlers/samples.ts';
import { WindowDecider } from '../../../tools/handlers/window-decider.ts';
import { makeDynaliteStore } from '../../../tools/stores/dynalite-store.ts';
import { dynamoEngine, type Engine, memoryEngine } from '../../../tools/stores/engines.ts';

const W = WINDOW_SECONDS * 1_000;
const DAY = 86_400_000;
const L = MESSAGE_LIFETIME_MAX_SECONDS * 1_000;
const hashed = { id: contentHash() };
const timed = { time: payload('at') };

describe.each([
  ['memory', async () => memoryEngine()],
  ['dynalite', async () => dynamoEngine(await makeDynaliteStore())],
])('a window on %s', (_, makeEngine) => {
  let engine: Engine;
  let ids = 0;
  beforeAll(async () => {
    engine = await makeEngine();
  });
  afterAll(async () => engine.close());

  /** A body under an id of its own, with its own time so many milliseconds after `NOW`. */
  const freshBody = (own = 0, fields: Readonly<Record<string, string>> = {}) =>
    bodyWith({ id: `"window-${++ids}"`, at: String(NOW + own), ...fields });

  describe('of a device-made id', () => {
    it.each([
      [W - 1, 'duplicate'],
      [W, 'duplicate'],
      [W + 1, 'accepted'],
    ])('that gets a copy %i ms after the first calls it %s', async (receivedAt, kind) => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      expect(await window.kind({ id: 'a', body })).toBe('accepted');
      expect(await window.kind({ id: 'b', body, receivedAt })).toBe(kind);
      expect((await window.row(body)).firstDeliveryId).toBe(kind === 'accepted' ? 'b' : 'a');
    });

    it('knows its own row when a try of it is dated after the window, as on the error-action path', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      expect(await window.kind({ id: 'a', body })).toBe('accepted');
      expect(await window.kind({ id: 'a', body, receivedAt: W + 1 })).toBe('resumed');
      expect(await window.kind({ id: 'b', body, receivedAt: 2 * W + 1 })).toBe('duplicate');
      expect(await window.kind({ id: 'c', body, receivedAt: 3 * W + 2 })).toBe('accepted');
    });

    it('is refreshed by each copy, so that the second copy passes no more than the first', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      for (const n of [1, 2, 3, 4]) {
        const copy = { id: `b-${n}`, body, receivedAt: n * W };
        expect(await window.kind(copy), String(n)).toBe('duplicate');
      }
      expect(await window.kind({ id: 'c', body, receivedAt: 5 * W + 1 })).toBe('accepted');
    });

    it('is refreshed by a copy whose fingerprint is of another configuration, too', async () => {
      const body = freshBody();
      await new WindowDecider(engine).kind({ id: 'a', body });
      const changed = new WindowDecider(engine, { ignoring: ['sentAt'] });
      expect(await changed.kind({ id: 'b', body, receivedAt: W })).toBe('duplicate');
      expect(await changed.kind({ id: 'c', body, receivedAt: 2 * W })).toBe('duplicate');
      expect((await changed.row(body)).windowEndsAtMillis).toBe(NOW + 3 * W);
    });

    it('is refreshed by a copy of a row of another version, too', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      const { id } = JSON.parse(body);
      await engine.age('dedupRecords', { pk: 'events#dev-1', id }, 'keyVersion');
      expect(await window.kind({ id: 'b', body, receivedAt: W })).toBe('duplicate');
      expect(await window.kind({ id: 'c', body, receivedAt: 2 * W })).toBe('duplicate');
    });

    it('counts a copy that is handled out of order, and never ends earlier for it', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      await window.kind({ id: 'c', body, receivedAt: 5_000 });
      expect(await window.kind({ id: 'b', body, receivedAt: 1_000 })).toBe('duplicate');
      expect(await window.tries(body)).toBe(3);
      expect((await window.row(body)).windowEndsAtMillis).toBe(NOW + W + 5_000);
      const before = { id: 'z', body, receivedAt: -5_000 };
      expect(await window.kind(before)).toBe('duplicate');
    });
  });

  describe('of a content hash', () => {
    it('is not refreshed: the same content after the end of the first is a true event', async () => {
      const window = new WindowDecider(engine, hashed);
      const body = freshBody();
      expect(await window.kind({ id: 'a', body })).toBe('accepted');
      expect(await window.kind({ id: 'b', body, receivedAt: W })).toBe('duplicate');
      expect(await window.kind({ id: 'c', body, receivedAt: W + 1 })).toBe('accepted');
      expect(await window.kind({ id: 'd', body, receivedAt: 2 * W + 1 })).toBe('duplicate');
      expect(await window.kind({ id: 'e', body, receivedAt: 2 * W + 2 })).toBe('accepted');
    });

    it('never swallows an event that was handled after a later one of equal content', async () => {
      const window = new WindowDecider(engine, hashed);
      const body = freshBody();
      expect(await window.kind({ id: 'later', body, receivedAt: 2 * W })).toBe('accepted');
      // The window would have held it had it begun up to a window before; this one began earlier.
      expect(await window.kind({ id: 'copy', body, receivedAt: W })).toBe('duplicate');
      expect(await window.kind({ id: 'event', body, receivedAt: W - 1 })).toBe('late');
    });

    it('with fields knows bodies that differ elsewhere as one, and never calls them a conflict', async () => {
      const window = new WindowDecider(engine, { id: contentHash('id') });
      const body = freshBody();
      await window.kind({ id: 'a', body });
      expect(await window.kind({ id: 'b', body: body.replace('12.50', '99') })).toBe('duplicate');
    });
  });

  describe('is decided by the clock of the rule', () => {
    it.each([
      ['inside the window is a copy', W, 'duplicate'],
      ['after the window is new', W + 1, 'accepted'],
    ])('so that one that waits in the queue for days and came %s', async (_, receivedAt, kind) => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      expect(await window.kind({ id: 'b', body, receivedAt, handledAt: 3 * DAY })).toBe(kind);
    });

    it('so that one which is handled first although it came after opens the window', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      expect(await window.kind({ id: 'b', body, receivedAt: 1_000 })).toBe('accepted');
      const waited = { id: 'a', body, receivedAt: 0, handledAt: DAY };
      expect(await window.kind(waited)).toBe('duplicate');
    });
  });

  describe('with the message’s own time', () => {
    it.each([
      ['runs ahead by an hour', 3_600_000],
      ['runs ahead by a day', CLOCK_AHEAD_MILLIS_MAX],
    ])('begins there, where the device’s clock %s', async (_, own) => {
      const window = new WindowDecider(engine, timed);
      const body = freshBody(own);
      expect(await window.kind({ id: 'a', body })).toBe('accepted');
      expect((await window.row(body)).windowEndsAtMillis).toBe(NOW + own + W);
      expect(await window.kind({ id: 'b', body, receivedAt: own + W })).toBe('duplicate');
      const after = { id: 'c', body, receivedAt: own + 2 * W + 1 };
      expect(await window.kind(after)).toBe('late');
    });

    it('is refused as early beyond a day, and the row that another delivery opens is not blocked', async () => {
      const window = new WindowDecider(engine, timed);
      const body = freshBody(CLOCK_AHEAD_MILLIS_MAX + 1);
      expect(await window.kind({ id: 'a', body })).toBe('early');
      expect(await window.kind({ id: 'b', body, receivedAt: 1 })).toBe('accepted');
    });

    it('begins with the arrival where the device’s clock runs behind', async () => {
      const window = new WindowDecider(engine, timed);
      const body = freshBody(-W);
      expect(await window.kind({ id: 'a', body })).toBe('accepted');
      expect((await window.row(body)).windowEndsAtMillis).toBe(NOW + W);
    });

    it('is late when its own time lies before the window, to the millisecond', async () => {
      const window = new WindowDecider(engine, timed);
      expect(await window.kind({ id: 'a', body: freshBody(-W) })).toBe('accepted');
      expect(await window.kind({ id: 'a', body: freshBody(-W - 1) })).toBe('late');
    });

    it('makes a copy after the window late, never new', async () => {
      const window = new WindowDecider(engine, timed);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      expect(await window.kind({ id: 'b', body, receivedAt: W + 1 })).toBe('late');
      await window.sweep(body);
      expect(await window.kind({ id: 'c', body, receivedAt: 9 * DAY })).toBe('late');
    });

    it('is a duplicate while the row is open, whatever its own time says', async () => {
      const window = new WindowDecider(engine, timed);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      await window.kind({ id: 'b', body, receivedAt: W });
      // The row was pushed to twice the window; the message's own time alone would be late here.
      expect(await window.kind({ id: 'c', body, receivedAt: W + 1 })).toBe('duplicate');
      expect(await window.kind({ id: 'd', body, receivedAt: 2 * W })).toBe('duplicate');
      expect(await window.tries(body)).toBe(4);
      expect((await window.row(body)).windowEndsAtMillis).toBe(NOW + 3 * W);
      expect(await window.kind({ id: 'e', body, receivedAt: 3 * W + 1 })).toBe('late');
    });

    it('is never pushed out to a far year by a copy whose clock is wrong', async () => {
      const window = new WindowDecider(engine, { ...timed, ignoring: ['at'] });
      const body = freshBody();
      await window.kind({ id: 'a', body });
      const copy = body.replace(/"at":\d+/, '"at":8640000000000000');
      expect(await window.kind({ id: 'b', body: copy })).toBe('duplicate');
      expect(await window.tries(body)).toBe(2);
      expect((await window.row(body)).windowEndsAtMillis).toBe(NOW + W);
    });

    it('is a conflict while the row is open and holds another body, late or not', async () => {
      const window = new WindowDecider(engine, timed);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      const other = body.replace(/"at":\d+/, '"at":0');
      expect(await window.decide({ id: 'b', body: other })).toMatchObject({
        kind: 'conflict',
        fields: ['at'],
      });
    });
  });

  describe('for a dead letter that is redriven', () => {
    it('days later resumes what it opened itself, and calls a copy a duplicate', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      expect(await window.kind({ id: 'a', body, handledAt: 18 * DAY })).toBe('resumed');
      const copy = { id: 'b', body, receivedAt: W, handledAt: 18 * DAY };
      expect(await window.kind(copy)).toBe('duplicate');
      expect(await window.kind(copy)).toBe('duplicate');
    });

    it('and never came to the table before is accepted', async () => {
      const window = new WindowDecider(engine);
      expect(await window.kind({ id: 'a', body: freshBody(), handledAt: 18 * DAY })).toBe(
        'accepted',
      );
    });

    it('is late once it is older than any delivery can be, for its row may have been swept', async () => {
      const window = new WindowDecider(engine);
      expect(await window.kind({ id: 'a', body: freshBody(), handledAt: L + 1 })).toBe('late');
    });

    it('is still known by a row that is there, however old it is', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      expect(await window.kind({ id: 'a', body, handledAt: L + 1 })).toBe('resumed');
      expect(await window.kind({ id: 'b', body, handledAt: L + 1 })).toBe('duplicate');
    });

    it('opens nothing when the sweep comes between the look and the write', async () => {
      const window = new WindowDecider(engine);
      const body = freshBody();
      await window.kind({ id: 'a', body });
      const { find } = window.store;
      window.store.find = async (key) => {
        const row = await find(key);
        await window.sweep(body);
        return row;
      };
      expect(await window.kind({ id: 'b', body, handledAt: L + 1 })).toBe('duplicate');
      await expect(window.row(body)).rejects.toThrow('no row');
    });
  });
});
