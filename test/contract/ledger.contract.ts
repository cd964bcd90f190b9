/**
 * What any store under the ledger and the quarantine must do, asked through the real adapters. Run
 * it on an engine by giving it a client and two tables laid out as in the design (§6).
 */
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sameDecimal } from '../../core/decimal.ts';
import type { Delivery } from '../../core/envelope.ts';
import type { LedgerWrite } from '../../core/ledger-row.ts';
import type { Ledger, Quarantine } from '../../core/ports.ts';
import { type QuarantineRow, quarantineRowOf } from '../../core/quarantine-row.ts';
import { epochMillis } from '../../core/time.ts';
import { verdictOf } from '../../core/verdict.ts';
import { createLedgerTable } from '../../lambda/adapters/ledger-table.ts';
import { createQuarantineTable } from '../../lambda/adapters/quarantine-table.ts';
import { bodyWith, deliveryOf, NOW, writeOf } from '../support/samples.ts';

export interface Store {
  readonly client: DynamoDBClient;
  readonly ledgerTable: string;
  readonly quarantineTable: string;
  readonly close: () => Promise<void>;
}

type Item = Readonly<Record<string, AttributeValue>>;

const LATER = epochMillis(NOW + 60_000);

export function ledgerContract(name: string, makeStore: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    let store: Store;
    let ledger: Ledger;
    let quarantine: Quarantine;
    let ids = 0;

    beforeAll(async () => {
      store = await makeStore();
      ledger = createLedgerTable(store.client, store.ledgerTable);
      quarantine = createQuarantineTable(store.client, store.quarantineTable, () => LATER);
    });
    afterAll(async () => store.close());

    /** A body under an id that no other test uses. */
    const freshBody = (fields: Readonly<Record<string, string>> = {}) =>
      bodyWith({ id: `"contract-${++ids}"`, ...fields });
    const itemOf = async (table: string, key: Item): Promise<Item> => {
      const { Item } = await store.client.send(
        new GetItemCommand({ TableName: table, Key: { ...key }, ConsistentRead: true }),
      );
      return Item ?? {};
    };
    const ledgerItem = ({ key }: LedgerWrite) =>
      itemOf(store.ledgerTable, { pk: { S: key.pk }, id: { S: key.id } });
    const quarantineItem = ({ key }: QuarantineRow) =>
      itemOf(store.quarantineTable, { pk: { S: key.pk }, sk: { S: key.sk } });
    const bookOnce = async (write: LedgerWrite) => verdictOf(await ledger.book(write), write);

    describe('that is the ledger', () => {
      it('accepts the first delivery, and a copy is a duplicate with the first booking’s time', async () => {
        const body = freshBody();
        expect(await bookOnce(writeOf(body))).toEqual({ kind: 'accepted', bookedAt: NOW });
        const copy = writeOf(body, { deliveryId: 'copy' }, LATER);
        expect(await bookOnce(copy)).toEqual({ kind: 'duplicate', bookedAt: NOW });
      });

      it('accepts folded copies as one booking', async () => {
        const write = writeOf(freshBody(), {}, NOW, 5);
        expect(await bookOnce(write)).toEqual({ kind: 'accepted', bookedAt: NOW });
        expect((await ledgerItem(write)).tries).toEqual({ N: '5' });
      });

      it('resumes when the same write comes twice, as by a retry of the SDK', async () => {
        const write = writeOf(freshBody());
        await ledger.book(write);
        expect(await bookOnce(write)).toEqual({ kind: 'resumed', bookedAt: NOW });
      });

      it('refuses another body under a used id, shows the row that stands and leaves it alone', async () => {
        const body = freshBody();
        const booked = writeOf(body);
        await ledger.book(booked);
        const before = await ledgerItem(booked);
        const other = writeOf(body.replace('12.50', '99'), { deliveryId: 'other' }, LATER);
        expect(await bookOnce(other)).toEqual({
          kind: 'conflict',
          fields: ['kWh'],
          row: {
            firstDeliveryId: 'delivery-1',
            likeness: booked.first.likeness,
            topic: booked.first.topic,
            body,
            tries: 1,
            bookedAtMillis: NOW,
          },
        });
        expect(await ledgerItem(booked)).toEqual(before);
      });

      it('refuses it even to the delivery that booked the row', async () => {
        const body = freshBody();
        await ledger.book(writeOf(body));
        expect((await bookOnce(writeOf(`${body} `))).kind).toBe('conflict');
      });

      it('never changes what the first delivery wrote (I1): a copy counts, dates and adds nothing', async () => {
        const body = freshBody();
        const first = writeOf(body, { principal: undefined });
        await ledger.book(first);
        const { tries: _, lastSeenAt: __, ...before } = await ledgerItem(first);
        await ledger.book(
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
        await ledger.book(write);
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
        await ledger.book(write);
        expect((await ledgerItem(write)).body).toEqual({ S: body });
        expect((await ledger.find(write.key))?.body).toBe(body);
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
        expect(await ledger.find(write.key)).toBeUndefined();
        await ledger.book(write);
        expect(await ledger.find(write.key)).toMatchObject({
          firstDeliveryId: 'delivery-1',
          tries: 1,
          bookedAtMillis: NOW,
        });
        expect(await ledger.find({ ...write.key, pk: 'charges#stranger' })).toBeUndefined();
      });

      it('lists a booking in the index by-account, in order of occurrence', async () => {
        const account = `"index-${++ids}"`;
        const late = freshBody({ account, at: '"2026-11-20T08:00:02Z"' });
        const early = freshBody({ account, at: '"2026-11-20T08:00:01Z"' });
        await ledger.book(writeOf(late));
        await ledger.book(writeOf(early));
        await ledger.book(writeOf(early, { deliveryId: 'copy' }));
        const { Items = [] } = await store.client.send(
          new QueryCommand({
            TableName: store.ledgerTable,
            IndexName: 'by-account',
            KeyConditionExpression: 'accountPeriod = :period',
            ExpressionAttributeValues: { ':period': { S: `index-${ids - 2}#2026-11#0` } },
          }),
        );
        expect(Items.map(({ occurrence }) => occurrence?.S)).toEqual([
          `2026-11-20T08:00:01.000Z#dev-1#contract-${ids}`,
          `2026-11-20T08:00:02.000Z#dev-1#contract-${ids - 1}`,
        ]);
      });
    });

    describe('that is the quarantine', () => {
      const rowOf = (body: string | Uint8Array, changes: Partial<Delivery> = {}): QuarantineRow =>
        quarantineRowOf('charges', deliveryOf(body, changes), {
          reason: 'invalid-body',
          detail: 'a test',
          bodyHash: `${++ids}`.padStart(64, '0'),
          device: 'dev-1',
          id: undefined,
          answerTo: 'dev-1',
        });

      it('keeps a row that is put twice as one row with two tries, its first words unchanged', async () => {
        const row = rowOf('x');
        await quarantine.put(row);
        const { tries: _, ...before } = await quarantineItem(row);
        await quarantine.put({ ...row, deliveryId: 'again', detail: 'other', clientId: null });
        const { tries, ...after } = await quarantineItem(row);
        expect(tries).toEqual({ N: '2' });
        expect(after).toEqual(before);
        expect(after.lastSeenAt).toEqual({ S: '2026-11-20T09:01:51.000Z' });
      });

      it.each(['', ' ', 'x\u0000é😀', '\ufeff{}', '{"a":1}\r\n'])(
        'keeps the text %j exactly',
        async (body) => {
          const row = rowOf(body);
          await quarantine.put(row);
          expect((await quarantineItem(row)).body).toEqual({ S: body });
        },
      );

      it('keeps bytes that are no text exactly', async () => {
        const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
        const row = rowOf(bytes);
        await quarantine.put(row);
        const { body } = await quarantineItem(row);
        expect([...(body?.B ?? [])]).toEqual([...bytes]);
      });

      it('keeps the evidence of a conflict, the largest there is', async () => {
        const whole = 'x'.repeat(92_160);
        const evidence = {
          fields: ['kWh', 'a.b'],
          bookedBody: whole,
          bookedAt: '2026-01-01T00:00:00.000Z',
        };
        const row = { ...rowOf(whole), ...evidence };
        await quarantine.put(row);
        expect(await quarantineItem(row)).toMatchObject({
          fields: { L: [{ S: 'kWh' }, { S: 'a.b' }] },
          bookedBody: { S: whole },
        });
      });

      it('keeps a delivery of which nothing is known', async () => {
        const unknown = { topic: '', clientId: undefined, principal: undefined };
        const row = {
          ...rowOf('x', unknown),
          key: { pk: 'charges#-', sk: `-#${ids}` },
          device: null,
        };
        await quarantine.put(row);
        expect(await quarantineItem(row)).toMatchObject({
          device: { NULL: true },
          topic: { S: '' },
        });
      });

      it('lists a row in the index by-day', async () => {
        const receivedAt = epochMillis(Date.UTC(2031, 0, 1) + ++ids);
        const row = rowOf('x', { receivedAt });
        await quarantine.put(row);
        const { Items = [] } = await store.client.send(
          new QueryCommand({
            TableName: store.quarantineTable,
            IndexName: 'by-day',
            KeyConditionExpression: 'routeDay = :day',
            ExpressionAttributeValues: { ':day': { S: 'charges#2031-01-01' } },
          }),
        );
        expect(Items.map(({ sk }) => sk?.S)).toEqual([row.key.sk]);
      });
    });
  });
}
