/** A row of the ledger: what is written once, and the little that changes after. */
import { createHash } from 'node:crypto';
import type { Route } from './config/route.ts';
import type { Delivery } from './envelope.ts';
import type { MessageKey } from './identity.ts';
import { ITEM_BYTES_MAX, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX } from './limits.ts';
import type { Message } from './message.ts';
import { type EpochMillis, toIso } from './time.ts';

/** The list of first-write attributes that a row was written with. */
export const LEDGER_ROW_VERSION = 1;

/**
 * What the first delivery writes and nothing changes after (I1). Each is always present, `null`
 * where it is not known: a copy must not add an attribute that the row does not have.
 */
export interface FirstWrite {
  readonly rowVersion: number;
  readonly route: string;
  readonly device: string;
  readonly topic: string;
  readonly body: string;
  readonly likeness: string;
  readonly account: string;
  /** A decimal, for a DynamoDB number. */
  readonly amount: Decimal;
  readonly unit: string;
  /** ISO 8601. */
  readonly occurredAt: string;
  readonly occurredAtMillis: EpochMillis;
  readonly receivedAt: string;
  readonly bookedAt: string;
  readonly bookedAtMillis: EpochMillis;
  readonly principal: string | null;
  /** `account#period#shard`, the partition key of the index by-account. */
  readonly accountPeriod: string;
  /** `occurredAt#device#id`, its sort key. */
  readonly occurrence: string;
  readonly firstDeliveryId: string;
}

/** A decimal in text, kept apart from strings so that adapters write it as a number. */
export interface Decimal {
  readonly decimal: string;
}

/** The one write: all that one `UpdateItem` says. */
export interface LedgerWrite {
  readonly key: MessageKey;
  readonly first: FirstWrite;
  /** Deliveries folded into this write. */
  readonly tries: number;
  /** ISO 8601. */
  readonly lastSeenAt: string;
}

/** What is read back of a row to reach a verdict. */
export interface LedgerRow {
  readonly firstDeliveryId: string;
  readonly likeness: string;
  readonly topic: string;
  readonly body: string;
  readonly tries: number;
  readonly bookedAtMillis: EpochMillis;
}

export function ledgerWriteOf(
  route: Route,
  delivery: Delivery,
  message: Message,
  tries: number,
  now: EpochMillis,
): LedgerWrite {
  const { entry, key } = message;
  const occurredAt = toIso(entry.occurredAt);
  const bookedAt = toIso(now);
  return {
    key,
    tries,
    lastSeenAt: bookedAt,
    first: {
      rowVersion: LEDGER_ROW_VERSION,
      route: route.name,
      device: message.device,
      topic: delivery.topic,
      body: message.body,
      likeness: message.likeness,
      account: entry.account,
      amount: { decimal: entry.amount },
      unit: entry.unit,
      occurredAt,
      occurredAtMillis: entry.occurredAt,
      receivedAt: toIso(delivery.receivedAt),
      bookedAt,
      bookedAtMillis: now,
      principal: delivery.principal ?? null,
      accountPeriod: `${entry.account}#${occurredAt.slice(0, 7)}#${shardOf(key, route.indexShards)}`,
      occurrence: `${occurredAt}#${message.device}#${key.id}`,
      firstDeliveryId: delivery.deliveryId,
    },
  };
}

/** The index partition of an id, from 0: the same for every delivery of a message. */
function shardOf(key: MessageKey, shards: number): number {
  if (shards === 1) return 0;
  return createHash('sha256').update(key.id).digest().readUInt32BE(0) % shards;
}

/**
 * What DynamoDB would refuse in a row, or undefined. dynalite accepts index keys of any size, so
 * the limits are asked here, before the write.
 */
export function ledgerRowFault(write: LedgerWrite): string | undefined {
  const keys = [
    ['pk', write.key.pk, PARTITION_KEY_BYTES_MAX],
    ['id', write.key.id, SORT_KEY_BYTES_MAX],
    ['accountPeriod', write.first.accountPeriod, PARTITION_KEY_BYTES_MAX],
    ['occurrence', write.first.occurrence, SORT_KEY_BYTES_MAX],
  ] as const;
  for (const [name, value, max] of keys) {
    const bytes = Buffer.byteLength(value);
    if (bytes < 1 || bytes > max) return `${name} has ${bytes} bytes; 1 to ${max} are allowed`;
  }
  const bytes = sizeOf(write);
  return bytes > ITEM_BYTES_MAX
    ? `the row has ${bytes} bytes; up to ${ITEM_BYTES_MAX} are allowed`
    : undefined;
}

/** An upper bound of the item's size: names and values in UTF-8, 21 bytes for a number. */
function sizeOf(write: LedgerWrite): number {
  const attributes = { ...write.key, ...write.first, tries: 0, lastSeenAt: write.lastSeenAt };
  return Object.entries(attributes).reduce(
    (sum, [name, value]) =>
      sum + Buffer.byteLength(name) + (typeof value === 'string' ? Buffer.byteLength(value) : 21),
    0,
  );
}
