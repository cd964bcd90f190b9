/** Checks the values of a route that are no sources: topics, spans, units, reasons. */
import { MAX_AGE_DAYS_DEFAULT, MAX_AGE_DAYS_MAX, WINDOW_SECONDS_MAX } from '../base/limits.ts';
import { filterFault } from '../message/topics.ts';
import { checkPayload, NO_PATH } from './check-sources.ts';
import { isObject, isWhole, type Problems, quote } from './problems.ts';
import type { EntryConfig } from './route.ts';
import type { PayloadSource } from './sources.ts';

/** 1 to 32 characters, white space inside alone; no table holds a lone surrogate. */
const UNIT = /^(?!\s)(?!.*\s$)[^\p{Cc}\p{Cs}]{1,32}$/u;

/** The filter; empty where it is wrong. */
export function checkTopic(problems: Problems, at: string, topic: unknown): string {
  const fix = "write a filter with the device as a level of its own, e.g. 'billing/+/charges'";
  if (typeof topic !== 'string') {
    problems.add(at, quote(topic), 'an MQTT topic filter', fix);
    return '';
  }
  const fault = filterFault(topic);
  if (fault === undefined) return topic;
  const allowed = 'an MQTT topic filter of 1 to 256 bytes and up to 7 slashes';
  problems.add(at, `${quote(topic)}: ${fault}`, allowed, fix);
  return '';
}

export function checkForward(problems: Problems, at: string, forward: unknown): string | null {
  if (forward === undefined) return null;
  const allowed = 'a topic without wildcards; {device}, {route} and {topic} are replaced';
  const fix = "write e.g. forward: 'booked/{device}/charges'";
  if (typeof forward !== 'string') {
    problems.add(at, quote(forward), allowed, fix);
    return null;
  }
  const rest = forward.replaceAll(/\{(device|route|topic)\}/g, 'x');
  const fault = /[+#{}]/.test(rest)
    ? 'it has a wildcard or an unknown placeholder'
    : filterFault(rest);
  if (fault === undefined) return forward;
  problems.add(at, `${quote(forward)}: ${fault}`, allowed, fix);
  return null;
}

export function checkTrust(problems: Problems, at: string, reason: unknown): string | null {
  if (reason === undefined) return null;
  if (typeof reason === 'string' && reason.trim().split(/\s+/).length >= 3) return reason;
  problems.add(
    at,
    quote(reason),
    'the reason in words, of three words or more',
    "leave it out, or write e.g. trustTopicLevel: 'gateway gw-1 publishes for its meters'",
  );
  return null;
}

export function checkEntry(problems: Problems, at: string, entry: unknown): EntryConfig {
  const example =
    "entry: { account: payload('account'), amount: payload('kWh'), unit: 'kWh', occurredAt: payload('at') }";
  const fields = problems.object(at, entry, example);
  const nothing: PayloadSource = { from: 'payload', path: NO_PATH };
  if (!isObject(entry)) {
    return { account: nothing, amount: nothing, unit: '', occurredAt: nothing };
  }
  problems.onlyKeys(at, fields, ['account', 'amount', 'unit', 'occurredAt']);
  const { unit } = fields;
  const isUnit = typeof unit === 'string' && UNIT.test(unit);
  if (!isUnit) {
    const allowed = 'a text of 1 to 32 characters';
    problems.add(`${at}.unit`, quote(unit), allowed, "write e.g. unit: 'kWh'");
  }
  const source = (key: string) =>
    checkPayload(problems, `${at}.${key}`, fields[key], `${key}: payload('${key}')`);
  return {
    account: source('account'),
    amount: source('amount'),
    unit: isUnit ? unit : '',
    occurredAt: source('occurredAt'),
  };
}

export function checkMaxAge(problems: Problems, at: string, maxAge: unknown): number {
  if (maxAge === undefined) return MAX_AGE_DAYS_DEFAULT;
  const fields = problems.object(at, maxAge, 'maxAge: { days: 90 }');
  problems.onlyKeys(at, fields, ['days']);
  if (isObject(maxAge) && fields.days === undefined) {
    const allowed = `a whole number from 1 to ${MAX_AGE_DAYS_MAX}`;
    problems.add(`${at}.days`, 'nothing', allowed, 'write e.g. maxAge: { days: 90 }');
  }
  const preset = MAX_AGE_DAYS_DEFAULT;
  return problems.wholeNumber(`${at}.days`, fields.days, MAX_AGE_DAYS_MAX, preset);
}

const UNITS_SECONDS = { days: 86_400, hours: 3_600, minutes: 60, seconds: 1 } as const;
const UNITS = Object.keys(UNITS_SECONDS) as readonly (keyof typeof UNITS_SECONDS)[];

/** A window in seconds; one second, which no rule objects to, where it is wrong. */
export function checkWindow(problems: Problems, at: string, span: unknown): number {
  const examples = ['window: { days: 7 }', '{ hours: 1, minutes: 30 }'] as const;
  return checkSpan(problems, at, span, examples, WINDOW_SECONDS_MAX) ?? 1;
}

/** A span in seconds; undefined where it is wrong, which is a problem by then. */
export function checkSpan(
  problems: Problems,
  at: string,
  span: unknown,
  [example, another]: readonly [string, string],
  secondsMax: number,
): number | undefined {
  const fix = `write e.g. ${example} or ${another}`;
  const fields = problems.object(at, span, `e.g. ${example}`);
  if (!isObject(span)) return undefined;
  problems.onlyKeys(at, fields, UNITS);
  const said = UNITS.filter((unit) => fields[unit] !== undefined);
  if (said.length === 0) {
    problems.add(at, 'no unit', `at least one of ${UNITS.join(', ')}`, fix);
    return undefined;
  }
  const wrong = said.filter((unit) => !isCount(fields[unit]));
  for (const unit of wrong) {
    problems.add(`${at}.${unit}`, quote(fields[unit]), 'a whole number from 0', fix);
  }
  if (wrong.length > 0) return undefined;
  const seconds = said.reduce((sum, unit) => sum + Number(fields[unit]) * UNITS_SECONDS[unit], 0);
  if (seconds >= 1 && seconds <= secondsMax) return seconds;
  problems.add(at, `${seconds} seconds`, `1 second to ${secondsMax / 86_400} days`, fix);
  return undefined;
}

function isCount(value: unknown): boolean {
  return isWhole(value) && value >= 0;
}
