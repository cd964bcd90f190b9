/**
 * What a bridge costs, line by line: quantities from the requests of one delivery, prices from the
 * price list. The one model of `tollbridge cost`, of the benches and of `docs/scale.md`.
 *
 * Keeps this invariant: no money goes through a float.
 */
import Big from 'big.js';
import { LOG_RETENTION_DAYS } from '../../core/base/limits.ts';
import { alarmsOf } from '../../core/operations/alarms.ts';
import { METRIC } from '../../core/operations/metrics.ts';
import { costOf, type PriceName } from './prices.ts';
import { SAMPLE_BRIDGE } from './sample.ts';
import type { Store } from './store.ts';
import {
  FUNCTION_GB,
  invocationOf,
  iotSteps,
  type Messaging,
  QUEUE_REQUEST_MESSAGES_MAX,
  queueSteps,
  type Sizes,
  sizesOf,
} from './traffic.ts';

/** What a line is counted to. */
export type Share =
  | 'messages'
  | 'queue'
  | 'function'
  | 'database'
  | 'index'
  | 'receipts'
  | 'forward'
  | 'logs'
  | 'kept'
  | 'connections'
  | 'watching';

export interface Line {
  readonly share: Share;
  readonly what: string;
  readonly price: PriceName;
  readonly quantity: Big;
  readonly usd: Big;
}

/** A month has 30 days. */
export const MONTH_DAYS = 30;
const GB = 1_073_741_824;

/**
 * Bytes that the function logs, CloudWatch's 26 for each entry among them: for an invocation its
 * metrics and the lines of the runtime, for a copy its note. A test measures both.
 */
export const LOG_BYTES = { invocation: 800, copy: 260 } as const;

/** How many of what there are. */
export interface Counts {
  readonly events: Big;
  readonly copies: Big;
  readonly deliveries: Big;
  readonly invocations: Big;
  /** Publications of receipts. */
  readonly answers: Big;
}

/**
 * @param events messages meant, each booked once
 * @param copiesShare how many of the deliveries are copies, 0 to below 1
 */
export function countsOf(events: Big, copiesShare: Big, messaging: Messaging): Counts {
  const deliveries = events.div(new Big(1).minus(copiesShare));
  return {
    events,
    copies: deliveries.minus(events),
    deliveries,
    invocations: deliveries.div(messaging.batch),
    answers: messaging.receipts === 'none' ? new Big(0) : deliveries.div(messaging.gathered),
  };
}

function line(share: Share, what: string, price: PriceName, quantity: Big): Line {
  return { share, what, price, quantity, usd: costOf(price, quantity) };
}

/** What grows with the events, and ends with them: everything but connections and what is kept. */
export function trafficLines(
  events: Big,
  copiesShare: Big,
  messaging: Messaging,
  store: Store,
): readonly Line[] {
  const counts = countsOf(events, copiesShare, messaging);
  const sizes = sizesOf(messaging);
  return [
    ...ruleLines(counts, sizes, messaging),
    ...(messaging.feed === 'queue' ? queueLines(counts, sizes, messaging) : []),
    ...functionLines(counts, messaging, store),
    ...databaseLines(counts, store),
    ...receiptLines(counts, sizes, messaging),
    ...forwardLines(counts, sizes, messaging),
    line('logs', 'logs taken in', 'logs', logGigabytes(counts)),
  ];
}

function ruleLines(
  { deliveries }: Counts,
  { message, envelope }: Sizes,
  { basicIngest }: Messaging,
): readonly Line[] {
  const metered = deliveries.times(iotSteps(message));
  return [
    line('messages', 'messages of devices', 'message', basicIngest ? new Big(0) : metered),
    line('messages', 'rule', 'rule', metered),
    // Charged by what it hands on, which base64 makes a third longer; the pages do not say which.
    line('messages', 'action of the rule', 'action', deliveries.times(iotSteps(envelope))),
  ];
}

/** The rule sends each by itself; Lambda's pollers receive and delete up to ten at a time. */
function queueLines(
  { deliveries }: Counts,
  { envelope }: Sizes,
  { batch }: Messaging,
): readonly Line[] {
  const together = Math.min(batch, QUEUE_REQUEST_MESSAGES_MAX);
  const polls = deliveries.div(together);
  const requests = deliveries
    .times(queueSteps(envelope))
    .plus(polls.times(queueSteps(envelope * together)))
    .plus(polls);
  return [line('queue', 'send, receive, delete', 'queueRequest', requests)];
}

function functionLines(
  { copies, deliveries, invocations }: Counts,
  messaging: Messaging,
  store: Store,
): readonly Line[] {
  const { millis } = invocationOf(copies.div(deliveries), messaging, store);
  const seconds = invocations.times(millis).div(1_000);
  return [
    line('function', 'invocations', 'invocation', invocations),
    line('function', 'run time (assumed)', 'gigabyteSecond', seconds.times(FUNCTION_GB)),
  ];
}

function databaseLines({ events, copies }: Counts, { first, copy }: Store): readonly Line[] {
  const of = (pick: (store: Store['first']['units']) => number) =>
    events.times(pick(first.units)).plus(copies.times(pick(copy.units)));
  return [
    line(
      'database',
      'writes to tables',
      'writeUnit',
      of(({ tableWrites }) => tableWrites),
    ),
    line(
      'index',
      'writes to the index',
      'writeUnit',
      of(({ indexWrites }) => indexWrites),
    ),
    line(
      'database',
      'reads',
      'readUnit',
      of(({ reads }) => reads),
    ),
  ];
}

