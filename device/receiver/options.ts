/** What `receive` is given, checked: all its problems at once. */

import { quoted } from '../../core/base/printable.ts';
import { filterFault } from '../../core/message/topics.ts';
import { InvalidFilterError, InvalidOptionsError } from '../errors.ts';
import type { RetryPolicy } from '../publish/schedule.ts';
import type { ReceiveOptions, ReceiverEvent, SeenIds } from './types.ts';

const DAY_MILLIS = 86_400_000;
const DAYS_MAX = 3_660;
const MINUTE_MILLIS = 60_000;

export interface ReceiverSettings {
  readonly filter: string;
  readonly name: string;
  readonly qos: 0 | 1;
  readonly order: 'effect-first' | 'mark-first' | 'with-effect';
  readonly seen: SeenIds | undefined;
  readonly rememberMillis: number;
  readonly withoutId: 'refuse' | 'pass';
  readonly tries: number;
  readonly retry: RetryPolicy;
  readonly concurrency: number;
  readonly waitingMax: number;
  readonly failedMax: number;
  readonly onEvent: (event: ReceiverEvent) => void;
}

/** @throws InvalidFilterError, InvalidOptionsError */
export function checkReceiveOptions(filter: string, options: ReceiveOptions): ReceiverSettings {
  checkFilter(filter);
  const problems: string[] = [];
  const { order = 'effect-first', withoutId = 'refuse', qos = 1, retry = {}, seen } = options;
  const oneOf = (name: string, value: unknown, allowed: readonly unknown[]) => {
    if (!allowed.includes(value)) {
      problems.push(`${name} is ${String(value)}; allowed are ${allowed.join(', ')}`);
    }
  };
  oneOf('order', order, ['effect-first', 'mark-first', 'with-effect']);
  oneOf('withoutId', withoutId, ['refuse', 'pass']);
  oneOf('qos', qos, [0, 1]);
  if ((order === 'with-effect') !== (seen !== undefined)) {
    problems.push("order 'with-effect' needs seen, which looks for an id among your effects");
  }
  const within = (name: string, value: number, max: number, isWhole = true) => {
    const isRight = value > 0 && value <= max && (!isWhole || Number.isSafeInteger(value));
    if (!isRight) problems.push(`${name} is ${value}; allowed is a number above 0, up to ${max}`);
    return value;
  };
  const { tries = 10, rememberDays = 30 } = options;
  if (tries !== Number.POSITIVE_INFINITY) within('tries', tries, Number.MAX_SAFE_INTEGER);
  const { firstMillis = 1_000 } = retry;
  const { maxMillis = Math.max(MINUTE_MILLIS, firstMillis) } = retry;
  const settings: ReceiverSettings = {
    ...{ filter, name: options.name ?? filter, qos, order, seen, withoutId, tries },
    rememberMillis: within('rememberDays', rememberDays, DAYS_MAX, false) * DAY_MILLIS,
    retry: {
      firstMillis: within('retry.firstMillis', firstMillis, DAY_MILLIS),
      maxMillis: within('retry.maxMillis', maxMillis, DAY_MILLIS),
    },
    concurrency: within('concurrency', options.concurrency ?? 10, 1_000),
    waitingMax: within('waitingMax', options.waitingMax ?? 1_000, 1_000_000),
    failedMax: within('failedMax', options.failedMax ?? 1_000, 1_000_000),
    onEvent: options.onEvent ?? (() => {}),
  };
  if (problems.length > 0) throw new InvalidOptionsError(problems);
  return settings;
}

function checkFilter(filter: unknown): void {
  if (typeof filter !== 'string') {
    throw new InvalidFilterError(`the filter is ${String(filter)}; give a topic filter as text`);
  }
  // Members of a group have stores of their own, so a copy given to another one is not known there.
  const fault = filter.startsWith('$share/')
    ? 'it is shared, and its copies could reach a process that does not know them'
    : filterFault(filter);
  if (fault === undefined) return;
  throw new InvalidFilterError(
    `the filter ${quoted(filter, 256)} cannot be received: ${fault}; ` +
      'give one such as booked/+/charges, with the rights for it in the policy',
  );
}
