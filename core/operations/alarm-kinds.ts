/**
 * Every kind of alarm: what it means, how bad it is, when it fires, and what silence of its metric
 * says. Pure data, so that the template, the command line and the runbook have one list. Which
 * metric it looks at is the template's part (`lib/constructs/alarm-metrics.ts`).
 *
 * There are no composite alarms: each kind is a fault of its own with its own way to mend it, and
 * which of them fire together (a table that is down makes retries and lag) tells where to look.
 */

/** `page`: somebody has to look now. `ticket`: somebody has to look in working hours. */
type Severity = 'page' | 'ticket';

/** What an alarm is about. */
export type AlarmScope = 'route' | 'table' | 'handshake' | 'broker';

export interface AlarmKind {
  readonly scope: AlarmScope;
  readonly severity: Severity;
  /** One sentence: what is wrong when it fires. */
  readonly meaning: string;
  /** It fires at this value or above; `no-deliveries` below it. */
  readonly threshold: number;
  readonly unit: 'messages' | 'seconds' | 'times' | 'percent' | 'milliseconds' | 'deliveries';
  readonly periodSeconds: number;
  /** In so many of the last `periods`. */
  readonly datapoints: number;
  readonly periods: number;
  /** What a period without data is taken for, and why. */
  readonly missing: 'notBreaching' | 'breaching';
  readonly missingWhy: string;
}

/** At once: one period with one of them. */
const ONCE = { threshold: 1, periodSeconds: 300, datapoints: 1, periods: 1 } as const;
/** A quarter of an hour of it, so that what mends itself wakes nobody. */
const SUSTAINED = { periodSeconds: 300, datapoints: 3, periods: 3 } as const;
/** A metric of the bridge or of AWS that counts faults and is silent while there are none. */
const NO_MISHAP = {
  missing: 'notBreaching',
  missingWhy: 'nothing is emitted while it does not happen',
} as const;
const NO_TRAFFIC = {
  missing: 'notBreaching',
  missingWhy: 'without deliveries there is no share of them; silence has an alarm of its own',
} as const;
const EMPTY_QUEUE = {
  missing: 'notBreaching',
  missingWhy: 'SQS says nothing of a queue that holds nothing',
} as const;