function receiptLines({ answers }: Counts, sizes: Sizes, { receipts }: Messaging): readonly Line[] {
  if (receipts === 'none') return [];
  const published = answers.times(iotSteps(sizes.receipts));
  const delivered = answers.times(iotSteps(sizes.receiptsDelivered));
  return [
    line('receipts', 'receipts published', 'message', published),
    line('receipts', 'receipts delivered', 'message', delivered),
    ...(receipts === 1 ? [line('receipts', 'PUBACKs of devices', 'message', answers)] : []),
  ];
}

function forwardLines(
  { events }: Counts,
  sizes: Sizes,
  { subscribers }: Messaging,
): readonly Line[] {
  if (subscribers === undefined) return [];
  const received = events.times(subscribers);
  const delivered = received.times(iotSteps(sizes.forwardDelivered));
  return [
    line('forward', 'forwards published', 'message', events.times(iotSteps(sizes.forward))),
    line('forward', 'forwards delivered', 'message', delivered),
    line('forward', 'PUBACKs of receivers', 'message', received),
  ];
}

function logGigabytes({ invocations, copies }: Counts): Big {
  return invocations.times(LOG_BYTES.invocation).plus(copies.times(LOG_BYTES.copy)).div(GB);
}

/** A whole month, with everything that is kept or stands ready. */
export interface Month {
  readonly eventsPerDay: Big;
  readonly copies: Big;
  readonly devices: number;
  /** Of a day. */
  readonly connectedHours: Big;
  /** How often a device connects anew. */
  readonly connectsPerDay: number;
  /** Months of events that the ledger holds; rows are never deleted. */
  readonly keptMonths: number;
}

export function monthLines(month: Month, messaging: Messaging, store: Store): readonly Line[] {
  const events = month.eventsPerDay.times(MONTH_DAYS);
  return pricedTogether([
    ...trafficLines(events, month.copies, messaging, store),
    ...keptLines(events, month, messaging, store),
    ...connectionLines(month),
    ...watchingLines(messaging),
  ]);
}

function keptLines(
  events: Big,
  { copies, keptMonths }: Month,
  messaging: Messaging,
  store: Store,
): readonly Line[] {
  const logs = logGigabytes(countsOf(events, copies, messaging));
  const logMonths = LOG_RETENTION_DAYS / MONTH_DAYS;
  return [
    ...rowLines(events.times(keptMonths), store),
    line('kept', 'logs kept, not compressed', 'logStorage', logs.times(logMonths)),
  ];
}

/** The rows of so many messages, kept for a month; recovery is charged for the table alone. */
export function rowLines(messages: Big, { storedBytes: { table, index } }: Store): readonly Line[] {
  const gigabytes = (bytes: number) => messages.times(bytes).div(GB);
  return [
    line('kept', 'rows of tables and index', 'storage', gigabytes(table + index)),
    line('kept', 'point-in-time recovery', 'recovery', gigabytes(table)),
  ];
}

/** CONNECT and SUBSCRIBE are metered as messages; PINGREQ is not. */
const MESSAGES_OF_CONNECTION = 2;

function connectionLines({ devices, connectedHours, connectsPerDay }: Month): readonly Line[] {
  const days = new Big(devices).times(MONTH_DAYS);
  const messages = days.times(connectsPerDay).times(MESSAGES_OF_CONNECTION);
  return [
    line('connections', 'minutes connected', 'connection', days.times(connectedHours).times(60)),
    line('connections', 'CONNECT and SUBSCRIBE', 'message', messages),
  ];
}

/** AWS Lambda, "Using Lambda with Amazon SQS": five pollers, each waiting for up to 20 s. */
const POLLERS = 5;
const POLL_SECONDS = 20;

function watchingLines({ feed }: Messaging): readonly Line[] {
  const polls = new Big(MONTH_DAYS).times(86_400).div(POLL_SECONDS).times(POLLERS);
  return [
    ...(feed === 'queue' ? [line('watching', 'empty polls, at most', 'queueRequest', polls)] : []),
    line('watching', 'metrics, at most', 'metric', new Big(Object.keys(METRIC).length)),
    line('watching', 'alarms', 'alarm', new Big(alarmsOf(SAMPLE_BRIDGE).length)),
    line('watching', 'dashboard', 'dashboard', new Big(1)),
    line('watching', "key of the alarms' topic", 'key', new Big(1)),
  ];
}

/** Steps of a price count all that is bought at it in the month, whatever it is for. */
function pricedTogether(lines: readonly Line[]): readonly Line[] {
  const bought = new Map<PriceName, Big>();
  for (const { price, quantity } of lines) {
    bought.set(price, (bought.get(price) ?? new Big(0)).plus(quantity));
  }
  return lines.map((each) => {
    const all = bought.get(each.price) ?? each.quantity;
    if (all.eq(0)) return each;
    return { ...each, usd: costOf(each.price, all).times(each.quantity).div(all) };
  });
}

export function totalOf(lines: readonly Line[], ...shares: readonly Share[]): Big {
  return lines
    .filter(({ share }) => shares.length === 0 || shares.includes(share))
    .reduce((sum, { usd }) => sum.plus(usd), new Big(0));
}
