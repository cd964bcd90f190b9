/** The rows that the bridge's publications are about: receipts, and forwards of messages. */

import type { Route } from '../../core/config/route.ts';
import { keyOf } from '../../core/message/id.ts';
import { readForwardEnvelope } from '../../core/wire/forward.ts';
import { idsDisplayedAs, idTellingOf } from '../../core/wire/receipt-ids.ts';
import { type Receipt, readReceipts } from '../../core/wire/receipts.ts';
import { receiptsDevice } from '../../core/wire/topics.ts';
import type { Routes } from './routes.ts';
import type { RowKey } from './table-news.ts';

export interface ReceiptRead {
  readonly receipt: Receipt;
  /** Where the id alone names one row. */
  readonly key: RowKey | undefined;
}

/** Undefined for what is no publication of receipts. */
export function receiptsIn(
  topic: string,
  payload: Uint8Array,
  routes: Routes,
): readonly ReceiptRead[] | undefined {
  const device = receiptsDevice(topic);
  if (device === undefined) return undefined;
  const reading = readReceipts(payload);
  if (!reading.ok) return [];
  const route = routeNamed(routes, reading.route);
  return reading.receipts.map((receipt) => ({ receipt, key: keyIn(receipt, device, route) }));
}

function keyIn({ id }: Receipt, device: string, route: Route | undefined): RowKey | undefined {
  if (route === undefined || id === undefined) return undefined;
  const ids = idsDisplayedAs(idTellingOf(route), id);
  const only = ids.length === 1 ? ids[0] : undefined;
  return only && keyOf(route.name, device, only);
}

/** The message that a forward carries; undefined for what is no forward. */
export function forwardIn(payload: Uint8Array, routes: Routes): RowKey | undefined {
  const { forwardId, forward } = readForwardEnvelope(payload);
  const route = routeNamed(routes, forward?.route);
  if (route === undefined || forward === undefined || typeof forwardId !== 'string') {
    return undefined;
  }
  const prefix = `${route.name}#${forward.device}#`;
  if (!forwardId.startsWith(prefix)) return undefined;
  const rest = forwardId.slice(prefix.length);
  // In a window and for a newest value, the id is followed by what tells its lives apart.
  const id = rest.slice(0, rest.lastIndexOf('#'));
  switch (route.guarantee) {
    case 'exactly-once':
      return { pk: `${route.name}#${forward.device}`, id: rest };
    case 'deduplicated':
      return id === '' ? undefined : { pk: `${route.name}#${forward.device}`, id };
    case 'latest':
      return id === '' ? undefined : { pk: forward.device, id };
  }
}

function routeNamed(routes: Routes, name: string | undefined): Route | undefined {
  return [...routes.values()].find((route) => route.name === name);
}
