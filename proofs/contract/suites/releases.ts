/** What a release does to rows, and what it must leave alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../../core/base/limits.ts';
import { epochMillis } from '../../../core/base/time.ts';
import { releaseOf } from '../../../core/tables/release.ts';
import {
  bodyWith,
  NOW,
  windowRouteOf,
  windowWrite,
  writeOf,
} from '../../../tools/handlers/samples.ts';
import type { Engine } from '../../../tools/stores/engines.ts';

const LATER = epochMillis(NOW + 60_000);
const MUCH_LATER = epochMillis(NOW + 3_600_000);
/** A window that outlasts L, so that a release has something to shorten. */
const LONG = windowRouteOf({ windowSeconds: 60 * 86_400 });
const lifeAfter = (time: number) => ({
  N: String(Math.ceil(time / 1_000) + MESSAGE_LIFETIME_MAX_SECONDS),
});

export function releasesContract(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name} under a release`, () => {
    let engine: Engine;
    let ids = 0;
    beforeAll(async () => {
      engine = await makeEngine();
    });
    afterAll(async () => engine.close());

    const freshBody = () => bodyWith({ id: `"released-${++ids}"` });
    const booked = async (receivedAt = NOW) => {
      const write = writeOf(freshBody(), { receivedAt });
      await engine.ledger.book(write);
      return write;
    };
    const admitted = async (route = LONG) => {
      const write = windowWrite(freshBody(), {}, route);
      await engine.dedupRecords.admit(write);
      return write;
    };

    it('marks a ledger row with the time of the release, and changes nothing else (I1)', async () => {
      const { key } = await booked();
      const before = await engine.item('ledger', key);
      expect(await engine.releases.ledger.release(releaseOf(key, LATER))).toBe(true);
      expect(await engine.item('ledger', key)).toEqual({
        ...before,
        releasedAt: { S: '2026-11-20T09:01:51.000Z' },
      });
    });

    it.each(['ledger', 'dedupRecords'] as const)(
      'makes no row in the %s: the message may still be on its way',
      async (table) => {
        const { key } = writeOf(freshBody());
        expect(await engine.releases[table].release(releaseOf(key, LATER))).toBe(false);
        expect(await engine.item(table, key)).toEqual({});
      },
    );

    it('keeps the first release when it is repeated', async () => {
      const { key } = await booked();
      await engine.releases.ledger.release(releaseOf(key, LATER));
      const before = await engine.item('ledger', key);
      expect(await engine.releases.ledger.release(releaseOf(key, MUCH_LATER))).toBe(true);
      expect(await engine.item('ledger', key)).toEqual(before);
    });

    it.each(['ledger', 'dedupRecords'] as const)(
      'leaves a row of the %s alone that was received after it: that is a later life of the id',
      async (table) => {
        const body = freshBody();
        const booking = writeOf(body, { receivedAt: LATER });
        const opening = windowWrite(body, { receivedAt: LATER }, LONG);
        await engine.ledger.book(booking);
        await engine.dedupRecords.admit(opening);
        const { key } = table === 'ledger' ? booking : opening;
        const before = await engine.item(table, key);
        expect(await engine.releases[table].release(releaseOf(key, NOW))).toBe(false);
        expect(await engine.item(table, key)).toEqual(before);
        expect(await engine.releases[table].release(releaseOf(key, LATER))).toBe(true);
      },
    );

    it('counts a copy after the release as ever, and the mark stays', async () => {
      const write = await booked();
      await engine.releases.ledger.release(releaseOf(write.key, LATER));
      expect((await engine.ledger.book(write)).kind).toBe('counted');
      expect(await engine.item('ledger', write.key)).toMatchObject({
        tries: { N: '2' },
        releasedAt: { S: '2026-11-20T09:01:51.000Z' },
      });
    });

    it('shortens the life of a windowed row to L after the release (TIME_WAIT)', async () => {
      const { key } = await admitted();
      const before = await engine.item('dedupRecords', key);
      expect(await engine.releases.dedupRecords.release(releaseOf(key, LATER))).toBe(true);
      expect(await engine.item('dedupRecords', key)).toEqual({
        ...before,
        releasedAt: { S: '2026-11-20T09:01:51.000Z' },
        expiresAt: lifeAfter(LATER),
      });
    });

    it('makes no life longer, and does not forget to mark the row for that', async () => {
      const { key } = await admitted(windowRouteOf());
      const before = await engine.item('dedupRecords', key);
      expect(await engine.releases.dedupRecords.release(releaseOf(key, MUCH_LATER))).toBe(true);
      expect(await engine.item('dedupRecords', key)).toEqual({
        ...before,
        releasedAt: { S: '2026-11-20T10:00:51.000Z' },
      });
    });

    it('lets a copy that comes after the release push the end of its window out again', async () => {
      const write = await admitted();
      await engine.releases.dedupRecords.release(releaseOf(write.key, LATER));
      await engine.dedupRecords.admit(write);
      const item = await engine.item('dedupRecords', write.key);
      expect(item.expiresAt).toEqual({ N: String(write.expiresAtSeconds) });
    });

    it('shows the row that stands to a query, in either table', async () => {
      const inLedger = await booked();
      const inDeliveries = await admitted();
      expect(await engine.releases.ledger.find(inLedger.key)).toMatchObject({
        topic: inLedger.first.topic,
        body: inLedger.first.body,
        bookedAtMillis: NOW,
      });
      expect(await engine.releases.dedupRecords.find(inDeliveries.key)).toMatchObject({
        body: inDeliveries.first.body,
      });
      expect(await engine.releases.ledger.find(writeOf(freshBody()).key)).toBeUndefined();
    });
  });
}
