/** The bridge that is simulated: a route for each promise and each way to find an id. */
import { checkConfig } from '../../core/config/check.ts';
import { defineConfig, type Route } from '../../core/config/route.ts';
import {
  all,
  contentHash,
  ignoring,
  payload,
  sequence,
  timestamp,
  topicLevel,
} from '../../core/config/sources.ts';
import type { Routes } from '../../device/publish/profile.ts';

const entry = {
  account: payload('account'),
  amount: payload('kWh'),
  unit: 'kWh',
  occurredAt: payload('at'),
};
const device = topicLevel(2);

export const ROUTE_NAMES = [
  'charges',
  'counted',
  'joined',
  'events',
  'readings',
  'alerts',
  'signals',
  'status',
] as const;
export type RouteName = (typeof ROUTE_NAMES)[number];

const bridge = checkConfig(
  defineConfig({
    routes: {
      charges: {
        ...{ guarantee: 'exactly-once', topic: 'billing/+/charges', device, entry },
        id: payload('id'),
        forward: 'booked/{device}/{route}',
      },
      counted: {
        ...{ guarantee: 'exactly-once', topic: 'counted/+', device, entry },
        id: sequence('seq', { epoch: 'boot' }),
        ...{ feed: 'direct', forward: 'booked/{device}/{route}' },
      },
      joined: {
        ...{ guarantee: 'exactly-once', topic: 'joined/+', device, entry },
        id: all(payload('place'), payload('part')),
        ...{ sameBody: ignoring('stamp'), forward: 'booked/{device}/{route}' },
      },
      // Longer than a delivery can live: here a release is what shortens a record's life.
      events: {
        ...{ guarantee: 'deduplicated', topic: 'events/+', device, time: payload('at') },
        id: payload('id'),
        ...{ window: { days: 40 }, forward: 'booked/{device}/{route}' },
      },
      readings: {
        ...{ guarantee: 'deduplicated', topic: 'readings/+', device, time: payload('at') },
        id: payload('id'),
        ...{ window: { minutes: 10 }, feed: 'direct', forward: 'booked/{device}/{route}' },
      },
      alerts: {
        ...{ guarantee: 'deduplicated', topic: 'alerts/+', device, id: payload('id') },
        sameBody: ignoring('stamp'),
        ...{ window: { minutes: 10 }, forward: 'booked/{device}/{route}' },
      },
      signals: {
        ...{ guarantee: 'deduplicated', topic: 'signals/+', device },
        id: contentHash('kind'),
        ...{ window: { minutes: 5 }, forward: 'booked/{device}/{route}' },
      },
      status: {
        ...{ guarantee: 'latest', topic: 'status/+', device },
        version: timestamp('at'),
        forward: 'booked/{device}/{route}',
      },
    },
  }),
);

export const routes: ReadonlyMap<string, Route> = new Map(
  bridge.routes.map((route) => [route.name, route]),
);

export function routeOf(name: string): Route {
  const route = routes.get(name);
  if (route === undefined) throw new Error(`there is no route ${name}`);
  return route;
}

/** Of a `deduplicated` route; none elsewhere. */
export function windowMillisOf(name: string): number {
  const route = routeOf(name);
  return route.guarantee === 'deduplicated' ? route.windowSeconds * 1_000 : 0;
}

export function topicOf(route: string, deviceName: string): string {
  return routeOf(route).topic.replace('+', deviceName);
}

/** Whether a copy may be stamped anew and still be the same message. */
export function ignoresStamp(route: RouteName): boolean {
  return route === 'joined' || route === 'alerts';
}

/** By Basic Ingest's topic a PUBLISH goes to its rule alone, past the broker. */
export function basicIngestTopic(route: RouteName, topic: string): string {
  return `$aws/rules/tollbridge_${route}/${topic}`;
}

/** The rule that such a topic names, and the topic as that rule sees it. */
export function addressOf(topic: string): { readonly rule?: string; readonly visible: string } {
  const [, rule, visible] = /^\$aws\/rules\/tollbridge_([^/]+)\/(.*)$/.exec(topic) ?? [];
  return rule === undefined || visible === undefined ? { visible: topic } : { rule, visible };
}

/** What the device library is told of the routes on which it sends. */
export function profileOf(deviceName: string): Routes {
  const topic = (route: RouteName) => topicOf(route, deviceName);
  return {
    charges: { topic: topic('charges'), idField: 'id' },
    counted: {
      ...{ topic: basicIngestTopic('counted', topic('counted')), epochField: 'boot' },
      seqField: 'seq',
      handshake: 'full',
    },
    events: { topic: topic('events'), idField: 'id', handshake: 'full' },
    readings: { topic: topic('readings'), idField: 'id' },
    status: { topic: basicIngestTopic('status', topic('status')), idFrom: 'body' },
  };
}
export const LIBRARY_ROUTES = ['charges', 'counted', 'events', 'readings', 'status'] as const;
