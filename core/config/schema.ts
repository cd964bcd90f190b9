/**
 * The schema of a configuration, however it was written: TypeScript's types end where a value comes
 * from JSON, a cast or plain JavaScript. What no schema can say is in `check-rules.ts` and
 * `check-together.ts`.
 */
import * as z from 'zod';
import {
  INDEX_SHARDS_MAX,
  MAX_AGE_DAYS_MAX,
  QUEUE_BATCH_MESSAGES_MAX,
  QUEUE_BATCH_WAIT_SECONDS_MAX,
  SILENCE_SECONDS_MAX,
  WINDOW_SECONDS_MAX,
} from '../base/limits.ts';
import { filterFault } from '../message/topics.ts';
import { RUNBOOK } from '../operations/alarms.ts';
import {
  type Fields,
  fields,
  isObject,
  misspelt,
  quote,
  type Sound,
  type Words,
  words,
} from './read.ts';
import {
  type AlarmsConfig,
  type Config,
  DEFAULTS,
  type DeduplicatedRouteConfig,
  type ExactlyOnceRouteConfig,
  FEEDS,
  type LatestRouteConfig,
  MODES,
  ON_STORE_DOWN,
  RECEIPTS,
  type RouteConfig,
  type RouteOptions,
  type Span,
} from './route.ts';
import {
  deviceSource,
  idSource,
  payloadSource,
  sameBody,
  timestampSource,
} from './schema-sources.ts';

export type Guarantee = RouteConfig['guarantee'];
/** A schema for each key of a type, and for no other. */
type Shape<T> = { readonly [K in keyof T]-?: z.ZodType<Sound<T[K]> | undefined> };

function wholeNumber(min: number, max: number, preset: number) {
  const fix = `leave it out for ${preset}, or write such a number`;
  return z
    .int(words(`a whole number from ${min} to ${max}`, fix))
    .min(min)
    .max(max)
    .optional();
}

function oneOf<const T extends readonly (string | number)[]>(values: T, preset: T[number]) {
  const fix = `leave it out for ${quote(preset)}, or write one of these`;
  return z.literal([...values], words(values.map(quote).join(' or '), fix)).optional();
}

// --- Spans -----------------------------------------------------------------------------------

const UNITS_SECONDS = { days: 86_400, hours: 3_600, minutes: 60, seconds: 1 } as const;

export function secondsOf(span: Sound<Span>): number {
  return Object.entries(UNITS_SECONDS).reduce(
    (sum, [unit, seconds]) => sum + (span[unit as keyof Span] ?? 0) * seconds,
    0,
  );
}

function span(secondsMax: number, example: string, another: string) {
  const fix = `write e.g. ${example} or ${another}`;
  // Aborts: what is no count has no sum either.
  const count = z
    .number(words('a whole number from 0', fix))
    .min(0, { abort: true })
    .refine(Number.isInteger, { abort: true })
    .optional();
  const units = { days: count, hours: count, minutes: count, seconds: count };
  const allowed = `at least one of ${Object.keys(units).join(', ')}`;
  return fields(units satisfies Shape<Span>, `e.g. ${example}`)
    .refine((said) => Object.values(said).some((value) => value !== undefined), {
      ...words(allowed, fix, () => 'no unit'),
      abort: true,
    })
    .refine((said) => secondsOf(said) >= 1 && secondsOf(said) <= secondsMax, {
      ...words(`1 second to ${secondsMax / 86_400} days`, fix, quoteSeconds),
      abort: true,
    });
}

function quoteSeconds(value: unknown): string {
  return `${secondsOf(value as Span)} seconds`;
}

// --- Routes ----------------------------------------------------------------------------------

/** The filter, with what is wrong with it. */
export const topic = z
  .string(
    words(
      'an MQTT topic filter of 1 to 256 bytes and up to 7 slashes',
      "write a filter with the device as a level of its own, e.g. 'billing/+/charges'",
      (value) => quoteFault(value, filterFault),
    ),
  )
  .refine((text) => filterFault(text) === undefined);

const forward = z
  .string(
    words(
      'a topic without wildcards; {device}, {route} and {topic} are replaced',
      "write e.g. forward: 'booked/{device}/charges'",
      (value) => quoteFault(value, forwardFault),
    ),
  )
  .refine((text) => forwardFault(text) === undefined);

