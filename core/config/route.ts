/** What a user writes in `tollbridge.config.ts`, and what the bridge makes of it. */
import { MAX_AGE_DAYS_DEFAULT, QUEUE_BATCH_MESSAGES } from '../base/limits.ts';
import type {
  IdSource,
  PayloadSource,
  SameBody,
  TimestampSource,
  TopicLevelSource,
} from './sources.ts';

export const FEEDS = ['queue', 'direct'] as const;
export const RECEIPTS = ['none', 0, 1] as const;
export const MODES = ['enforce', 'mark', 'shadow'] as const;
export const ON_STORE_DOWN = ['hold', 'forward'] as const;

/** How a rule reaches the function; each is the other's fallback (the rule's error action). */
export type Feed = (typeof FEEDS)[number];
/** Quality of service of receipts, or none at all. */
export type Receipts = (typeof RECEIPTS)[number];
/** What becomes of copies: dropped, forwarded with a mark, or forwarded as they are and counted. */
export type Mode = (typeof MODES)[number];
/** What becomes of a delivery while the table does not answer. */
export type OnStoreDown = (typeof ON_STORE_DOWN)[number];

/** What is meant by what is left out. */
export const DEFAULTS = {
  name: 'tollbridge',
  feed: 'queue',
  batch: { messages: QUEUE_BATCH_MESSAGES, waitSeconds: 0 },
  receipts: 0,
  maxAge: { days: MAX_AGE_DAYS_DEFAULT },
  indexShards: 1,
  mode: 'enforce',
  onStoreDown: 'hold',
} as const;

/** How many deliveries one invocation takes from the queue, and how long it waits for them. */
export interface BatchConfig {
  /**
   * Up to so many, from 1 to 1,000; more than 10 need a wait.
   * @default 10
   */
  readonly messages?: number;
  /**
   * How long a batch that is not full waits for more, from 0 to 20 s. Receipts wait as long, and
   * AWS may make it 20 s where there is little traffic.
   * @default 0
   */
  readonly waitSeconds?: number;
}

/** A time span, in one unit or several. */
export interface Span {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
}

/** What a ledger row says of a charge, and where the body says it. */
export interface EntryConfig {
  /** Who pays: a string or an integer of the body. */
  readonly account: PayloadSource;
  /** How much: a decimal of up to 38 digits, as a JSON number or as a string. */
  readonly amount: PayloadSource;
  /** Of what, e.g. `kWh`. */
  readonly unit: string;
  /** When: RFC 3339 with its offset, or integer epoch milliseconds. */
  readonly occurredAt: PayloadSource;
}

/** What every route has. */
export interface RouteOptions {
  /** The topic filter, e.g. `billing/+/charges`. */
  readonly topic: string;
  /** The `+` of the filter that names the device. */
  readonly device: TopicLevelSource;
  /**
   * The clean topic that each booking is published on; `{device}`, `{route}` and `{topic}` are
   * replaced.
   * @default - bookings are not forwarded
   */
  readonly forward?: string;
  /** @default 'queue' */
  readonly feed?: Feed;
  /**
   * Larger batches gather more receipts into a publication, and copies into a write.
   * @default - up to ten deliveries, without waiting for more
   */
  readonly batch?: BatchConfig;
  /** @default 0 */
  readonly receipts?: Receipts;
  /**
   * Trusts the topic level without asking `clientid()`, for a gateway that publishes in the name
   * of others. The value says in words who is trusted and why.
   * @default - the client id must be the device
   */
  readonly trustTopicLevel?: string;
  /**
   * When two bodies of one id are the same message.
   * @default - when their bytes are
   */
  readonly sameBody?: SameBody;
}

/** A billing route: one ledger row for each message. */
export interface ExactlyOnceRouteConfig extends RouteOptions {
  readonly guarantee: 'exactly-once';
  readonly id: IdSource;
  readonly entry: EntryConfig;
  /**
   * How old a charge may be when it arrives; older ones are quarantined as `late`.
   * @default 366 days
   */
  readonly maxAge?: { readonly days: number };
  /**
   * Partitions of the index per account and month. It can never change for rows already booked.
   * @default 1
   */
  readonly indexShards?: number;
}

/** A route that recognises copies within a window. */
export interface DeduplicatedRouteConfig extends RouteOptions {
  readonly guarantee: 'deduplicated';
  readonly id: IdSource;
  /** How long after the last copy (or, for a content hash, the first) an id is remembered. */
  readonly window: Span;
  /**
   * The message's own time. With it, a copy that comes after the window is `late`, never new.
   * @default - only copies inside the window are recognised
   */
  readonly time?: PayloadSource;
  /** @default 'enforce' */
  readonly mode?: Mode;
  /** @default 'hold' */
  readonly onStoreDown?: OnStoreDown;
}

