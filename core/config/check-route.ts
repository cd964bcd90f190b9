/** Checks one route of any guarantee and fills in what it leaves out. */
import { INDEX_SHARDS_MAX } from '../base/limits.ts';
import { checkBatch } from './check-batch.ts';
import { checkId } from './check-id.ts';
import { checkRules } from './check-rules.ts';
import { checkDevice, checkPayload, checkSameBody, checkTimestamp } from './check-sources.ts';
import {
  checkEntry,
  checkForward,
  checkMaxAge,
  checkTopic,
  checkTrust,
  checkWindow,
} from './check-values.ts';
import { type Fields, type Problems, quote } from './problems.ts';
import type {
  DeduplicatedRoute,
  ExactlyOnceRoute,
  Feed,
  LatestRoute,
  Mode,
  OnStoreDown,
  Receipts,
  Route,
  RouteBase,
} from './route.ts';

type Guarantee = Route['guarantee'];

export const ROUTE_NAME = /^[a-z][a-zA-Z0-9]{0,39}$/;

const EVERY_KEY = [
  'guarantee',
  'topic',
  'device',
  'forward',
  'feed',
  'batch',
  'receipts',
  'trustTopicLevel',
  'sameBody',
];
/** What a route of each guarantee may say. */
const KEYS: Readonly<Record<Guarantee, readonly string[]>> = {
  'exactly-once': [...EVERY_KEY, 'id', 'entry', 'maxAge', 'indexShards'],
  deduplicated: [...EVERY_KEY, 'id', 'window', 'time', 'mode', 'onStoreDown'],
  latest: [...EVERY_KEY, 'version'],
};
const GUARANTEES = Object.keys(KEYS) as readonly Guarantee[];

export function checkRoute(problems: Problems, name: string, config: unknown): Route {
  const at = `routes.${name}`;
  if (!ROUTE_NAME.test(name)) {
    problems.add(
      at,
      `the name ${quote(name)}`,
      'a lower-case letter, then up to 39 letters or digits',
      'rename the route, e.g. charges',
    );
  }
  const fields = problems.object(at, config, `${name}: { guarantee: 'exactly-once', … }`);
  const guarantee = checkGuarantee(problems, `${at}.guarantee`, fields);
  checkKeys(problems, at, fields, guarantee);
  const base = checkBase(problems, at, name, fields);
  const route = resolve(problems, at, guarantee, base, fields);
  checkRules(problems, at, route, fields);
  return route;
}

/** Where it is none of the three, the keys tell which was meant, so that the rest can be read. */
function checkGuarantee(problems: Problems, at: string, fields: Fields): Guarantee {
  const found = GUARANTEES.find((guarantee) => guarantee === fields.guarantee);
  if (found !== undefined) return found;
  const meant =
    'window' in fields ? 'deduplicated' : 'version' in fields ? 'latest' : 'exactly-once';
  problems.add(
    at,
    quote(fields.guarantee),
    GUARANTEES.map(quote).join(' or '),
    `write e.g. guarantee: ${quote(meant)}`,
  );
  return meant;
}

/** A key that another guarantee has is no slip of the pen, and the problem says whose it is. */
function checkKeys(problems: Problems, at: string, fields: Fields, guarantee: Guarantee): void {
  const keys = KEYS[guarantee];
  const written = Object.keys(fields);
  const foreign = written.filter((key) => !keys.includes(key) && ownersOf(key).length > 0);
  problems.onlyKeys(at, fields, keys, foreign);
  for (const key of foreign) {
    const owners = ownersOf(key).map(quote);
    problems.add(
      `${at}.${key}`,
      `a key of ${owners.join(' and ')} routes`,
      `on ${quote(guarantee)} routes: ${keys.join(', ')}`,
      `take it out, or write guarantee: ${owners.join(' or ')}`,
    );
  }
}

function ownersOf(key: string): readonly Guarantee[] {
  return GUARANTEES.filter((guarantee) => KEYS[guarantee].includes(key));
}

function checkBase(problems: Problems, at: string, name: string, fields: Fields): RouteBase {
  const topic = checkTopic(problems, `${at}.topic`, fields.topic);
  const feed = problems.oneOf<Feed>(`${at}.feed`, fields.feed, ['queue', 'direct'], 'queue');
  return {
    name,
    topic,
    device: checkDevice(problems, `${at}.device`, fields.device, topic),
    forward: checkForward(problems, `${at}.forward`, fields.forward),
    feed,
    batch: checkBatch(problems, `${at}.batch`, fields.batch, feed),
    receipts: problems.oneOf<Receipts>(`${at}.receipts`, fields.receipts, ['none', 0, 1], 0),
    trustTopicLevel: checkTrust(problems, `${at}.trustTopicLevel`, fields.trustTopicLevel),
    ignoring: checkSameBody(problems, `${at}.sameBody`, fields.sameBody),
  };
}

function resolve(
  problems: Problems,
  at: string,
  guarantee: Guarantee,
  base: RouteBase,
  fields: Fields,
): Route {
  switch (guarantee) {
    case 'exactly-once':
      return ledgerRoute(problems, at, base, fields);
    case 'deduplicated':
      return windowRoute(problems, at, base, fields);
    case 'latest':
      return stateRoute(problems, at, base, fields);
  }
}

function ledgerRoute(
  problems: Problems,
  at: string,
  base: RouteBase,
  fields: Fields,
): ExactlyOnceRoute {
  const place = { topic: base.topic, deviceLevel: base.device.level };
  const shards = fields.indexShards;
  return {
    ...base,
    guarantee: 'exactly-once',
    id: checkId(problems, `${at}.id`, fields.id, place),
    entry: checkEntry(problems, `${at}.entry`, fields.entry),
    maxAgeDays: checkMaxAge(problems, `${at}.maxAge`, fields.maxAge),
    indexShards: problems.wholeNumber(`${at}.indexShards`, shards, INDEX_SHARDS_MAX, 1),
  };
}

function windowRoute(
  problems: Problems,
  at: string,
  base: RouteBase,
  fields: Fields,
): DeduplicatedRoute {
  const place = { topic: base.topic, deviceLevel: base.device.level };
  const modes: readonly Mode[] = ['enforce', 'mark', 'shadow'];
  const ways: readonly OnStoreDown[] = ['hold', 'forward'];
  return {
    ...base,
    guarantee: 'deduplicated',
    id: checkId(problems, `${at}.id`, fields.id, place),
    windowSeconds: checkWindow(problems, `${at}.window`, fields.window),
    time:
      fields.time === undefined
        ? null
        : checkPayload(problems, `${at}.time`, fields.time, "time: payload('at')"),
    mode: problems.oneOf(`${at}.mode`, fields.mode, modes, 'enforce'),
    onStoreDown: problems.oneOf(`${at}.onStoreDown`, fields.onStoreDown, ways, 'hold'),
  };
}

function stateRoute(problems: Problems, at: string, base: RouteBase, fields: Fields): LatestRoute {
  const fix = "version: timestamp('at')";
  return {
    ...base,
    guarantee: 'latest',
    version: checkTimestamp(problems, `${at}.version`, fields.version, fix),
  };
}
