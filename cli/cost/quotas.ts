/**
 * Which quota of AWS a load comes near. Figures are those of an account in us-east-1 that has asked
 * for nothing more, read on 2026-11-20 on the pages that each one names.
 */
import type Big from 'big.js';
import { countsOf, type Month } from './model.ts';
import type { Store } from './store.ts';
import { invocationOf, type Messaging } from './traffic.ts';

interface Quota {
  readonly name: string;
  readonly unit: string;
  readonly allowed: number;
  readonly isAdjustable: boolean;
  /** What to do before it is reached. */
  readonly remedy: string;
  /** The page, and the words on it that the figure stands beside. */
  readonly source: string;
}

/** A quota, and how much of it is taken at the peak. */
export interface Taken extends Quota {
  readonly got: number;
}

export interface Peak {
  /** How many times the average of the day. */
  readonly factor: Big;
  /** Share of the busiest account among all events, 0 to 1. */
  readonly busiestAccount: Big;
}

/** Each second, at the peak. */
interface Rates {
  readonly deliveries: number;
  readonly events: number;
  readonly copies: number;
  readonly invocations: number;
  readonly answers: number;
}

const IOT_QUOTAS = 'AWS General Reference, "AWS IoT Core endpoints and quotas"';
const LAMBDA_QUOTAS = 'AWS Lambda Developer Guide, "Lambda quotas"';
const LAMBDA_QUEUES =
  'AWS Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings"';
const ON_DEMAND = 'Amazon DynamoDB Developer Guide, "DynamoDB on-demand capacity mode"';
const KEYS =
  'Amazon DynamoDB Developer Guide, "Best practices for designing and using partition keys"';

const PER_SECOND = 'a second';
const RAISE = 'ask AWS for more in good time, or spread devices over cells';

const QUOTAS = {
  inbound: {
    name: 'publications to the broker',
    unit: PER_SECOND,
    allowed: 20_000,
    isAdjustable: true,
    remedy: `gather receipts, forward nothing that nobody needs, ${RAISE}`,
    source: `${IOT_QUOTAS}, inbound publishes per account`,
  },
  outbound: {
    name: 'publications of the broker',
    unit: PER_SECOND,
    allowed: 20_000,
    isAdjustable: true,
    remedy: `gather receipts, ${RAISE}; beyond it the publication that asked for too many is lost`,
    source: `${IOT_QUOTAS}, outbound publishes per account`,
  },
  rules: {
    name: 'rule evaluations',
    unit: PER_SECOND,
    allowed: 20_000,
    isAdjustable: true,
    remedy: RAISE,
    source: `${IOT_QUOTAS}, rule evaluations per account, Basic Ingest included`,
  },
  connections: {
    name: 'connections',
    unit: 'at a time',
    allowed: 500_000,
    isAdjustable: true,
    remedy: RAISE,
    source: `${IOT_QUOTAS}, connections per account`,
  },
  connection: {
    name: 'publications on one connection, both ways',
    unit: PER_SECOND,
    allowed: 100,
    isAdjustable: false,
    remedy: 'send fewer, larger charges; what is above it is discarded, and sent again later',
    source: `${IOT_QUOTAS}, publish requests per connection`,
  },
  concurrency: {
    name: 'function instances',
    unit: 'at a time',
    allowed: 1_000,
    isAdjustable: true,
    remedy: `let more deliveries gather in a batch, ${RAISE}`,
    source: `${LAMBDA_QUOTAS}, concurrent executions of an account in a Region`,
  },
  pollers: {
    name: 'function instances of one queue',
    unit: 'at a time',
    allowed: 1_250,
    isAdjustable: false,
    remedy: 'let more deliveries gather in a batch, use provisioned pollers, or spread over routes',
    source: LAMBDA_QUEUES,
  },
  freshTable: {
    name: 'writes of a table that is new',
    unit: 'units a second',
    allowed: 4_000,
    isAdjustable: true,
    remedy: 'warm the table up before devices come; later it takes twice its highest peak at once',
    source: `${ON_DEMAND}, initial throughput`,
  },
  table: {
    name: 'writes of one table',
    unit: 'units a second',
    allowed: 40_000,
    isAdjustable: true,
    remedy: RAISE,
    source: `${ON_DEMAND}, table-level quota`,
  },
  account: {
    name: 'index writes of the busiest account',
    unit: 'units a second and shard',
    allowed: 1_000,
    isAdjustable: false,
    remedy: 'set indexShards of the route before the first charge is booked; it can never change',
    source: `${KEYS}, write units of a partition`,
  },
} as const satisfies Readonly<Record<string, Quota>>;

type QuotaName = keyof typeof QUOTAS;

/** How much of each quota is taken, the one that is nearest to its limit first. */
export function quotasAt(
  month: Month,
  messaging: Messaging,
  store: Store,
  peak: Peak,
): readonly Taken[] {
  const rates = ratesAt(month, messaging, peak);
  const { deliveries, events, copies, invocations, answers } = rates;
  const { first, copy } = store;
  const forwards = messaging.subscribers === undefined ? 0 : events;
  const seconds = invocationOf(month.copies, messaging, store).millis / 1_000;
  const got: Readonly<Record<QuotaName, number>> = {
    inbound: deliveries + answers + forwards,
    outbound: answers + forwards * (messaging.subscribers ?? 0),
    rules: deliveries,
    connections: month.devices,
    connection: (deliveries + answers) / month.devices,
    concurrency: invocations * seconds,
    pollers: messaging.feed === 'queue' ? invocations * seconds : 0,
    freshTable: events * first.units.tableWrites + copies * copy.units.tableWrites,
    table: events * first.units.tableWrites + copies * copy.units.tableWrites,
    account: events * Number(peak.busiestAccount) * first.units.indexWrites,
  };
  return (Object.keys(QUOTAS) as QuotaName[])
    .map((name) => ({ ...QUOTAS[name], got: got[name] }))
    .sort((one, other) => other.got / other.allowed - one.got / one.allowed);
}

export function isExceeded({ got, allowed }: Taken): boolean {
  return got > allowed;
}

/** Rates are no money: floats will do. */
function ratesAt({ eventsPerDay, copies }: Month, messaging: Messaging, { factor }: Peak): Rates {
  const counts = countsOf(eventsPerDay.times(factor).div(86_400), copies, messaging);
  return {
    deliveries: Number(counts.deliveries),
    events: Number(counts.events),
    copies: Number(counts.copies),
    invocations: Number(counts.invocations),
    answers: Number(counts.answers),
  };
}
