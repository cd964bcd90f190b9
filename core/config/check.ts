/**
 * Checks a configuration, however it was written: TypeScript's types end where a value comes from
 * JSON, a cast or plain JavaScript. Every problem is found in one pass.
 */
import {
  INDEX_SHARDS_MAX,
  MAX_AGE_DAYS_DEFAULT,
  MAX_AGE_DAYS_MAX,
  QUOTED_CHARS_MAX,
} from '../limits.ts';
import { printable } from '../printable.ts';
import { filterFault } from '../topics.ts';
import { checkTogether } from './check-together.ts';
import { ConfigError, type Problem } from './problem.ts';
import type { Bridge, EntryConfig, Feed, Receipts, Route } from './route.ts';
import type { PayloadSource, TopicLevelSource } from './sources.ts';

type Fields = Readonly<Record<string, unknown>>;

const ROUTE_KEYS = [
  'guarantee',
  'topic',
  'device',
  'id',
  'entry',
  'forward',
  'feed',
  'receipts',
  'maxAge',
  'indexShards',
  'trustTopicLevel',
];

/** 1 to 32 characters, white space inside alone; no table holds a lone surrogate. */
const UNIT = /^(?!\s)(?!.*\s$)[^\p{Cc}\p{Cs}]{1,32}$/u;

/**
 * The bridge that a configuration describes, defaults filled in.
 * @throws ConfigError with every problem
 */
export function checkConfig(config: unknown): Bridge {
  const check = new Check();
  const bridge = check.bridge(config);
  const problems = [...check.problems, ...checkTogether(bridge.routes)];
  if (problems.length > 0) throw new ConfigError(problems);
  return bridge;
}

/**
 * Collects problems while it reads. A part that is wrong is replaced by a harmless value, so that
 * the rest can still be looked at; the result is used only when there is no problem.
 */
class Check {
  readonly problems: Problem[] = [];

