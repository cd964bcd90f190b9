/**
 * The lock: what the records of a running fleet hang on. A route's name, and where its id, device,
 * fingerprint, version and index key come from, decide which record a message meets. Change one, and
 * every message sent again looks new. `tollbridge.lock.json`, committed beside the configuration,
 * pins them; a change is refused unless it is accepted by its name.
 */

import { DETAIL_CHARS_MAX } from '../base/limits.ts';
import { printable } from '../base/printable.ts';
import { GUARANTEES, guaranteeOf } from '../guarantees/index.ts';
import { filtersOverlap } from '../message/topics.ts';
import type { Bridge, Route } from './route.ts';

export const LOCK_VERSION = 1;

const NOT_HANDLED =
  "Nothing handles this route's topic and queues any more; what waits in them stays.";
const RENAMED_BRIDGE =
  'Stacks, tables and rules are named after the bridge: new ones with empty tables are deployed ' +
  'beside the old, every message that a device sends again looks new to them, and devices on ' +
  'Basic Ingest still name the old rules.';

/** What is pinned of a route, by the names that the configuration has for it. */
export type Pins = Readonly<Record<string, string | number>> & {
  readonly guarantee: Route['guarantee'];
};

export interface Lock {
  readonly lockVersion: typeof LOCK_VERSION;
  readonly bridge: string;
  readonly routes: Readonly<Record<string, Pins>>;
}

/** One thing that is not as it was pinned. */
export interface LockChange {
  /** By which it is accepted: `charges.id`, `charges` for a route that is gone, `bridge.name`. */
  readonly name: string;
  readonly pinned: string;
  readonly now: string;
  /** What it would do to messages under way. */
  readonly effect: string;
}

/** What a lock of this bridge pins; routes in the order of their names. */
export function lockOf(bridge: Bridge): Lock {
  const routes = bridge.routes.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    lockVersion: LOCK_VERSION,
    bridge: bridge.name,
    routes: Object.fromEntries(routes.map((route) => [route.name, pinsOf(route)])),
  };
}

function pinsOf(route: Route): Pins {
  const { pins } = guaranteeOf<Route>(route);
  const values = Object.entries(pins).map(([name, { of }]) => [name, of(route)] as const);
  return { ...Object.fromEntries(values), guarantee: route.guarantee };
}

/** Whether a bridge has routes that the lock does not know yet: they are simply added. */
export function hasAdditions(bridge: Bridge, lock: Lock): boolean {
  return bridge.routes.some(({ name }) => !Object.hasOwn(lock.routes, name));
}

/** Everything that is not as it was pinned, in the order of the lock. New routes are no change. */
export function compareLock(bridge: Bridge, lock: Lock): readonly LockChange[] {
  const now = lockOf(bridge);
  const added = Object.keys(now.routes).filter((name) => !Object.hasOwn(lock.routes, name));
  const renamed =
    now.bridge === lock.bridge
      ? []
      : [{ name: 'bridge.name', pinned: lock.bridge, now: now.bridge, effect: RENAMED_BRIDGE }];
  const names = Object.keys(lock.routes).toSorted();
  return [
    ...renamed,
    ...names.flatMap((name) => routeChanges(name, lock.routes[name], now, added)),
  ];
}

function routeChanges(
  name: string,
  pinned: Pins | undefined,
  lock: Lock,
  added: readonly string[],
): readonly LockChange[] {
  if (pinned === undefined) return [];
  // Names such as `constructor` are fine for a route, so inherited fields must not count.
  const now = Object.hasOwn(lock.routes, name) ? lock.routes[name] : undefined;
  if (now === undefined) {
    const instead = added.length === 0 ? 'not there' : `not there; new is ${added.join(', ')}`;
    const was = `a route that is ${pinned.guarantee}`;
    const both = added.filter((other) => meets(pinned.topic, lock.routes[other]?.topic));
    const during =
      both.length === 0
        ? ''
        : ` ${both.join(' and ')} listens where it did: while both rules stand during the deployment, each publication is handled by both.`;
    const effect = `${NOT_HANDLED}${during} If it was renamed: ${GUARANTEES[pinned.guarantee].renamed}`;
    return [{ name, pinned: was, now: instead, effect }];
  }
  // Pins that one of two guarantees does not have go with the guarantee.
  return Object.entries(GUARANTEES[now.guarantee].pins).flatMap(([pin, { effect }]) => {
    const was = pinned[pin];
    const is = now[pin];
    if (was === undefined || is === undefined || was === is) return [];
    return [{ name: `${name}.${pin}`, pinned: String(was), now: String(is), effect }];
  });
}

function meets(one: string | number | undefined, other: string | number | undefined): boolean {
  return typeof one === 'string' && typeof other === 'string' && filtersOverlap(one, other);
}

/** Changes that nobody accepted, or names that accept nothing; the message lists every one. */
export class LockError extends Error {
  override readonly name = 'LockError';
  /** What is still to be accepted or taken back. */
  readonly changes: readonly LockChange[];
  /** Names that were accepted but are no change. */
  readonly unknownNames: readonly string[];

  constructor(
    changes: readonly LockChange[],
    unknownNames: readonly string[],
    all: readonly LockChange[],
  ) {
    super([...refusals(changes), ...typos(unknownNames, all), ...advice(all)].join('\n\n'));
    this.changes = changes;
    this.unknownNames = unknownNames;
  }
}

/**
 * Holds what changed against what was accepted by name.
 * @throws LockError unless the two are the same
 */
export function assertAccepted(changes: readonly LockChange[], accepted: readonly string[]): void {
  const refused = changes.filter(({ name }) => !accepted.includes(name));
  const unknownNames = accepted.filter((name) => !changes.some((change) => change.name === name));
  if (refused.length > 0 || unknownNames.length > 0)
    throw new LockError(refused, unknownNames, changes);
}

function refusals(changes: readonly LockChange[]): readonly string[] {
  if (changes.length === 0) return [];
  const count = changes.length === 1 ? '1 thing' : `${changes.length} things`;
  return [
    `tollbridge.config.ts changes ${count} that tollbridge.lock.json pins`,
    ...changes.map((change) =>
      [
        `  ${change.name}`,
        `    pinned: ${printable(change.pinned, DETAIL_CHARS_MAX)}`,
        `    now:    ${printable(change.now, DETAIL_CHARS_MAX)}`,
        `    effect: ${change.effect}`,
      ].join('\n'),
    ),
  ];
}

function typos(unknownNames: readonly string[], all: readonly LockChange[]): readonly string[] {
  if (unknownNames.length === 0) return [];
  const names = unknownNames.map((name) => `'${printable(name, DETAIL_CHARS_MAX)}'`).join(', ');
  const allowed =
    all.length === 0
      ? 'nothing that is pinned has changed (it may be in the lock file already)'
      : `what has changed is ${all.map(({ name }) => name).join(', ')}`;
  return [`accept names ${names}, which accepts nothing: ${allowed}`];
}

function advice(all: readonly LockChange[]): readonly string[] {
  if (all.length === 0) return ['Leave accept out.'];
  const names = all.map(({ name }) => name).join(',');
  return [
    'Take it back, or, when the fleet can bear it, accept it by name and commit the lock file:',
    `  npx cdk synth -c accept=${names}\n  TOLLBRIDGE_ACCEPT=${names} npm start`,
  ];
}
