/** What the bridge publishes, read back: receipts, and forwards of messages. */

import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  readJsonObject,
} from '../../core/base/json.ts';
import { type EpochMillis, epochMillis } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { keyOf } from '../../core/message/id.ts';
import { idTellingOf, parseReceiptId } from '../../core/wire/receipt-ids.ts';
import type { Routes } from './routes.ts';
import type { RowKey } from './table-news.ts';

export interface ReceiptRead {
  readonly outcome: string;
  readonly bodyHash: string | undefined;
  readonly reason: string | undefined;
  readonly bookedAt: EpochMillis | undefined;
  /** Where the id alone names one row. */
  readonly key: RowKey | undefined;
}

/** Undefined for what is no publication of receipts. */
export function readReceipts(
  topic: string,
  payload: Uint8Array,
  routes: Routes,
): readonly ReceiptRead[] | undefined {
  const [, device] = /^tollbridge\/([^/]*)\/receipts$/.exec(topic) ?? [];
  if (device === undefined) return undefined;
  const reading = readJsonObject(payload);
  if (!reading.ok || !Array.isArray(reading.value.receipts)) return [];
  const route = routeNamed(routes, reading.value.route);
  const receipts: readonly unknown[] = reading.value.receipts;
  return receipts.flatMap((receipt) =>
    isJsonObject(receipt as JsonObject) ? [readReceipt(receipt as JsonObject, device, route)] : [],
  );
}

function readReceipt(receipt: JsonObject, device: string, route: Route | undefined): ReceiptRead {
  const { outcome, bodyHash, reason, bookedAt, id } = receipt;
  const ids = route === undefined ? [] : parseReceiptId(idTellingOf(route), id);
  const only = ids.length === 1 ? ids[0] : undefined;
  return {
    outcome: typeof outcome === 'string' ? outcome : '?',
    bodyHash: typeof bodyHash === 'string' ? bodyHash : undefined,
    reason: typeof reason === 'string' ? reason : undefined,
    bookedAt: isJsonNumber(bookedAt) ? timeOf(bookedAt.value) : undefined,
    key: route && only && keyOf(route.name, device, only),
  };
}

/** The message that a forward carries; undefined for what is no forward. */
export function readForward(payload: Uint8Array, routes: Routes): RowKey | undefined {
  const reading = readJsonObject(payload);
  if (!reading.ok) return undefined;
  const { 'tollbridge-id': forwardId, device } = reading.value;
  const route = routeNamed(routes, reading.value.route);
  if (route === undefined || typeof forwardId !== 'string' || typeof device !== 'string') {
    return undefined;
  }
  const prefix = `${route.name}#${device}#`;
  if (!forwardId.startsWith(prefix)) return undefined;
  const rest = forwardId.slice(prefix.length);
  // In a window and for a newest value, the id is followed by what tells its lives apart.
  const id = rest.slice(0, rest.lastIndexOf('#'));
  switch (route.guarantee) {
    case 'exactly-once':
      return { pk: `${route.name}#${device}`, id: rest };
    case 'deduplicated':
      return id === '' ? undefined : { pk: `${route.name}#${device}`, id };
    case 'latest':
      return id === '' ? undefined : { pk: device, id };
  }
}

function routeNamed(routes: Routes, name: unknown): Route | undefined {
  return [...routes.values()].find((route) => route.name === name);
}

function timeOf(digits: string): EpochMillis | undefined {
  const value = Number(digits);
  return Number.isSafeInteger(value) && Math.abs(value) <= 8.64e15 ? epochMillis(value) : undefined;
}
