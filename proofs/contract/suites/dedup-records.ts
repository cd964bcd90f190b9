/** What any store under the dedupRecords, the records of a window, must do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../../core/base/limits.ts';
import { epochMillis } from '../../../core/base/time.ts';
import { contentHash } from '../../../core/config/sources.ts';
import type {
  DeduplicatedRow,
  DeduplicatedWrite,
} from '../../../core/guarantees/deduplicated/row.ts';
import {
  bodyWith,
  NOW,
  WINDOW_SECONDS,
  windowRouteOf,
  windowWrite,
} from '../../../tools/handlers/samples.ts';
import type { Engine } from '../../../tools/stores/engines.ts';

const WINDOW = WINDOW_SECONDS * 1_000;
const END = NOW + WINDOW;

export function dedupRecordsContract(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name} as the dedup records`, () => {
    let engine: Engine;
    let ids = 0;

    beforeAll(async () => {
      engine = await makeEngine();
    });
    afterAll(async () => engine.close());

    const freshBody = () => bodyWith({ id: `"contract-${++ids}"` });
    const hashed = windowRouteOf({ id: contentHash() });
    /** A delivery of a body, received so many milliseconds after the first. */
    const deliveryAt = (
      body: string,
      deliveryId: string,
      after = 0,
      route = windowRouteOf(),
      tries = 1,
    ) => {
      const receivedAt = epochMillis(NOW + after);
      return windowWrite(body, { deliveryId, receivedAt }, route, receivedAt, tries);
    };
    const item = ({ key }: DeduplicatedWrite) => engine.item('dedupRecords', key);
    const endOf = async (write: DeduplicatedWrite) =>
      Number((await item(write)).windowEndsAtMillis?.N);
    const rowOf = async (write: DeduplicatedWrite): Promise<DeduplicatedRow> => {
      const row = await engine.dedupRecords.find(write.key);
      if (row === undefined) throw new Error('there is no row');
      return row;
    };

    it('opens a window with the first delivery, in exactly the attributes of its row version', async () => {
      const write = deliveryAt(freshBody(), 'a');
      expect(await engine.dedupRecords.find(write.key)).toBeUndefined();
      expect(await engine.dedupRecords.admit(write)).toEqual({ kind: 'written' });
      expect(await rowOf(write)).toEqual({
        rowVersion: 1,
        firstDeliveryId: 'a',
        fingerprint: write.first.fingerprint,
        topic: write.first.topic,
        body: write.first.body,
        bookedAtMillis: NOW,
        windowEndsAtMillis: END,
      });
      const also = ['pk', 'id', 'tries', 'lastSeenAt', 'windowEndsAtMillis', 'expiresAt'];
      const names = [...Object.keys(write.first), ...also];
      expect(Object.keys(await item(write)).sort()).toEqual(names.sort());
    });

    it('lets TTL have the row no sooner than the longest life of a delivery after the end', async () => {
      const write = deliveryAt(freshBody(), 'a', 1);
      await engine.dedupRecords.admit(write);
      const expiresAt = Math.ceil((END + 1) / 1_000) + MESSAGE_LIFETIME_MAX_SECONDS;
      expect((await item(write)).expiresAt).toEqual({ N: String(expiresAt) });
    });

    it('pushes the end, and TTL with it, by a copy of a device-made id and changes nothing else', async () => {
      const body = freshBody();
      const first = deliveryAt(body, 'a');
      await engine.dedupRecords.admit(first);
      const before = await item(first);
      const copy = deliveryAt(body, 'b', 60_000, windowRouteOf(), 2);
      expect(await engine.dedupRecords.admit(copy)).toMatchObject({
        kind: 'counted',
        row: { firstDeliveryId: 'a', windowEndsAtMillis: END, bookedAtMillis: NOW },
      });
      expect(await item(first)).toEqual({
        ...before,
        tries: { N: '3' },
        lastSeenAt: { S: '2026-11-20T09:01:51.000Z' },
        windowEndsAtMillis: { N: String(END + 60_000) },
        expiresAt: { N: String(Number(before.expiresAt?.N) + 60) },
      });
    });

    it('leaves the end where it is at a copy of a content hash, which is counted', async () => {
      const body = freshBody();
      const first = deliveryAt(body, 'a', 0, hashed);
      await engine.dedupRecords.admit(first);
      const before = await item(first);
      const { kind } = await engine.dedupRecords.admit(deliveryAt(body, 'b', 60_000, hashed));
      expect(kind).toBe('counted');
      expect(await item(first)).toEqual({
        ...before,
        tries: { N: '2' },
        lastSeenAt: { S: '2026-11-20T09:01:51.000Z' },
      });
    });

    it.each([
      ['a device-made id', windowRouteOf()],
      ['a content hash', hashed],
    ])(
      'knows a copy of %s at the last millisecond, and one later shows the row',
      async (_, route) => {
        const body = freshBody();
        await engine.dedupRecords.admit(deliveryAt(body, 'a', 0, route));
        const after = deliveryAt(body, 'late', WINDOW + 1, route);
        const before = await item(after);
        expect(await engine.dedupRecords.admit(after)).toMatchObject({
          kind: 'refused',
          row: { firstDeliveryId: 'a', windowEndsAtMillis: END },
        });
        expect(await item(after)).toEqual(before);
        const last = deliveryAt(body, 'b', WINDOW, route);
        expect((await engine.dedupRecords.admit(last)).kind).toBe('counted');
        expect(await endOf(last)).toBe(route === hashed ? END : END + WINDOW);
      },
    );

    it('never pulls the end back for a copy that is handled out of order, which count still counts', async () => {
      const body = freshBody();
      const first = deliveryAt(body, 'a');
      await engine.dedupRecords.admit(first);
      await engine.dedupRecords.admit(deliveryAt(body, 'c', 2_000));
      const early = deliveryAt(body, 'b', 1_000);
      expect(await engine.dedupRecords.admit(early)).toMatchObject({
        kind: 'refused',
        row: { firstDeliveryId: 'a' },
      });
      await engine.dedupRecords.count(early, 'a');
      const counted = { tries: { N: '3' }, windowEndsAtMillis: { N: String(END + 2_000) } };
      expect(await item(first)).toMatchObject(counted);
      await engine.dedupRecords.push(early, 'a');
      expect(await item(first)).toMatchObject(counted);
      expect((await engine.dedupRecords.admit(deliveryAt(body, 'd', 2_000))).kind).toBe('counted');
    });

    it('refuses another body under a used id, inside the window and after it', async () => {
      const body = freshBody();
      await engine.dedupRecords.admit(deliveryAt(body, 'a'));
      for (const after of [0, WINDOW, WINDOW + 1]) {
        const other = deliveryAt(body.replace('12.50', '99'), 'b', after);
        expect(await engine.dedupRecords.admit(other)).toMatchObject({
          kind: 'refused',
          row: { firstDeliveryId: 'a', body },
        });
      }
    });

    it('refuses a copy of a row of another version, which gains no attribute but is counted and pushed', async () => {
      const body = freshBody();
      const first = deliveryAt(body, 'a');
      await engine.dedupRecords.admit(first);
      await engine.age('dedupRecords', first.key, 'keyVersion');
      const before = await item(first);
      const copy = deliveryAt(body, 'b', 1_000);
      expect(await engine.dedupRecords.admit(copy)).toMatchObject({
        kind: 'refused',
        row: { rowVersion: 0 },
      });
      expect(await item(first)).toEqual(before);
      await engine.dedupRecords.push(copy, 'a');
      expect(await item(first)).toEqual({
        ...before,
        tries: { N: '2' },
        lastSeenAt: { S: '2026-11-20T09:00:52.000Z' },
        windowEndsAtMillis: { N: String(END + 1_000) },
        expiresAt: { N: String(Number(before.expiresAt?.N) + 1) },
      });
    });

    it('counts and pushes nothing where the row is another’s or is gone', async () => {
      const first = deliveryAt(freshBody(), 'a');
      await engine.dedupRecords.count(first, 'a');
      await engine.dedupRecords.push(first, 'a');
      expect(await item(first)).toEqual({});
      await engine.dedupRecords.admit(first);
      const before = await item(first);
      const copy = { ...deliveryAt('{}', 'b', 9_000, hashed), key: first.key };
      await engine.dedupRecords.count(copy, 'stranger');
      await engine.dedupRecords.push(copy, 'stranger');
      expect(await item(first)).toEqual(before);
    });

    it('renews a row that is as it was read, in every attribute', async () => {
      const body = freshBody();
      const first = deliveryAt(body, 'a');
      await engine.dedupRecords.admit(first);
      await engine.age('dedupRecords', first.key, 'keyVersion');
      const next = deliveryAt(body.replace('12.50', '99'), 'b', WINDOW + 1, windowRouteOf(), 2);
      expect(await engine.dedupRecords.renew(next, await rowOf(first))).toBe(true);
      const fresh = deliveryAt(freshBody(), 'b');
      await engine.dedupRecords.admit(fresh);
      expect(Object.keys(await item(next)).sort()).toEqual(Object.keys(await item(fresh)).sort());
      expect(await rowOf(next)).toMatchObject({
        rowVersion: 1,
        firstDeliveryId: 'b',
        bookedAtMillis: NOW + WINDOW + 1,
        windowEndsAtMillis: END + WINDOW + 1,
      });
      expect((await item(next)).tries).toEqual({ N: '2' });
    });

    it('renews no row whose end a copy has pushed since, none of another owner, and none that is gone', async () => {
      const body = freshBody();
      const first = deliveryAt(body, 'a');
      await engine.dedupRecords.admit(first);
      const read = await rowOf(first);
      await engine.dedupRecords.admit(deliveryAt(body, 'b', WINDOW));
      const late = deliveryAt(body, 'c', WINDOW + 1);
      expect(await engine.dedupRecords.renew(late, read)).toBe(false);
      expect(await item(first)).toMatchObject({ firstDeliveryId: { S: 'a' }, tries: { N: '2' } });
      const stranger = { ...(await rowOf(first)), firstDeliveryId: 'x' };
      expect(await engine.dedupRecords.renew(late, stranger)).toBe(false);
      await engine.sweep('dedupRecords', first.key);
      expect(await engine.dedupRecords.renew(late, read)).toBe(false);
      expect(await item(first)).toEqual({});
    });

    it('lets exactly one of 20 concurrent renewals win', async () => {
      const body = freshBody();
      const first = deliveryAt(body, 'a');
      await engine.dedupRecords.admit(first);
      const read = await rowOf(first);
      const names = Array.from({ length: 20 }, (_, n) => `renewal-${n}`);
      const won = await Promise.all(
        names.map((one) => engine.dedupRecords.renew(deliveryAt(body, one, WINDOW + 1), read)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await rowOf(first)).firstDeliveryId).toBe(names[won.indexOf(true)]);
    });

    it('opens one window among 20 concurrent deliveries of a message', async () => {
      const body = freshBody();
      const names = Array.from({ length: 20 }, (_, n) => `concurrent-${n}`);
      const kinds = await Promise.all(
        names.map(async (one) => (await engine.dedupRecords.admit(deliveryAt(body, one))).kind),
      );
      expect(kinds.filter((kind) => kind === 'written')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'counted')).toHaveLength(19);
      expect(await item(deliveryAt(body, 'x'))).toMatchObject({
        tries: { N: '20' },
        firstDeliveryId: { S: names[kinds.indexOf('written')] },
      });
    });

    it('keeps a body of any bytes', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
      const write = windowWrite(bytes, {}, windowRouteOf({ id: contentHash() }));
      await engine.dedupRecords.admit(write);
      expect(Buffer.from((await rowOf(write)).body).equals(Buffer.from(bytes))).toBe(true);
    });
  });
}