function forwardFault(text: string): string | undefined {
  const rest = text.replaceAll(/\{(device|route|topic)\}/g, 'x');
  return /[+#{}]/.test(rest) ? 'it has a wildcard or an unknown placeholder' : filterFault(rest);
}

function quoteFault(value: unknown, faultOf: (text: string) => string | undefined): string {
  return typeof value === 'string' ? `${quote(value)}: ${faultOf(value)}` : quote(value);
}

const trustTopicLevel = z
  .string(
    words(
      'the reason in words, of three words or more',
      "leave it out, or write e.g. trustTopicLevel: 'gateway gw-1 publishes for its meters'",
    ),
  )
  .refine((reason) => reason.trim().split(/\s+/).length >= 3);

/** 1 to 32 characters, white space inside alone; no table holds a lone surrogate. */
const unit = z
  .string(words('a text of 1 to 32 characters', "write e.g. unit: 'kWh'"))
  .regex(/^(?!\s)(?!.*\s$)[^\p{Cc}\p{Cs}]{1,32}$/u);

const entry = fields(
  {
    account: payloadSource("account: payload('account')"),
    amount: payloadSource("amount: payload('amount')"),
    unit,
    occurredAt: payloadSource("occurredAt: payload('occurredAt')"),
  } satisfies Shape<ExactlyOnceRouteConfig['entry']>,
  "entry: { account: payload('account'), amount: payload('kWh'), unit: 'kWh', occurredAt: payload('at') }",
);

const batch = fields(
  {
    messages: wholeNumber(1, QUEUE_BATCH_MESSAGES_MAX, DEFAULTS.batch.messages),
    waitSeconds: wholeNumber(0, QUEUE_BATCH_WAIT_SECONDS_MAX, DEFAULTS.batch.waitSeconds),
  } satisfies Shape<RouteOptions['batch'] & object>,
  'batch: { messages: 100, waitSeconds: 1 }',
);

const maxAgeFix = `leave maxAge out for ${DEFAULTS.maxAge.days} days, or write e.g. maxAge: { days: 90 }`;
const maxAge = fields(
  {
    days: z
      .int(words(`a whole number from 1 to ${MAX_AGE_DAYS_MAX}`, maxAgeFix))
      .min(1)
      .max(MAX_AGE_DAYS_MAX),
  },
  'maxAge: { days: 90 }',
);

const options = {
  topic,
  device: deviceSource(''),
  forward: forward.optional(),
  feed: oneOf(FEEDS, DEFAULTS.feed),
  batch: batch.optional(),
  receipts: oneOf(RECEIPTS, DEFAULTS.receipts),
  trustTopicLevel: trustTopicLevel.optional(),
  sameBody: sameBody.optional(),
} satisfies Shape<RouteOptions>;

/** What a route of each guarantee may say; its topic says more of the device and of the id. */
const SHAPES = {
  'exactly-once': {
    ...options,
    id: idSource(''),
    entry,
    maxAge: maxAge.optional(),
    indexShards: wholeNumber(1, INDEX_SHARDS_MAX, DEFAULTS.indexShards),
  } satisfies Shape<Omit<ExactlyOnceRouteConfig, 'guarantee'>>,
  deduplicated: {
    ...options,
    id: idSource(''),
    window: span(WINDOW_SECONDS_MAX, 'window: { days: 7 }', '{ hours: 1, minutes: 30 }'),
    time: payloadSource("time: payload('at')").optional(),
    mode: oneOf(MODES, DEFAULTS.mode),
    onStoreDown: oneOf(ON_STORE_DOWN, DEFAULTS.onStoreDown),
  } satisfies Shape<Omit<DeduplicatedRouteConfig, 'guarantee'>>,
  latest: {
    ...options,
    version: timestampSource("version: timestamp('at')"),
  } satisfies Shape<Omit<LatestRouteConfig, 'guarantee'>>,
};
const GUARANTEES = Object.keys(SHAPES) as readonly Guarantee[];

/** Where it is none of the three, the keys tell which was meant, so that the rest can be read. */
export function guaranteeOf(route: Fields): Guarantee {
  const found = GUARANTEES.find((guarantee) => guarantee === route.guarantee);
  if (found !== undefined) return found;
  return 'window' in route ? 'deduplicated' : 'version' in route ? 'latest' : 'exactly-once';
}

/** @param topicText empty where the topic is wrong */
export function routeSchema(name: string, guarantee: Guarantee, topicText: string): z.ZodType {
  const allowed = GUARANTEES.map(quote).join(' or ');
  const shape = {
    guarantee: z.literal(guarantee, words(allowed, `write e.g. guarantee: ${quote(guarantee)}`)),
    ...SHAPES[guarantee],
    device: deviceSource(topicText),
    ...(guarantee !== 'latest' && { id: idSource(topicText) }),
  };
  const keys = Object.keys(shape);
  const example = `${name}: { guarantee: 'exactly-once', … }`;
  return fields(shape, example, (key) => foreign(key, guarantee, keys) ?? misspelt(keys));
}

/** A key that another guarantee has is no slip of the pen, and the problem says whose it is. */
function foreign(key: string, guarantee: Guarantee, keys: readonly string[]): Words | undefined {
  const owners = GUARANTEES.filter((other) => Object.hasOwn(SHAPES[other], key)).map(quote);
  if (owners.length === 0) return undefined;
  return {
    got: `a key of ${owners.join(' and ')} routes`,
    allowed: `on ${quote(guarantee)} routes: ${keys.join(', ')}`,
    fix: `take it out, or write guarantee: ${owners.join(' or ')}`,
  };
}

export const ROUTE_NAME = /^[a-z][a-zA-Z0-9]{0,39}$/;
export const routeName = z
  .string(
    words(
      'a lower-case letter, then up to 39 letters or digits',
      'rename the route, e.g. charges',
      (name) => `the name ${quote(name)}`,
    ),
  )
  .regex(ROUTE_NAME);

// --- The rest --------------------------------------------------------------------------------

/** AWS takes what looks like an address and asks it to confirm; a slip is better found here. */
const email = z
  .string(
    words(
      'one e-mail address',
      "leave it out, or write e.g. email: 'ops@example.com'; more are subscribed to the topic itself",
    ),
  )
  .max(254)
  .regex(/^[^\s@<>,;]+@[^\s@<>,;.]+(\.[^\s@<>,;.]+)+$/);

/** An alarm's description has room for 1,024 characters, its sentence and section among them. */
const runbook = z
  .string(
    words(
      'an https address of up to 400 characters without #',
      `leave it out for ${quote(RUNBOOK)}, or write e.g. runbook: 'https://wiki.example.com/runbook'`,
    ),
  )
  .regex(/^https:\/\/[^\s#]{1,400}$/);

/** An alarm looks at whole minutes for up to a day, or at whole hours for up to a week. */
function silenceOf(name: string) {
  const examples = [`${name}: { hours: 6 }`, '{ minutes: 30 }'] as const;
  const allowed = 'whole hours up to a week, or whole minutes below an hour';
  return span(SILENCE_SECONDS_MAX, ...examples)
    .refine(
      (said) => {
        const seconds = secondsOf(said);
        return seconds % 3_600 === 0 || (seconds < 3_600 && seconds % 60 === 0);
      },
      words(allowed, `write e.g. ${examples.join(' or ')}`, quoteSeconds),
    )
    .optional();
}

export const BRIDGE_NAME = /^[a-z][a-z0-9]{0,19}$/;
const bridgeName = z
  .string(
    words(
      'a lower-case letter, then up to 19 lower-case letters or digits',
      `leave it out for ${quote(DEFAULTS.name)}, or write e.g. name: 'tollbridgetest'`,
    ),
  )
  .regex(BRIDGE_NAME);

const routes = z
  .custom<Config['routes']>(isObject, words('an object', 'write routes: { charges: { … } }'))
  .refine(
    (written) => Object.keys(written).length > 0,
    words(
      'at least one route',
      "add e.g. charges: { guarantee: 'exactly-once', … }",
      () => 'no route',
    ),
  );

/** All but the routes, of which each has a schema of its own. */
export function configSchema(routeNames: readonly string[]): z.ZodType {
  const silence = Object.fromEntries(routeNames.map((name) => [name, silenceOf(name)]));
  const alarms = {
    email: email.optional(),
    runbook: runbook.optional(),
    silence: fields(silence, 'silence: { charges: { hours: 6 } }').optional(),
  } satisfies Shape<AlarmsConfig>;
  const config = {
    name: bridgeName.optional(),
    alarms: fields(alarms, "alarms: { email: 'ops@example.com' }").optional(),
    routes,
  } satisfies Shape<Config>;
  return fields(config, 'defineConfig({ routes: { … } })');
}
