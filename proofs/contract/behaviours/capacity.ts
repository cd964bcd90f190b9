/** What engines say that a request has consumed: the units that AWS charges. */
import {
  type ConsumedCapacity,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { ExactlyOnceWrite } from '../../../core/guarantees/exactly-once/row.ts';
import { releaseOf } from '../../../core/tables/release.ts';
import { exactlyOnceUpdate } from '../../../lambda/adapters/exactly-once.ts';
import { releaseUpdate } from '../../../lambda/adapters/releases.ts';
import { bodyWith, NOW, writeOf } from '../../../tools/handlers/samples.ts';
import type { Behaviour, Place } from './behaviour.ts';

const CAPACITY = 'Developer Guide, DynamoDB read and write operations';

function units(consumed: ConsumedCapacity | undefined): string {
  const index = consumed?.GlobalSecondaryIndexes?.['by-account'];
  const told = (one: { CapacityUnits?: number | undefined } | undefined) =>
    String(one?.CapacityUnits || 'none');
  return `table ${told(consumed?.Table)}, index ${told(index)}`;
}

async function charged(
  { client, tables }: Place,
  input: Omit<UpdateItemCommandInput, 'TableName'>,
): Promise<string> {
  const request = {
    TableName: tables.ledger,
    ReturnConsumedCapacity: 'INDEXES',
    ...input,
  } as const;
  const { ConsumedCapacity } = await client.send(new UpdateItemCommand(request));
  return units(ConsumedCapacity);
}

/** A write of a body that is filled up with spaces. */
function filled(place: Place, bytes: number): ExactlyOnceWrite {
  return writeOf(bodyWith({ id: JSON.stringify(place.fresh()) }).padEnd(bytes, ' '));
}

const later = (write: ExactlyOnceWrite) =>
  writeOf(String(write.first.body), { deliveryId: 'copy' });

const notCounted =
  'What a booking costs is reckoned by a formula of the project, never by this engine.';

export const capacityBehaviours: readonly Behaviour[] = [
  {
    title: 'write units of a booking under 1 KB: first, copy, release',
    documented: 'table 1, index 1; table 1, index none; table 1, index none',
    page: `${CAPACITY}; Using Global Secondary Indexes`,
    otherwise: notCounted,
    async observe(place) {
      const write = filled(place, 100);
      const first = await charged(place, exactlyOnceUpdate(write));
      const copy = await charged(place, exactlyOnceUpdate(later(write)));
      const release = await charged(place, releaseUpdate(releaseOf(write.key, NOW)));
      return [first, copy, release].join('; ');
    },
  },
  {
    title: 'write units of a booking with a body of 10,000 bytes: first, copy',
    documented: 'table 11, index 1; table 11, index none',
    page: `${CAPACITY}, UpdateItem`,
    otherwise: notCounted,
    async observe(place) {
      const write = filled(place, 10_000);
      const first = await charged(place, exactlyOnceUpdate(write));
      return `${first}; ${await charged(place, exactlyOnceUpdate(later(write)))}`;
    },
  },
  {
    title: 'write units that the exception of a conflict tells',
    documented: 'none',
    page: 'Developer Guide, Working with items: they are charged all the same',
    async observe(place) {
      const write = filled(place, 100);
      await place.update(exactlyOnceUpdate(write));
      const other = writeOf(`${write.first.body} `, { deliveryId: 'other' });
      const told = await charged(place, exactlyOnceUpdate(other)).catch((error: unknown) => error);
      if (!(told instanceof Error)) return `no refusal: ${String(told)}`;
      return 'ConsumedCapacity' in told ? units(told.ConsumedCapacity as ConsumedCapacity) : 'none';
    },
  },
  {
    title: 'read units of a row with a body of 10,000 bytes: consistent, eventual, the index',
    documented: '3, 1.5, 0.5',
    page: CAPACITY,
    async observe(place) {
      const account = place.fresh();
      const body = bodyWith({ id: JSON.stringify(account), account: JSON.stringify(account) });
      const write = writeOf(body.padEnd(10_000, ' '));
      await place.update(exactlyOnceUpdate(write));
      const Key = { pk: { S: write.key.pk }, id: { S: write.key.id } };
      const read = {
        TableName: place.tables.ledger,
        Key,
        ReturnConsumedCapacity: 'TOTAL',
      } as const;
      const strong = await place.client.send(new GetItemCommand({ ...read, ConsistentRead: true }));
      const eventual = await place.client.send(new GetItemCommand(read));
      const index = await place.client.send(
        new QueryCommand({
          TableName: place.tables.ledger,
          IndexName: 'by-account',
          KeyConditionExpression: 'accountPeriod = :period',
          ExpressionAttributeValues: { ':period': { S: write.first.accountPeriod } },
          ReturnConsumedCapacity: 'TOTAL',
        }),
      );
      return [strong, eventual, index].map((one) => one.ConsumedCapacity?.CapacityUnits).join(', ');
    },
  },
];
