/** What any store under the quarantine must do, asked through the real adapter. */
import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import type { Delivery } from '../../../core/message/envelope.ts';
import type { Quarantine } from '../../../core/tables/ports.ts';
import { type QuarantineRow, quarantineRowOf } from '../../../core/tables/quarantine-row.ts';
import {
  createFindings,
  createQuarantineTable,
} from '../../../lambda/adapters/quarantine-table.ts';
import { deliveryOf, NOW } from '../../../tools/handlers/samples.ts';
import type { Item, Store } from '../../../tools/stores/engines.ts';

const LATER = epochMillis(NOW + 60_000);

export function quarantineContract(name: string, makeStore: () => Promise<Store>): void {
  describe(`${name} as a store`, () => {
    let store: Store;
    let quarantine: Quarantine;
    let ids = 0;

    beforeAll(async () => {
      store = await makeStore();
      quarantine = createQuarantineTable(store.client, store.tables.quarantine, () => LATER);
    });
    afterAll(async () => store.close());

    const quarantineItem = async ({ key }: QuarantineRow): Promise<Item> => {
      const { Item } = await store.client.send(
        new GetItemCommand({
          TableName: store.tables.quarantine,
          Key: { pk: { S: key.pk }, sk: { S: key.sk } },
          ConsistentRead: true,
        }),
      );
      return Item ?? {};
    };

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

      it('adds to a row what a later finding of the same body knows', async () => {
        const early = { ...rowOf('{"kWh":2}'), reason: 'early' };
        const evidence = { fields: ['kWh'], bookedBody: '{"kWh":1}', bookedAt: '2026-01-01' };
        await quarantine.put(early);
        await quarantine.put({ ...early, ...evidence, reason: 'conflict', detail: 'other' });
        await quarantine.put({ ...early, reason: 'conflict', detail: 'other' });
        const other = { fields: [], bookedBody: 'another', bookedAt: '2027-01-01' };
        await quarantine.put({ ...early, ...other, reason: 'conflict' });
        const { reasons, ...item } = await quarantineItem(early);
        expect(reasons?.SS?.toSorted()).toEqual(['conflict', 'early']);
        expect(item).toMatchObject({
          reason: { S: 'early' },
          detail: { S: 'a test' },
          tries: { N: '4' },
          fields: { L: [{ S: 'kWh' }] },
          bookedBody: { S: '{"kWh":1}' },
          bookedAt: { S: '2026-01-01' },
        });
      });

      it('tells why a body was not booked, by the key of its id and hash', async () => {
        const findings = createFindings(store.client, store.tables.quarantine);
        const plain = rowOf('x');
        const conflict = { ...rowOf('y'), fields: ['kWh', 'at'], reason: 'conflict' };
        await quarantine.put(plain);
        await quarantine.put(conflict);
        expect(await findings.find(plain.key)).toEqual({
          reason: 'invalid-body',
          detail: 'a test',
          fields: null,
        });
        expect(await findings.find(conflict.key)).toMatchObject({ fields: ['kWh', 'at'] });
        expect(await findings.find(rowOf('z').key)).toBeUndefined();
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
        const listed = async () => {
          const { Items = [] } = await store.client.send(
            new QueryCommand({
              TableName: store.tables.quarantine,
              IndexName: 'by-day',
              KeyConditionExpression: 'routeDay = :day',
              ExpressionAttributeValues: { ':day': { S: 'charges#2031-01-01' } },
            }),
          );
          return Items.map(({ sk }) => sk?.S);
        };
        // On AWS the index follows the table a little later.
        await expect.poll(listed, { timeout: 10_000 }).toEqual([row.key.sk]);
      });
    });
  });
}
