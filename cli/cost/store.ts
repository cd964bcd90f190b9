/** What a message costs in the store: of the bridge, from the very row that it writes. */

import {
  type ExactlyOnceWrite,
  exactlyOnceWriteOf,
} from '../../core/guarantees/exactly-once/row.ts';
import type { Delivery } from '../../core/message/envelope.ts';
import { readMessage } from '../../core/message/message.ts';
import { attributeOf } from '../../lambda/adapters/attributes.ts';
import {
  SAMPLE_NOW,
  SAMPLE_PRINCIPAL,
  SAMPLE_ROUTE,
  sampleBody,
  sampleDevice,
  sampleId,
  sampleTopic,
} from './sample.ts';
import {
  type Item,
  itemBytes,
  projectionOf,
  STORED_ITEM_OVERHEAD_BYTES,
  type TableShape,
  type Units,
  writtenUnits,
} from './units.ts';

/** What one delivery asks of the store. */
export interface StoreWork {
  readonly units: Units;
  /** Requests of the AWS SDK. */
  readonly requests: number;
  /** Of them, those that wait for one another. */
  readonly roundTrips: number;
}

/** A way of booking messages, as far as the store is asked. */
export interface Store {
  /** The delivery that books the message, and one that brings it again. */
  readonly first: StoreWork;
  readonly copy: StoreWork;
  /** What is kept of a message, with the overhead that storage is charged with. */
  readonly storedBytes: { readonly table: number; readonly index: number };
}

/** The ledger of `lib/state-stack.ts`; a test holds the two together. */
export const LEDGER_SHAPE: TableShape = {
  keys: ['pk', 'id'],
  indexes: [
    {
      name: 'by-account',
      keys: ['accountPeriod', 'occurrence'],
      projected: ['route', 'device', 'account', 'amount', 'unit', 'occurredAt', 'bookedAt'],
    },
  ],
};

/** The bridge's own: one write for a delivery, whatever it turns out to be. */
export function ledgerStore(bodyBytes: number): Store {
  const booked = sampleRow(bodyBytes);
  const again: Item = {
    ...booked,
    tries: { N: '2' },
    lastSeenAt: { S: '2026-11-20T09:02:11.000Z' },
  };
  const work = (before: Item | undefined, after: Item): StoreWork => ({
    units: writtenUnits(LEDGER_SHAPE, before, after),
    requests: 1,
    roundTrips: 1,
  });
  return {
    first: work(undefined, booked),
    copy: work(booked, again),
    storedBytes: storedBytesOf(LEDGER_SHAPE, booked),
  };
}

/** What storage is charged for an item, in its table and in all indexes together. */
export function storedBytesOf(shape: TableShape, item: Item): Store['storedBytes'] {
  const projections: readonly Item[] = shape.indexes
    .map((index) => projectionOf(shape, index, item))
    .filter((each) => each !== undefined);
  const billed = (each: Item) => itemBytes(each) + STORED_ITEM_OVERHEAD_BYTES;
  return {
    table: billed(item),
    index: projections.reduce((sum, each) => sum + billed(each), 0),
  };
}

/** A ledger row as DynamoDB holds it, of a charge with so many bytes. */
export function sampleRow(bodyBytes: number): Item {
  const device = sampleDevice();
  const delivery: Delivery = {
    deliveryId: sampleId(1),
    topic: sampleTopic(device),
    body: Buffer.from(sampleBody({ id: sampleId(0), bytes: bodyBytes })),
    receivedAt: SAMPLE_NOW,
    clientId: device,
    principal: SAMPLE_PRINCIPAL,
  };
  const reading = readMessage(SAMPLE_ROUTE, delivery);
  if (reading.kind !== 'message') throw new Error('the sample is no charge that can be booked');
  return itemOf(exactlyOnceWriteOf(SAMPLE_ROUTE, delivery, reading.message, 1, SAMPLE_NOW));
}

function itemOf({ key, first, tries, lastSeenAt }: ExactlyOnceWrite): Item {
  return Object.fromEntries(
    Object.entries({ ...key, ...first, tries, lastSeenAt }).map(([name, value]) => [
      name,
      attributeOf(value),
    ]),
  );
}
