/** What a function's write to a table means: read from DynamoDB's own request and answer. */
import { bodyHashOf } from '../../core/base/hash.ts';
import { partitionOf } from '../../core/message/id.ts';
import type { CloudEvent } from '../contracts.ts';

export type TableEvent = Extract<CloudEvent, { readonly kind: 'table' }>;

/** Names of the tables, as the template gives them. */
export interface TableNames {
  readonly ledger: string;
  readonly dedupRecords: string;
  readonly state: string;
  readonly quarantine: string;
}

/** Where a row stands. */
export interface RowKey {
  readonly pk: string;
  readonly id: string;
}

export type TableNews =
  | {
      /** A message was written, or a copy of it counted, by a delivery that is named. */
      readonly kind: 'booking';
      readonly table: 'ledger' | 'dedupRecords' | 'state';
      readonly key: RowKey;
      readonly verdict: 'accepted' | 'resumed' | 'duplicate';
      readonly deliveryId: string;
      readonly bodyHash: string;
      readonly body: Uint8Array;
      /** Deliveries folded into the write. */
      readonly added: number;
      readonly tries: number;
      /** There was no such row before. */
      readonly isNew: boolean;
    }
  /** The row that stands refused the write: another body, or a window that is over. */
  | { readonly kind: 'refused'; readonly key: RowKey; readonly bodyHash: string }
  /** A copy was counted on a row that stands; which delivery it was is not said. */
  | { readonly kind: 'copy'; readonly key: RowKey; readonly added: number }
  | {
      readonly kind: 'quarantined';
      /** Of the message, where its id is known. */
      readonly key: RowKey | undefined;
      readonly deliveryId: string;
      readonly bodyHash: string;
      readonly reason: string;
      readonly detail: string;
      readonly added: number;
    }
  | { readonly kind: 'released'; readonly key: RowKey; readonly isMarked: boolean };

type Json = Readonly<Record<string, unknown>>;

/** Undefined for what is none of the bridge's own writes, or failed without a verdict. */
export function tableNewsOf(event: TableEvent, tables: TableNames): TableNews | undefined {
  const request = objectIn(event.request);
  const answer = objectIn(event.answer);
  const isRefused = String(answer.__type ?? '').endsWith('#ConditionalCheckFailedException');
  if (event.status !== 200 && !isRefused) return undefined;
  const table = tableOf(request.TableName, tables);
  if (table === undefined) return undefined;
  const values =
    event.operation === 'PutItem'
      ? objectOf(request.Item)
      : namedValues(objectOf(request.ExpressionAttributeValues));
  const key = keyOf(objectOf(event.operation === 'PutItem' ? request.Item : request.Key));
  if (table === 'quarantine') return isRefused ? undefined : quarantined(values);
  if (key === undefined) return undefined;
  if ('releasedAt' in values) return { kind: 'released', key, isMarked: !isRefused };
  if (!('body' in values)) {
    if (isRefused) return undefined;
    return { kind: 'copy', key, added: numberOf(values.tries) };
  }
  const body = bytesOf(values.body);
  const bodyHash = bodyHashOf(textOf(values.topic) ?? '', body);
  if (isRefused) return { kind: 'refused', key, bodyHash };
  return { ...booked(values, answer.Attributes), kind: 'booking', table, key, bodyHash, body };
}

/** @param before the row as it stood, where there was one */
function booked(values: Json, before: unknown) {
  const deliveryId = textOf(values.firstDeliveryId) ?? '';
  const added = numberOf(values.tries);
  const row = objectOf(before);
  const isOwn = textOf(row.firstDeliveryId) === deliveryId;
  const standing = isOwn ? ('resumed' as const) : ('duplicate' as const);
  const isNew = before === undefined;
  return {
    deliveryId,
    added,
    tries: numberOf(row.tries) + added,
    isNew,
    verdict: isNew ? ('accepted' as const) : standing,
  };
}

function quarantined(values: Json): TableNews | undefined {
  const reason = textOf(values.reason);
  const bodyHash = textOf(values.bodyHash);
  const route = textOf(values.route);
  if (reason === undefined || bodyHash === undefined || route === undefined) return undefined;
  const id = textOf(values.id);
  return {
    kind: 'quarantined',
    key:
      id === undefined ? undefined : { pk: partitionOf(route, textOf(values.device) ?? '-'), id },
    deliveryId: textOf(values.deliveryId) ?? '',
    bodyHash,
    reason,
    detail: textOf(values.detail) ?? '',
    added: numberOf(values.tries),
  };
}

function tableOf(name: unknown, tables: TableNames): keyof TableNames | undefined {
  const names = Object.keys(tables) as (keyof TableNames)[];
  return names.find((table) => tables[table] === name);
}

function keyOf(attributes: Json): RowKey | undefined {
  const pk = textOf(attributes.pk);
  const id = textOf(attributes.id);
  return pk === undefined || id === undefined ? undefined : { pk, id };
}

/** `:name` is the value of the attribute `name`, but for `:now`. */
function namedValues(values: Json): Json {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name.slice(1), value]));
}

function objectIn(bytes: Buffer): Json {
  try {
    return objectOf(JSON.parse(bytes.toString('utf8')));
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function textOf(attribute: unknown): string | undefined {
  const { S } = objectOf(attribute);
  return typeof S === 'string' ? S : undefined;
}

/** Counts alone: no amount is read here. */
function numberOf(attribute: unknown): number {
  const { N } = objectOf(attribute);
  const value = Number(N);
  return Number.isSafeInteger(value) ? value : 0;
}

function bytesOf(attribute: unknown): Uint8Array {
  const { S, B } = objectOf(attribute);
  if (typeof S === 'string') return Buffer.from(S);
  return Buffer.from(typeof B === 'string' ? B : '', 'base64');
}