  bridge(config: unknown): Bridge {
    const fields = this.#object(
      'config',
      config,
      ['name', 'routes'],
      'defineConfig({ routes: { … } })',
    );
    const routes = this.#object('routes', fields.routes, undefined, 'routes: { charges: { … } }');
    if (Object.keys(routes).length === 0) {
      this.#add(
        'routes',
        'no route',
        'at least one route',
        "add e.g. charges: { guarantee: 'exactly-once', … }",
      );
    }
    return {
      name: this.#name(fields.name),
      routes: Object.entries(routes).map(([name, route]) => this.#route(name, route)),
    };
  }

  #name(name: unknown): string {
    if (name === undefined) return 'tollbridge';
    if (typeof name === 'string' && /^[a-z][a-z0-9]{0,19}$/.test(name)) return name;
    this.#add(
      'name',
      quote(name),
      'a lower-case letter, then up to 19 lower-case letters or digits',
      "leave it out for 'tollbridge', or write e.g. name: 'tollbridgetest'",
    );
    return 'tollbridge';
  }

  #route(name: string, config: unknown): Route {
    const at = `routes.${name}`;
    if (!/^[a-z][a-zA-Z0-9]{0,39}$/.test(name)) {
      this.#add(
        at,
        `the name ${quote(name)}`,
        'a lower-case letter, then up to 39 letters or digits',
        'rename the route, e.g. charges',
      );
    }
    const fields = this.#object(
      at,
      config,
      ROUTE_KEYS,
      `${name}: { guarantee: 'exactly-once', … }`,
    );
    if (fields.guarantee !== 'exactly-once') {
      this.#add(
        `${at}.guarantee`,
        quote(fields.guarantee),
        "'exactly-once'",
        "write guarantee: 'exactly-once'",
      );
    }
    const topic = this.#topic(`${at}.topic`, fields.topic);
    return {
      name,
      guarantee: 'exactly-once',
      topic,
      device: this.#device(`${at}.device`, fields.device, topic),
      id: this.#payload(`${at}.id`, fields.id, "id: payload('id')"),
      entry: this.#entry(`${at}.entry`, fields.entry),
      forward: this.#forward(`${at}.forward`, fields.forward),
      feed: this.#oneOf<Feed>(`${at}.feed`, fields.feed, ['queue', 'direct'], 'queue'),
      receipts: this.#oneOf<Receipts>(`${at}.receipts`, fields.receipts, ['none', 0, 1], 0),
      maxAgeDays: this.#maxAge(`${at}.maxAge`, fields.maxAge),
      indexShards: this.#wholeNumber(`${at}.indexShards`, fields.indexShards, INDEX_SHARDS_MAX, 1),
      trustTopicLevel: this.#trust(`${at}.trustTopicLevel`, fields.trustTopicLevel),
    };
  }

  #topic(at: string, topic: unknown): string {
    const fix = "write a filter with the device as a level of its own, e.g. 'billing/+/charges'";
    if (typeof topic !== 'string') {
      this.#add(at, quote(topic), 'an MQTT topic filter', fix);
      return '';
    }
    const fault = filterFault(topic);
    if (fault === undefined) return topic;
    this.#add(
      at,
      `${quote(topic)}: ${fault}`,
      'an MQTT topic filter of 1 to 256 bytes and up to 7 slashes',
      fix,
    );
    return '';
  }

  #device(at: string, source: unknown, topic: string): TopicLevelSource {
    const levels = topic.split('/');
    const plus = levels.flatMap((level, index) => (level === '+' ? [index + 1] : []));
    const allowed =
      plus.length > 0
        ? `topicLevel(n) where level n of '${topic}' is a +: ${plus.join(' or ')}`
        : 'topicLevel(n) where level n of the topic is a +';
    const { from, level } = isObject(source) ? this.#object(at, source, ['from', 'level'], '') : {};
    if (from !== 'topic-level' || typeof level !== 'number') {
      this.#add(at, quote(source), allowed, `write device: topicLevel(${plus[0] ?? 'n'})`);
    } else if (topic !== '' && !plus.includes(level)) {
      const got = levels[level - 1];
      this.#add(
        at,
        `topicLevel(${level}), ${got === undefined ? 'which the filter does not have' : `which is '${got}'`}`,
        allowed,
        plus[0] === undefined
          ? 'put a + into the topic for the device'
          : `write device: topicLevel(${plus[0]})`,
      );
    }
    return { from: 'topic-level', level: typeof level === 'number' ? level : 0 };
  }

  #payload(at: string, source: unknown, fix: string): PayloadSource {
    const { from, path } = isObject(source) ? this.#object(at, source, ['from', 'path'], '') : {};
    if (
      from === 'payload' &&
      typeof path === 'string' &&
      path.split('.').every((key) => key !== '')
    ) {
      return { from, path };
    }
    const got = from === 'payload' ? `payload(${quote(path)})` : quote(source);
    this.#add(
      at,
      got,
      "payload('path'), a field of the body; dots lead into objects",
      `write ${fix}`,
    );
    return { from: 'payload', path: '' };
  }

  #entry(at: string, entry: unknown): EntryConfig {
    const example =
      "entry: { account: payload('account'), amount: payload('kWh'), unit: 'kWh', occurredAt: payload('at') }";
    const fields = this.#object(at, entry, ['account', 'amount', 'unit', 'occurredAt'], example);
    const unit = fields.unit;
    const isUnit = typeof unit === 'string' && UNIT.test(unit);
    if (isObject(entry) && !isUnit) {
      this.#add(
        `${at}.unit`,
        quote(unit),
        'a text of 1 to 32 characters',
        "write e.g. unit: 'kWh'",
      );
    }
    const source = (key: string) =>
      isObject(entry)
        ? this.#payload(`${at}.${key}`, fields[key], `${key}: payload('${key}')`)
        : { from: 'payload' as const, path: '' };
    return {
      account: source('account'),
      amount: source('amount'),
      unit: isUnit ? unit : '',
      occurredAt: source('occurredAt'),
    };
  }

  #forward(at: string, forward: unknown): string | null {
    if (forward === undefined) return null;
    const allowed = 'a topic without wildcards; {device}, {route} and {topic} are replaced';
    const fix = "write e.g. forward: 'booked/{device}/charges'";
    if (typeof forward !== 'string') {
      this.#add(at, quote(forward), allowed, fix);
      return null;
    }
    const rest = forward.replaceAll(/\{(device|route|topic)\}/g, 'x');
    const fault = /[+#{}]/.test(rest)
      ? 'it has a wildcard or an unknown placeholder'
      : filterFault(rest);
    if (fault === undefined) return forward;
    this.#add(at, `${quote(forward)}: ${fault}`, allowed, fix);
    return null;
  }

  #maxAge(at: string, maxAge: unknown): number {
    if (maxAge === undefined) return MAX_AGE_DAYS_DEFAULT;
    const fields = this.#object(at, maxAge, ['days'], 'maxAge: { days: 90 }');
    if (isObject(maxAge) && fields.days === undefined) {
      const allowed = `a whole number from 1 to ${MAX_AGE_DAYS_MAX}`;
      this.#add(`${at}.days`, 'nothing', allowed, 'write e.g. maxAge: { days: 90 }');
    }
    return this.#wholeNumber(`${at}.days`, fields.days, MAX_AGE_DAYS_MAX, MAX_AGE_DAYS_DEFAULT);
  }

  #trust(at: string, reason: unknown): string | null {
    if (reason === undefined) return null;
    if (typeof reason === 'string' && reason.trim().split(/\s+/).length >= 3) return reason;
    this.#add(
      at,
      quote(reason),
      'the reason in words, of three words or more',
      "leave it out, or write e.g. trustTopicLevel: 'gateway gw-1 publishes for its meters'",
    );
    return null;
  }

  #oneOf<T extends string | number>(
    at: string,
    value: unknown,
    allowed: readonly T[],
    preset: T,
  ): T {
    if (value === undefined) return preset;
    const found = allowed.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const list = allowed.map(quote).join(' or ');
    this.#add(at, quote(value), list, `leave it out for ${quote(preset)}, or write one of these`);
    return preset;
  }

  #wholeNumber(at: string, value: unknown, max: number, preset: number): number {
    if (value === undefined) return preset;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max)
      return value;
    this.#add(
      at,
      quote(value),
      `a whole number from 1 to ${max}`,
      `leave it out for ${preset}, or write such a number`,
    );
    return preset;
  }

  #object(
    at: string,
    value: unknown,
    keys: readonly string[] | undefined,
    example: string,
  ): Fields {
    if (!isObject(value)) {
      this.#add(at, quote(value), 'an object', `write ${example}`);
      return {};
    }
    for (const key of Object.keys(value)) {
      if (keys !== undefined && !keys.includes(key)) {
        this.#add(
          `${at}.${key}`,
          'an unknown key',
          keys.join(', '),
          `correct its spelling or take it out`,
        );
      }
    }
    return value;
  }

  #add(at: string, got: string, allowed: string, fix: string): void {
    this.problems.push({ at, got, allowed, fix });
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${printable(value, QUOTED_CHARS_MAX)}'`;
  if (Array.isArray(value)) return 'an array';
  if (isObject(value)) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