/** A route on which the newest value wins. */
export interface LatestRouteConfig extends RouteOptions {
  readonly guarantee: 'latest';
  readonly version: TimestampSource;
}

export type RouteConfig = ExactlyOnceRouteConfig | DeduplicatedRouteConfig | LatestRouteConfig;

/** Who hears of alarms, and which silences are worth one. */
export interface AlarmsConfig {
  /**
   * Subscribed to the topic of all alarms; AWS asks it to confirm once.
   * @default - nobody is subscribed
   */
  readonly email?: string;
  /**
   * Where the runbook can be read, e.g. a page of your own; an alarm's section is added to it.
   * @default 'docs/runbook.md' - its place in this project
   */
  readonly runbook?: string;
  /**
   * By the name of a route: how long it may go without a single delivery, in whole hours up to a
   * week or whole minutes below an hour.
   * @default - a silent route is no alarm
   */
  readonly silence?: Readonly<Record<string, Span>>;
}

export interface Config {
  /** @default - alarms that nobody is mailed about */
  readonly alarms?: AlarmsConfig;
  /**
   * Begins the names of stacks, rules and policies, so that several bridges fit one account.
   * @default 'tollbridge'
   */
  readonly name?: string;
  readonly routes: Readonly<Record<string, RouteConfig>>;
}

/** What every route has, with its name and every default filled in. */
export interface RouteBase {
  readonly name: string;
  readonly topic: string;
  readonly device: TopicLevelSource;
  readonly forward: string | null;
  readonly feed: Feed;
  readonly batch: Required<BatchConfig>;
  readonly receipts: Receipts;
  readonly trustTopicLevel: string | null;
  /** Paths that do not count when two bodies are compared; null where the bytes have to be equal. */
  readonly ignoring: readonly string[] | null;
}

export interface ExactlyOnceRoute extends RouteBase {
  readonly guarantee: 'exactly-once';
  readonly id: IdSource;
  readonly entry: EntryConfig;
  readonly maxAgeDays: number;
  readonly indexShards: number;
}

export interface DeduplicatedRoute extends RouteBase {
  readonly guarantee: 'deduplicated';
  readonly id: IdSource;
  readonly windowSeconds: number;
  readonly time: PayloadSource | null;
  readonly mode: Mode;
  readonly onStoreDown: OnStoreDown;
}

export interface LatestRoute extends RouteBase {
  readonly guarantee: 'latest';
  readonly version: TimestampSource;
}

/** A checked route: what a function receives as JSON. */
export type Route = ExactlyOnceRoute | DeduplicatedRoute | LatestRoute;

/** What the alarms need beside the routes. */
export interface AlarmSettings {
  readonly email: string | null;
  /** Address or path of the runbook, without a section. */
  readonly runbook: string;
  /** Seconds by the route's name; routes that may be silent are left out. */
  readonly silenceSeconds: Readonly<Record<string, number>>;
}

/** A configuration that has been checked. */
export interface Bridge {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Left out where the configuration says nothing of alarms. */
  readonly alarms?: AlarmSettings;
}

/** Types the configuration; it is checked when the app is synthesized. */
export function defineConfig(config: Config): Config {
  return config;
}

/** The name of a route's topic rule: part of the Basic Ingest topic that devices may use. */
export function ruleName(bridge: Pick<Bridge, 'name'>, route: Pick<Route, 'name'>): string {
  return `${bridge.name}_${route.name}`;
}

/**
 * A forward template as a filter that matches every topic it can become. A level that a wildcard
 * fills in part, such as `meter-{device}`, counts as all of it: the device's name is not known here.
 */
export function forwardFilter(route: Pick<Route, 'topic' | 'name'>, forward: string): string {
  return forward
    .replaceAll('{topic}', route.topic)
    .replaceAll('{device}', '+')
    .replaceAll('{route}', route.name)
    .split('/')
    .map((level) => /[+#]/.exec(level)?.[0] ?? level)
    .join('/');
}

/** A route or bridge as stacks, constructs and outputs are named after it: `charges`, `Charges`. */
export function pascalCase(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/**
 * The index shards that an account's rows can lie in. The index knows no routes, so it is as many
 * as the route with the most has.
 */
export function indexShardsOf(routes: Iterable<Route>): number {
  const shards = [...routes].map((route) => ('indexShards' in route ? route.indexShards : 1));
  return Math.max(1, ...shards);
}
