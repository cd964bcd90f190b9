/** The design's billing route and deliveries on it, each part replaceable. */
import { checkConfig } from '../../core/config/check.ts';
import { defineConfig, type Route } from '../../core/config/route.ts';
import { payload, topicLevel } from '../../core/config/sources.ts';
import type { Delivery } from '../../core/envelope.ts';
import { type LedgerWrite, ledgerWriteOf } from '../../core/ledger-row.ts';
import { type Message, type MessageReading, readMessage } from '../../core/message.ts';
import { type EpochMillis, epochMillis } from '../../core/time.ts';

/** 2026-11-20T09:00:51.000Z. */
export const NOW = epochMillis(1_795_165_251_000);
export const BODY = '{"id":"c-1","account":"acme","kWh":12.50,"at":"2026-11-20T08:59:00Z"}';

export const charges = {
  guarantee: 'exactly-once',
  topic: 'billing/+/charges',
  device: topicLevel(2),
  id: payload('id'),
  entry: {
    account: payload('account'),
    amount: payload('kWh'),
    unit: 'kWh',
    occurredAt: payload('at'),
  },
  forward: 'booked/{device}/charges',
} as const;

/** The route of the design, its defaults filled in. */
export function routeOf(changes: Partial<Route> = {}): Route {
  const [route] = checkConfig(defineConfig({ routes: { charges } })).routes;
  if (route === undefined) throw new Error('the sample has no route');
  return { ...route, ...changes };
}

export function deliveryOf(
  body: string | Uint8Array = BODY,
  changes: Partial<Delivery> = {},
): Delivery {
  return {
    deliveryId: 'delivery-1',
    topic: 'billing/dev-1/charges',
    body: typeof body === 'string' ? Buffer.from(body) : body,
    receivedAt: NOW,
    clientId: 'dev-1',
    principal: 'principal-1',
    ...changes,
  };
}

/** The sample's body with fields replaced by JSON texts; `undefined` takes one out. */
export function bodyWith(fields: Readonly<Record<string, string | undefined>> = {}): string {
  const parts: Record<string, string | undefined> = {
    id: '"c-1"',
    account: '"acme"',
    kWh: '12.50',
    at: '"2026-11-20T08:59:00Z"',
    ...fields,
  };
  const members = Object.entries(parts).flatMap(([key, text]) =>
    text === undefined ? [] : [`${JSON.stringify(key)}:${text}`],
  );
  return `{${members.join(',')}}`;
}

export function messageOf(body: string = BODY, changes: Partial<Delivery> = {}): Message {
  const reading = readMessage(routeOf(), deliveryOf(body, changes));
  if (reading.kind === 'rejected') throw new Error(`rejected: ${reading.rejection.detail}`);
  return reading.message;
}

export function writeOf(
  body: string = BODY,
  changes: Partial<Delivery> = {},
  now: EpochMillis = NOW,
  tries = 1,
): LedgerWrite {
  const delivery = deliveryOf(body, changes);
  return ledgerWriteOf(routeOf(), delivery, messageOf(body, changes), tries, now);
}

/** The reason of a reading that books nothing, else its kind. */
export function reasonOf(reading: MessageReading): string {
  return reading.kind === 'message' ? 'message' : reading.rejection.reason;
}
