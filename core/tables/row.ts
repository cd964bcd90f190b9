/** What rows of every table have in common: what is written once, and what a verdict needs of it. */

import { ITEM_BYTES_MAX, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX } from '../base/limits.ts';
import { type EpochMillis, toIso } from '../base/time.ts';
import type { Route } from '../config/route.ts';
import type { Delivery } from '../message/envelope.ts';
import { KEY_VERSION, type MessageKey } from '../message/id.ts';
import type { Message } from '../message/message.ts';

/** A decimal in text, kept apart from strings so that adapters write it as a number. */
export interface Decimal {
  readonly decimal: string;
}

/** What an attribute of a row can be. */
export type Value = string | number | null | Uint8Array | readonly string[] | Decimal;

/**
 * What the first delivery writes. Each is always present, `null` where it is not known: a copy
 * must not add an attribute that the row does not have (I1).
 */
export interface FirstWrite {
  /** The list of first-write attributes that the row was written with. */
  readonly rowVersion: number;
  /** The encoding of its id. */
  readonly keyVersion: number;
  readonly route: string;
  readonly device: string;
  readonly topic: string;
  /** Text where the body is UTF-8, else its bytes. */
  readonly body: string | Uint8Array;
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly bookedAt: string;
  readonly bookedAtMillis: EpochMillis;
  readonly principal: string | null;
  readonly firstDeliveryId: string;
}

/** What every write says: one `UpdateItem`. */
export interface RowWrite<First extends FirstWrite = FirstWrite> {
  readonly key: MessageKey;
  readonly first: First;
  /** Deliveries folded into this write. */
  readonly tries: number;
  /** ISO 8601. */
  readonly lastSeenAt: string;
}

/** What is read back of a row to reach a verdict. */
export interface Row {
  readonly rowVersion: number;
  readonly firstDeliveryId: string;
  readonly fingerprint: string;
  readonly topic: string;
  readonly body: string | Uint8Array;
  readonly bookedAtMillis: EpochMillis;
}

export function firstWriteOf(
  route: Route,
  delivery: Delivery,
  message: Message,
  rowVersion: number,
  now: EpochMillis,
): FirstWrite {
  return {
    rowVersion,
    keyVersion: KEY_VERSION,
    route: route.name,
    device: message.device,
    topic: delivery.topic,
    body: message.body,
    fingerprint: message.fingerprint,
    receivedAt: toIso(delivery.receivedAt),
    bookedAt: toIso(now),
    bookedAtMillis: now,
    principal: delivery.principal ?? null,
    firstDeliveryId: delivery.deliveryId,
  };
}

/** A key value with its name and the bytes that DynamoDB allows it. */
export type KeyLimit = readonly [name: string, value: string, bytesMax: number];

/**
 * What DynamoDB would refuse in a row, or undefined. dynalite accepts index keys of any size, so
 * the limits are asked here, before the write.
 */
export function rowFault(write: RowWrite, indexKeys: readonly KeyLimit[] = []): string | undefined {
  const keys: readonly KeyLimit[] = [
    ['pk', write.key.pk, PARTITION_KEY_BYTES_MAX],
    ['id', write.key.id, SORT_KEY_BYTES_MAX],
    ...indexKeys,
  ];
  for (const [name, value, max] of keys) {
    const bytes = Buffer.byteLength(value);
    if (bytes < 1 || bytes > max) return `${name} has ${bytes} bytes; 1 to ${max} are allowed`;
  }
  const bytes = sizeOf(write);
  return bytes > ITEM_BYTES_MAX
    ? `the row has ${bytes} bytes; up to ${ITEM_BYTES_MAX} are allowed`
    : undefined;
}

/**
 * An upper bound of the item's size: names and values in UTF-8, 21 bytes for a number. It is asked
 * for every delivery, so it makes no objects.
 */
function sizeOf({ key, first, lastSeenAt }: RowWrite): number {
  const rest = 'pk'.length + 'id'.length + 'tries'.length + 'lastSeenAt'.length + valueSize(0);
  return rest + valueSize(key.pk) + valueSize(key.id) + valueSize(lastSeenAt) + sizeOfAll(first);
}

function sizeOfAll(first: FirstWrite): number {
  let bytes = 0;
  for (const name of Object.keys(first)) {
    bytes += name.length + valueSize(first[name as keyof FirstWrite]);
  }
  return bytes;
}

function valueSize(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return value instanceof Uint8Array ? value.length : 21;
}
