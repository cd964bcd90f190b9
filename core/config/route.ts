/** What a user writes in `tollbridge.config.ts`, and what the bridge makes of it. */
import type { PayloadSource, TopicLevelSource } from './sources.ts';

/** How a rule reaches the function; each is the other's detour (the rule's error action). */
export type Feed = 'queue' | 'direct';
/** Quality of service of receipts, or none at all. */
export type Receipts = 'none' | 0 | 1;

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

/** A billing route: one ledger row for each message. */
export interface ExactlyOnceRoute {
  readonly guarantee: 'exactly-once';
  /** The topic filter, e.g. `billing/+/charges`. */
  readonly topic: string;
  /** The `+` of the filter that names the device. */
  readonly device: TopicLevelSource;
  readonly id: PayloadSource;
  readonly entry: EntryConfig;
  /**
   * The clean topic that each booking is published on; `{device}`, `{route}` and `{topic}` are
   * replaced.
   * @default - bookings are not forwarded
   */
  readonly forward?: string;
  /** @default 'queue' */
  readonly feed?: Feed;
  /** @default 0 */
  readonly receipts?: Receipts;
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
  /**
   * Trusts the topic level without asking `clientid()`, for a gateway that publishes in the name
   * of others. The value says in words who is trusted and why.
   * @default - the client id must be the device
   */
  readonly trustTopicLevel?: string;
}

export type RouteConfig = ExactlyOnceRoute;

export interface Config {
  /**
   * Begins the names of stacks, rules and policies, so that several bridges fit one account.
   * @default 'tollbridge'
   */
  readonly name?: string;
  readonly routes: Readonly<Record<string, RouteConfig>>;
}

/** A route with its name and every default filled in: what a function receives as JSON. */
export interface Route {
  readonly name: string;
  readonly guarantee: 'exactly-once';
  readonly topic: string;
  readonly device: TopicLevelSource;
  readonly id: PayloadSource;
  readonly entry: EntryConfig;
  readonly forward: string | null;
  readonly feed: Feed;
  readonly receipts: Receipts;
  readonly maxAgeDays: number;
  readonly indexShards: number;
  readonly trustTopicLevel: string | null;
}

/** A configuration that has been checked. */
export interface Bridge {
  readonly name: string;
  readonly routes: readonly Route[];
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
