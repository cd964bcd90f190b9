/** Checks one route of any guarantee and fills in what it leaves out. */
import { checkRules, NO_PATH } from './check-rules.ts';
import type { Problem } from './problem.ts';
import { isObject, read, type Sound } from './read.ts';
import {
  DEFAULTS,
  type DeduplicatedRouteConfig,
  type ExactlyOnceRouteConfig,
  type LatestRouteConfig,
  type Route,
} from './route.ts';
import { type Guarantee, guaranteeOf, routeName, routeSchema, secondsOf, topic } from './schema.ts';
import type { IdPart, IdSource, PayloadSource } from './sources.ts';

type Keys<T> = Omit<T, 'guarantee'>;
/** What is right of a route, whatever its guarantee. */
type Written = Sound<
  Keys<ExactlyOnceRouteConfig> & Keys<DeduplicatedRouteConfig> & Keys<LatestRouteConfig>
>;

/** Stand for parts that are wrong; rules pass them over. */
const NO_FIELD: PayloadSource = { from: 'payload', path: NO_PATH };
const NO_DEVICE = { from: 'topic-level', level: 0 } as const;

export function checkRoute(problems: Problem[], name: string, config: unknown): Route {
  const at = ['routes', name];
  const written = isObject(config) ? config : {};
  const guarantee = guaranteeOf(written);
  const filter = topic.safeParse(written.topic).data ?? '';
  const { sound = {}, problems: found } = read<Written>(
    routeSchema(name, guarantee, filter),
    at,
    config,
  );
  problems.push(...read(routeName, at, name).problems, ...found);
  const route = routeOf(name, guarantee, sound, written.time !== undefined);
  checkRules(problems, at.join('.'), route, written);
  return route;
}

function routeOf(name: string, guarantee: Guarantee, written: Written, hasTime: boolean): Route {
  const { batch, entry } = written;
  const base = {
    name,
    topic: written.topic ?? '',
    device: written.device ?? NO_DEVICE,
    forward: written.forward ?? null,
    feed: written.feed ?? DEFAULTS.feed,
    batch: {
      messages: batch?.messages ?? DEFAULTS.batch.messages,
      waitSeconds: batch?.waitSeconds ?? DEFAULTS.batch.waitSeconds,
    },
    receipts: written.receipts ?? DEFAULTS.receipts,
    trustTopicLevel: written.trustTopicLevel ?? null,
    ignoring: written.sameBody?.ignoring ?? null,
  };
  switch (guarantee) {
    case 'exactly-once':
      return {
        ...base,
        guarantee,
        id: idOf(written),
        entry: {
          account: entry?.account ?? NO_FIELD,
          amount: entry?.amount ?? NO_FIELD,
          unit: entry?.unit ?? '',
          occurredAt: entry?.occurredAt ?? NO_FIELD,
        },
        maxAgeDays: written.maxAge?.days ?? DEFAULTS.maxAge.days,
        indexShards: written.indexShards ?? DEFAULTS.indexShards,
      };
    case 'deduplicated':
      return {
        ...base,
        guarantee,
        id: idOf(written),
        windowSeconds: secondsOf(written.window ?? { seconds: 1 }),
        time: hasTime ? (written.time ?? NO_FIELD) : null,
        mode: written.mode ?? DEFAULTS.mode,
        onStoreDown: written.onStoreDown ?? DEFAULTS.onStoreDown,
      };
    case 'latest':
      return {
        ...base,
        guarantee,
        version: written.version ?? { from: 'timestamp', path: NO_PATH },
      };
  }
}

function idOf({ id }: Written): IdSource {
  if (id === undefined) return NO_FIELD;
  if (id.from !== 'all') return id;
  return { from: 'all', parts: id.parts.map((part): IdPart => part ?? NO_FIELD) };
}
