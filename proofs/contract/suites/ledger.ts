/** What any store under the ledger must do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameDecimal } from '../../../core/base/decimal.ts';
import { epochMillis } from '../../../core/base/time.ts';
import type { ExactlyOnceWrite } from '../../../core/guarantees/exactly-once/row.ts';
import {
  acceptedVerdict,
  conflictVerdict,
  existingRowVerdict,
  isSameMessage,
} from '../../../core/guarantees/verdict.ts';
import { bodyWith, NOW, writeOf } from '../../../tools/handlers/samples.ts';
import type { Engine } from '../../../tools/stores/engines.ts';

const LATER = epochMillis(NOW + 60_000);

export function ledgerContract(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name} as a store`, () => {
    let engine: Engine;
    let ids = 0;

    beforeAll(async () => {
      engine = await makeEngine();
    });
    afterAll(async () => engine.close());

    /** A body under an id that no other test uses. */
    const freshBody = (fields: Readonly<Record<string, string>> = {}) =>
      bodyWith({ id: `"contract-${++ids}"`, ...fields });
    const ledgerItem = ({ key }: ExactlyOnceWrite) => engine.item('ledger', key);
    const verdict = (kind: string) => ({ kind, bookedAt: NOW, firstDeliveryId: 'delivery-1' });
    const bookOnce = async (write: ExactlyOnceWrite) => {
      const result = await engine.ledger.book(write);
      if (result.kind === 'written') return acceptedVerdict(write);
      const { kind, row } = result;
      return kind === 'counted' || isSameMessage(row, write, null)
        ? existingRowVerdict(row, [write.first.firstDeliveryId])
        : conflictVerdict(row, write, null);
    };

    describe('that is the ledger', () => {
      it('accepts the first delivery, and a copy is a duplicate with the first booking’s time', async () => {
        const body = freshBody();
        expect(await bookOnce(writeOf(body))).toEqual(verdict('accepted'));
        const copy = writeOf(body, { deliveryId: 'copy' }, LATER);
        expect(await bookOnce(copy)).toEqual(verdict('duplicate'));
      });

      it('accepts folded copies as one booking', async () => {
        const write = writeOf(freshBody(), {}, NOW, 5);
        expect(await bookOnce(write)).toEqual(verdict('accepted'));
        expect((await ledgerItem(write)).tries).toEqual({ N: '5' });
      });

      it('resumes when the same write comes twice, as by a retry of the SDK', async () => {
        const write = writeOf(freshBody());
        await engine.ledger.book(write);
        expect(await bookOnce(write)).toEqual(verdict('resumed'));
      });

      it('refuses another body under a used id, shows the row that stands and leaves it alone', async () => {
        const body = freshBody();
        const booked = writeOf(body);
        await engine.ledger.book(booked);
        const before = await ledgerItem(booked);
        const other = writeOf(body.replace('12.50', '99'), { deliveryId: 'other' }, LATER);
        expect(await bookOnce(other)).toEqual({
          kind: 'conflict',
          fields: ['kWh'],
          row: {
            rowVersion: booked.first.rowVersion,
            firstDeliveryId: 'delivery-1',
            fingerprint: booked.first.fingerprint,
            topic: booked.first.topic,
            body,
            bookedAtMillis: NOW,
          },
        });
        expect(await ledgerItem(booked)).toEqual(before);
      });

      it('refuses it even to the delivery that booked the row', async () => {
        const body = freshBody();
        await engine.ledger.book(writeOf(body));
        expect((await bookOnce(writeOf(`${body} `))).kind).toBe('conflict');
      });

      it('never changes what the first delivery wrote (I1): a copy counts, dates and adds nothing', async () => {
        const body = freshBody();
        const first = writeOf(body, { principal: undefined });
        await engine.ledger.book(first);
        const { tries: _, lastSeenAt: __, ...before } = await ledgerItem(first);
        await engine.ledger.book(
          writeOf(body, { deliveryId: 'copy', principal: 'someone', receivedAt: LATER }, LATER, 2),
        );
        const { tries, lastSeenAt, ...after } = await ledgerItem(first);
        expect(after).toEqual(before);
        expect(after.principal).toEqual({ NULL: true });
        expect({ tries, lastSeenAt }).toEqual({
          tries: { N: '3' },
          lastSeenAt: { S: '2026-11-20T09:01:51.000Z' },
        });
      });

      it('holds exactly the attributes of its row version', async () => {
        const write = writeOf(freshBody());
        await engine.ledger.book(write);
        const names = [...Object.keys(write.first), 'pk', 'id', 'tries', 'lastSeenAt'];
        expect(Object.keys(await ledgerItem(write)).sort()).toEqual(names.sort());
      });

      it('books once among 50 concurrent writes of one key', async () => {
        const body = freshBody();
        const deliveries = Array.from({ length: 50 }, (_, n) => `concurrent-${n}`);
        const verdicts = await Promise.all(
          deliveries.map((deliveryId) => bookOnce(writeOf(body, { deliveryId }))),
        );
        const kinds = verdicts.map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(1);
        expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(49);
        const item = await ledgerItem(writeOf(body));
        expect(item.tries).toEqual({ N: '50' });
        expect(item.firstDeliveryId).toEqual({ S: deliveries[kinds.indexOf('accepted')] });
      });

      it('books one of two bodies that race for an id, and tells the other', async () => {
        const body = freshBody();
        const bodies = [body, `${body} `];
        const verdicts = await Promise.all(
          bodies.map((one, n) => bookOnce(writeOf(one, { deliveryId: `race-${n}` }))),
        );
        expect(verdicts.map(({ kind }) => kind).sort()).toEqual(['accepted', 'conflict']);
      });

      it.each([
        '12345678901234567890123456789012345678',
        '-0.12345678901234567890123456789012345678',
        '9.9999999999999999999999999999999999999e125',
        '1e-130',
        '-1e-130',
        '9007199254740993',
        '0.1',
        '1.10',
        '0',
        '-0',
      ])('keeps the amount %s, numerically', async (amount) => {
        const write = writeOf(freshBody({ kWh: amount }));
        expect((await bookOnce(write)).kind).toBe('accepted');
        expect(sameDecimal((await ledgerItem(write)).amount?.N ?? 'none', amount)).toBe(true);
      });

      it('keeps the body as the text that was sent', async () => {
        const body = ` ${freshBody({ x: '"\\u0000é😀\\ud83d\\ude00"', n: '1.10' })}\r\n\t`;
        const write = writeOf(body);
        await engine.ledger.book(write);
        expect((await ledgerItem(write)).body).toEqual({ S: body });
        expect((await engine.ledger.find(write.key))?.body).toBe(body);
      });

      it('keeps apart ids that only look alike', async () => {
        const tag = `alike-${++ids}`;
        const texts = [
          tag,
          `${tag} `,
          tag.toUpperCase(),
          `${tag}\u0000`,
          `${tag}\n`,
          `${tag}é`,
          `${tag}e\u0301`,
          `${tag}#`,
        ];
        for (const text of texts) {
          const write = writeOf(bodyWith({ id: JSON.stringify(text) }));
          expect((await bookOnce(write)).kind, JSON.stringify(text)).toBe('accepted');
        }
        expect((await bookOnce(writeOf(bodyWith({ id: '77' })))).kind).toBe('accepted');
        expect((await bookOnce(writeOf(bodyWith({ id: '"77"' })))).kind).toBe('accepted');
      });

      it('takes the largest row that a message can make', async () => {
        const device = 'd'.repeat(128);
        const account = JSON.stringify('a'.repeat(2_037));
        const body = freshBody({ account }).padEnd(92_160, ' ');
        const write = writeOf(body, { topic: `billing/${device}/charges`, clientId: device });
        expect((await bookOnce(write)).kind).toBe('accepted');
      });

      it('finds a row by its key, and nothing where there is none', async () => {
        const write = writeOf(freshBody());
        expect(await engine.ledger.find(write.key)).toBeUndefined();
        await engine.ledger.book(write);
        expect(await engine.ledger.find(write.key)).toMatchObject({
          firstDeliveryId: 'delivery-1',
          bookedAtMillis: NOW,
        });
        expect(await engine.ledger.find({ ...write.key, pk: 'charges#stranger' })).toBeUndefined();
      });

      it('lists a booking in the index by-account, in order of occurrence', async () => {
        const account = `"index-${++ids}"`;
        const late = freshBody({ account, at: '"2026-11-20T08:00:02Z"' });
        const early = freshBody({ account, at: '"2026-11-20T08:00:01Z"' });
        await engine.ledger.book(writeOf(late));
        await engine.ledger.book(writeOf(early));
        await engine.ledger.book(writeOf(early, { deliveryId: 'copy' }));
        const listed = () => engine.byAccount(`index-${ids - 2}#2026-11#0`);
        // On AWS the index follows the table a little later.
        await expect
          .poll(listed, { timeout: 10_000 })
          .toEqual([
            `2026-11-20T08:00:01.000Z#dev-1#contract-${ids}`,
            `2026-11-20T08:00:02.000Z#dev-1#contract-${ids - 1}`,
          ]);
      });

      it('refuses a copy of a row of another version, which gains no attribute (I1)', async () => {
        const body = freshBody();
        const first = writeOf(body);
        await engine.ledger.book(first);
        await engine.age('ledger', first.key, 'keyVersion');
        const before = await ledgerItem(first);
        expect(before).not.toHaveProperty('keyVersion');
        const copy = writeOf(body, { deliveryId: 'copy' }, LATER, 2);
        expect(await engine.ledger.book(copy)).toMatchObject({
          kind: 'refused',
          row: { rowVersion: 0, firstDeliveryId: 'delivery-1' },
        });
        expect(await ledgerItem(first)).toEqual(before);
        expect(await bookOnce(copy)).toEqual(verdict('duplicate'));
        await engine.ledger.count(copy, 'delivery-1');
        expect(await ledgerItem(first)).toEqual({
          ...before,
          tries: { N: '3' },
          lastSeenAt: { S: '2026-11-20T09:01:51.000Z' },
        });
      });

      it('counts no copy of a row that another delivery booked, and makes none', async () => {
        const first = writeOf(freshBody());
        await engine.ledger.count(first, 'delivery-1');
        expect(await ledgerItem(first)).toEqual({});
        await engine.ledger.book(first);
        const before = await ledgerItem(first);
        await engine.ledger.count(writeOf(freshBody()), 'delivery-1');
        await engine.ledger.count(first, 'stranger');
        expect(await ledgerItem(first)).toEqual(before);
      });
    });
  });
}
