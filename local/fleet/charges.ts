/** What a fleet means to say: charges that fit a billing route, drawn from a seed. */

import type { EpochMillis } from '../../core/base/time.ts';
import { toIso } from '../../core/base/time.ts';
import type { ExactlyOnceRoute, Route } from '../../core/config/route.ts';
import type { Chance } from '../contracts.ts';

export interface FleetCharge {
  /** Says which charge it is, apart from the id: what the statistics go by. */
  readonly serial: string;
  readonly id: string;
  readonly account: string;
  /** A decimal in text. */
  readonly amount: string;
  /** ISO 8601. */
  readonly occurredAt: string;
  readonly topic: string;
  /** The bytes that are sent, the same at every try. */
  readonly body: string;
}

/** The billing route that the fleet can speak to, or why there is none. */
export function fleetRoute(routes: Iterable<Route>): ExactlyOnceRoute | string {
  const reasons: string[] = [];
  for (const route of routes) {
    if (route.guarantee !== 'exactly-once') continue;
    const fault = faultOf(route);
    if (fault === undefined) return route;
    reasons.push(`${route.name}: ${fault}`);
  }
  return reasons.length === 0
    ? 'There is no exactly-once route that the fleet could bill on.'
    : `The fleet cannot speak to ${reasons.join('; ')}.`;
}

function faultOf({ id, receipts }: ExactlyOnceRoute): string | undefined {
  if (id.from !== 'payload')
    return `its ids come from ${id.from}, and the fleet writes them in the body`;
  if (receipts === 'none') return 'it sends no receipts, so a device would never stop sending';
  return undefined;
}

export interface ChargeOptions {
  readonly route: ExactlyOnceRoute;
  /** Begins every id, so that two runs on one table never meet. */
  readonly run: string;
  readonly chance: Chance;
}

export function drawCharge(
  { route, run, chance }: ChargeOptions,
  device: string,
  number: number,
  now: EpochMillis,
): FleetCharge {
  const id = `${run}-${number}`;
  const serial = `${run}/${device}/${number}`;
  const thousandths = 1 + chance.below(49_999);
  const amount = `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}`;
  const account = `account-${1 + chance.below(5)}`;
  const occurredAt = toIso(now);
  return {
    serial,
    id,
    account,
    amount,
    occurredAt,
    topic: topicOf(route, device),
    body: bodyOf(route, {
      id,
      amount,
      at: occurredAt,
      serial,
      account,
    }),
  };
}

/** The same charge with another amount: what a device does that uses an id twice. */
export function contradicted(charge: FleetCharge, amount: string): string {
  return charge.body.replace(`:${charge.amount}`, () => `:${amount}`);
}

/** The filter with the device in its place; other wildcards become a level of the fleet's own. */
function topicOf({ topic, device: { level } }: ExactlyOnceRoute, device: string): string {
  const levels = topic.split('/').map((part) => (part === '+' || part === '#' ? 'fleet' : part));
  levels[level - 1] = device;
  return levels.join('/');
}

interface Said {
  readonly id: string;
  readonly amount: string;
  readonly at: string;
  readonly serial: string;
  readonly account: string;
}

type Tree = Map<string, string | Tree>;

/** A JSON body with each value where the route looks for it. */
function bodyOf({ id, entry }: ExactlyOnceRoute, said: Said): string {
  const tree: Tree = new Map();
  if (id.from === 'payload') put(tree, id.path, JSON.stringify(said.id));
  put(tree, entry.account.path, JSON.stringify(said.account));
  // A bare JSON number: it has to survive without passing through a float.
  put(tree, entry.amount.path, said.amount);
  put(tree, entry.occurredAt.path, JSON.stringify(said.at));
  put(tree, 'serial', JSON.stringify(said.serial));
  return jsonOf(tree);
}

function put(tree: Tree, path: string, json: string): void {
  const [key = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    tree.set(key, json);
    return;
  }
  const inside = tree.get(key);
  const branch: Tree = inside instanceof Map ? inside : new Map();
  tree.set(key, branch);
  put(branch, rest.join('.'), json);
}

function jsonOf(tree: Tree): string {
  const members = [...tree].map(
    ([key, value]) => `${JSON.stringify(key)}:${typeof value === 'string' ? value : jsonOf(value)}`,
  );
  return `{${members.join(',')}}`;
}
