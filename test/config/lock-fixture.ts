import { checkConfig } from '../../core/config/check.ts';
import { compareLock, type LockChange, lockOf } from '../../core/config/lock.ts';
import type { Bridge } from '../../core/config/route.ts';
import { contentHash, payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import { charges as sample } from '../../tools/handlers/samples.ts';

export const charges = { ...sample, topic: 'billing/+/+', forward: undefined };
export const events = {
  guarantee: 'deduplicated',
  topic: 'events/+/#',
  device: topicLevel(2),
  id: contentHash('at', 'type'),
  time: payload('at'),
  window: { days: 7 },
};
export const status = {
  guarantee: 'latest',
  topic: 'status/+/+',
  device: topicLevel(2),
  version: timestamp('at'),
};
const routes = { status, charges, events };

export type Changes = Readonly<Record<string, unknown>>;

export function bridgeOf(changes: Changes = {}, name = 'tollbridge'): Bridge {
  const written = Object.fromEntries(
    Object.entries({ ...routes, ...changes }).filter(([, route]) => route !== undefined),
  );
  const plain = Object.entries(written).map(([key, route]) => [key, withoutUndefined(route)]);
  return checkConfig({ name, routes: Object.fromEntries(plain) });
}

function withoutUndefined(route: unknown): unknown {
  return Object.fromEntries(
    Object.entries(route as Changes).filter(([, value]) => value !== undefined),
  );
}

export const lock = lockOf(bridgeOf());

export function changesOf(changes: Changes, name?: string): readonly LockChange[] {
  return compareLock(bridgeOf(changes, name), lock);
}
