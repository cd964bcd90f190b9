import type { Route } from './route.ts';

/** What is pinned of a route of each guarantee, named as the configuration names it. */
export const PINS = {
  'exactly-once': [
    'device',
    'entry.account',
    'entry.occurredAt',
    'guarantee',
    'id',
    'indexShards',
    'sameBody',
  ],
  deduplicated: ['device', 'guarantee', 'id', 'sameBody'],
  latest: ['device', 'guarantee', 'sameBody', 'version'],
} as const satisfies Readonly<Record<Route['guarantee'], readonly string[]>>;

export type PinName = (typeof PINS)[Route['guarantee']][number];
export type Pins = Readonly<Partial<Record<PinName, string | number>>> & {
  readonly guarantee: Route['guarantee'];
};