/** By the last part of its name, which is the heading of its section in the runbook as well. */
const ALARMS = {
  'dead-letters': {
    ...ONCE,
    ...EMPTY_QUEUE,
    scope: 'route',
    severity: 'page',
    unit: 'messages',
    meaning: 'Deliveries failed for good and wait in the dead-letter queue; they are not booked.',
  },
  'dead-letters-old': {
    ...ONCE,
    ...EMPTY_QUEUE,
    threshold: 604_800,
    scope: 'route',
    severity: 'page',
    unit: 'seconds',
    meaning: 'Dead letters have waited for a week; SQS deletes them after 14 days.',
  },
  'queue-old': {
    ...SUSTAINED,
    ...EMPTY_QUEUE,
    threshold: 900,
    scope: 'route',
    severity: 'page',
    unit: 'seconds',
    meaning: 'Deliveries wait in the queue and nobody takes them out.',
  },
  retries: {
    ...SUSTAINED,
    ...NO_MISHAP,
    threshold: 1,
    scope: 'route',
    severity: 'page',
    unit: 'deliveries',
    meaning: 'Deliveries keep failing and are tried again; six hours of it make dead letters.',
  },
  'booking-lag': {
    ...SUSTAINED,
    threshold: 300_000,
    missing: 'notBreaching',
    missingWhy: 'without bookings there is no lag; silence has an alarm of its own',
    scope: 'route',
    severity: 'ticket',
    unit: 'milliseconds',
    meaning: 'One booking in ten takes five minutes or more from the rule to the table.',
  },
  'no-deliveries': {
    threshold: 1,
    periodSeconds: 3_600,
    datapoints: 1,
    periods: 1,
    missing: 'breaching',
    missingWhy: 'a count of zero is not emitted, so missing data is the very thing it is about',
    scope: 'route',
    severity: 'page',
    unit: 'deliveries',
    meaning: 'Not one delivery was handled for as long as the configuration allows.',
  },
  'function-errors': {
    ...NO_MISHAP,
    threshold: 1,
    periodSeconds: 300,
    datapoints: 2,
    periods: 3,
    scope: 'route',
    severity: 'page',
    unit: 'times',
    meaning: 'The function crashes, times out or fails whole invocations.',
  },
  'function-throttled': {
    ...SUSTAINED,
    ...NO_MISHAP,
    threshold: 1,
    scope: 'route',
    severity: 'ticket',
    unit: 'times',
    meaning: "Lambda refuses to run the function: the account's concurrency is used up.",
  },
  'events-dropped': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'page',
    unit: 'times',
    meaning:
      'Lambda gave up deliveries of the direct path; what it could save is in the dead-letter queue.',
  },
  'dead-letter-errors': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'page',
    unit: 'times',
    meaning:
      'Lambda could not write a dead letter: that delivery is gone from the cloud (I2 is broken).',
  },
  'rule-failures': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'ticket',
    unit: 'times',
    meaning: "The rule's action failed; its error action was asked to take the delivery.",
  },
  'error-action': {
    ...SUSTAINED,
    ...NO_MISHAP,
    threshold: 1,
    scope: 'route',
    severity: 'ticket',
    unit: 'times',
    meaning:
      'Deliveries keep coming by the error action, which knows no MQTT 5 properties and no principal.',
  },
  'error-action-failures': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'page',
    unit: 'times',
    meaning:
      "Both paths of the rule failed: the delivery is gone, and the device's outbox is the only copy.",
  },
  'rule-missing': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'page',
    unit: 'times',
    meaning: 'Devices publish to the rule by Basic Ingest, and it is disabled or does not exist.',
  },
  conflicts: {
    ...NO_TRAFFIC,
    threshold: 1,
    periodSeconds: 900,
    datapoints: 1,
    periods: 1,
    scope: 'route',
    severity: 'ticket',
    unit: 'percent',
    meaning: 'Ids come with another body than the booked one; these charges are not billed.',
  },
  rejected: {
    ...NO_TRAFFIC,
    threshold: 5,
    periodSeconds: 900,
    datapoints: 1,
    periods: 1,
    scope: 'route',
    severity: 'ticket',
    unit: 'percent',
    meaning: 'Many deliveries cannot be booked and are quarantined.',
  },
  'refused-by-store': {
    ...NO_MISHAP,
    threshold: 1,
    periodSeconds: 60,
    datapoints: 1,
    periods: 1,
    scope: 'route',
    severity: 'page',
    unit: 'deliveries',
    meaning:
      'The table refuses rows for good, and devices are told that this is final: stop the route now.',
  },
  unforwardable: {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'ticket',
    unit: 'messages',
    meaning: 'Messages are booked, but their forward can never be published.',
  },
  unverified: {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'ticket',
    unit: 'deliveries',
    meaning: 'The table did not answer, and deliveries were forwarded without a verdict.',
  },
  'wrong-device': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'route',
    severity: 'page',
    unit: 'deliveries',
    meaning:
      'Somebody publishes in the name of a device that it is not: an attack, or a wrong policy.',
  },
  'receipts-lost': {
    ...SUSTAINED,
    ...NO_MISHAP,
    threshold: 5,
    scope: 'route',
    severity: 'ticket',
    unit: 'percent',
    meaning: 'Receipts do not go out, so devices send the same messages again and again.',
  },
  'device-clocks': {
    ...NO_TRAFFIC,
    threshold: 1,
    periodSeconds: 3_600,
    datapoints: 1,
    periods: 1,
    scope: 'route',
    severity: 'ticket',
    unit: 'percent',
    meaning: 'Deliveries are late or early: clocks of devices are wrong, or outboxes were cut off.',
  },
  'table-throttled': {
    ...SUSTAINED,
    ...NO_MISHAP,
    threshold: 1,
    scope: 'table',
    severity: 'ticket',
    unit: 'times',
    meaning: 'DynamoDB throttles requests to the table or its index; they are tried again.',
  },
  'table-errors': {
    ...SUSTAINED,
    ...NO_MISHAP,
    threshold: 1,
    scope: 'table',
    severity: 'ticket',
    unit: 'times',
    meaning: 'DynamoDB fails requests to the table by a fault of its own; they are tried again.',
  },
  'requests-failed': {
    ...NO_MISHAP,
    threshold: 1,
    periodSeconds: 300,
    datapoints: 2,
    periods: 3,
    scope: 'handshake',
    severity: 'ticket',
    unit: 'times',
    meaning: 'The function that answers release and query crashes, times out or fails.',
  },
  'requests-dropped': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'handshake',
    severity: 'ticket',
    unit: 'times',
    meaning: 'Lambda gave up requests of devices for release or query; the devices ask again.',
  },
  'requests-unreadable': {
    ...SUSTAINED,
    ...NO_MISHAP,
    threshold: 1,
    scope: 'handshake',
    severity: 'ticket',
    unit: 'times',
    meaning: 'Devices send requests for release or query that cannot be read.',
  },
  'inbound-throttled': {
    ...ONCE,
    ...NO_MISHAP,
    scope: 'broker',
    severity: 'page',
    unit: 'times',
    meaning:
      "AWS IoT Core discards publications: the account's rate of inbound messages is used up.",
  },
} as const satisfies Readonly<Record<string, AlarmKind>>;

export type AlarmWhat = keyof typeof ALARMS;
export const ALARM_KINDS: Readonly<Record<AlarmWhat, AlarmKind>> = ALARMS;
