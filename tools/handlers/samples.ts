/** Sample routes and deliveries on them, each part replaceable. */

import { type EpochMillis, epochMillis } from '../../core/base/time.ts';
import type {
  DeduplicatedRoute,
  ExactlyOnceRoute,
  LatestRoute,
  Route,
} from '../../core/config/route.ts';
import { payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import {
  type DeduplicatedWrite,
  deduplicatedWriteOf,
} from '../../core/guarantees/deduplicated/row.ts';
import {
  type ExactlyOnceWrite,
  exactlyOnceWriteOf,
} from '../../core/guarantees/exactly-once/row.ts';
import type { FactsOf } from '../../core/guarantees/index.ts';
import { type LatestWrite, latestWriteOf } from '../../core/guarantees/latest/row.ts';
import type { Delivery } from '../../core/message/envelope.ts';
import { type Message, type MessageReading, readMessage } from '../../core/message/message.ts';

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

const common = {
  device: topicLevel(2),
  feed: 'queue',
  batch: { messages: 10, waitSeconds: 0 },
  receipts: 0,
  trustTopicLevel: null,
  ignoring: null,
} as const;

/** The billing route of the samples, its defaults filled in. */
export function routeOf(changes: Partial<ExactlyOnceRoute> = {}): ExactlyOnceRoute {
  return { ...charges, ...common, name: 'charges', maxAgeDays: 366, indexShards: 1, ...changes };
}

export const WINDOW_SECONDS = 600;

/** A route with a window of ten minutes, on the same topic, so that the same deliveries serve. */
export function windowRouteOf(changes: Partial<DeduplicatedRoute> = {}): DeduplicatedRoute {
  return {
    ...common,
    name: 'events',
    guarantee: 'deduplicated',
    topic: 'billing/+/charges',
    id: payload('id'),
    windowSeconds: WINDOW_SECONDS,
    time: null,
    mode: 'enforce',
    onStoreDown: 'hold',
    forward: 'deduplicated/{device}/charges',
    ...changes,
  };
}

/** A route on which the newest `at` wins. */
export function stateRouteOf(changes: Partial<LatestRoute> = {}): LatestRoute {
  return {
    ...common,
    name: 'status',
    guarantee: 'latest',
    topic: 'billing/+/charges',
    version: timestamp('at'),
    forward: 'newest/{device}/charges',
    ...changes,
  };
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

export function messageOf(
  body?: string | Uint8Array,
  changes?: Partial<Delivery>,
): Message<FactsOf<ExactlyOnceRoute>>;
export function messageOf<R extends Route>(
  body: string | Uint8Array | undefined,
  changes: Partial<Delivery> | undefined,
  route: R,
): Message<FactsOf<R>>;
export function messageOf(
  body: string | Uint8Array = BODY,
  changes: Partial<Delivery> = {},
  route: Route = routeOf(),
): Message {
  const reading = readMessage(route, deliveryOf(body, changes));
  if (reading.kind === 'rejected') throw new Error(`rejected: ${reading.rejection.detail}`);
  return reading.message;
}

export function writeOf(
  body: string = BODY,
  changes: Partial<Delivery> = {},
  now: EpochMillis = NOW,
  tries = 1,
): ExactlyOnceWrite {
  const delivery = deliveryOf(body, changes);
  return exactlyOnceWriteOf(routeOf(), delivery, messageOf(body, changes), tries, now);
}

export function windowWrite(
  body: string | Uint8Array = BODY,
  changes: Partial<Delivery> = {},
  route: DeduplicatedRoute = windowRouteOf(),
  now: EpochMillis = NOW,
  tries = 1,
): DeduplicatedWrite {
  return deduplicatedWriteOf(
    route,
    deliveryOf(body, changes),
    messageOf(body, changes, route),
    tries,
    now,
  );
}

export function stateWrite(
  body: string = BODY,
  changes: Partial<Delivery> = {},
  route: LatestRoute = stateRouteOf(),
  now: EpochMillis = NOW,
  tries = 1,
): LatestWrite {
  return latestWriteOf(
    route,
    deliveryOf(body, changes),
    messageOf(body, changes, route),
    tries,
    now,
  );
}

/** The reason of a reading that books nothing, else its kind. */
export function reasonOf(reading: MessageReading): string {
  return reading.kind === 'message' ? 'message' : reading.rejection.reason;
}
