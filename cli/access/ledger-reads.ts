/** Rows of the ledger, by each key that there is, and by scan where there is none. */
import type { QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import { partitionOf } from '../../core/message/id.ts';
import { accountPeriodKey, type Period } from '../../core/operations/period.ts';
import type { Item } from '../output/items.ts';
import type { Progress } from '../output/progress.ts';
import { UsageError } from '../shell/usage.ts';
import type { BridgeClient } from './access.ts';
import { chained, query, scan } from './reads.ts';

export const BY_ACCOUNT = 'by-account';

/** @throws UsageError where the configuration has no ledger */
export function ledgerRoutes(
  access: BridgeClient,
  route: string | undefined,
): readonly ExactlyOnceRoute[] {
  const routes = route === undefined ? access.bridge.routes : [access.route(route)];
  const ledgers = routes.filter(
    (each): each is ExactlyOnceRoute => each.guarantee === 'exactly-once',
  );
  const [other] = routes;
  if (ledgers.length > 0 || other === undefined) return ledgers;
  throw new UsageError(
    route === undefined
      ? 'no route of tollbridge.config.ts is exactly-once; only those have a ledger'
      : `routes.${route} is '${other.guarantee}'; only exactly-once routes have a ledger`,
  );
}

/** What a read keeps, applied by the table after reading. */
export interface LedgerFilter {
  readonly route?: string | undefined;
  /** ISO 8601. */
  readonly bookedFrom?: string | undefined;
  readonly bookedBefore?: string | undefined;
  /** No more rows are wanted, so no larger pages need to be read and paid. */
  readonly limit?: number | undefined;
}

/** Of a device on a route, in the order of ids; consistent. */
export function byDevice(
  access: BridgeClient,
  route: string,
  device: string,
  filter: LedgerFilter,
  period: Period | undefined,
  progress: Progress,
): AsyncIterable<Item> {
  const conditions = conditionsOf({ ...filter, route: undefined }, period);
  return query(
    access.dynamodb,
    {
      TableName: access.tables.ledger,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ...conditions,
      ExpressionAttributeValues: {
        ...conditions.ExpressionAttributeValues,
        ':pk': { S: partitionOf(route, device) },
      },
    },
    progress,
  );
}

export interface AccountRead {
  readonly account: string;
  readonly period: Period;
  readonly shards: number;
  readonly filter: LedgerFilter;
}

/**
 * Of an account in a period, month by month and shard by shard: in the order of time within one
 * shard, not across several. Eventually consistent, for an index has no other read.
 */
export function byAccount(
  access: BridgeClient,
  read: AccountRead,
  progress: Progress,
): AsyncIterable<Item> {
  const { account, period, shards, filter } = read;
  const conditions = conditionsOf(filter, undefined);
  const inputs = period.months.flatMap((month) =>
    Array.from(
      { length: shards },
      (_, shard): QueryCommandInput => ({
        TableName: access.tables.ledger,
        IndexName: BY_ACCOUNT,
        KeyConditionExpression: 'accountPeriod = :key AND occurrence BETWEEN :from AND :to',
        ...conditions,
        ExpressionAttributeValues: {
          ...conditions.ExpressionAttributeValues,
          ':key': { S: accountPeriodKey(account, month, shard) },
          ':from': { S: period.from },
          // Every occurrence goes on after its time, so none of them is equal to the end.
          ':to': { S: period.to },
        },
      }),
    ),
  );
  return chained(inputs.map((input) => query(access.dynamodb, input, progress)));
}

/** Of every account and device: a scan of the table, or of its smaller index. */
export function byScan(
  access: BridgeClient,
  index: typeof BY_ACCOUNT | undefined,
  filter: LedgerFilter,
  period: Period | undefined,
  progress: Progress,
): AsyncIterable<Item> {
  const conditions = conditionsOf(filter, period);
  return scan(
    access.dynamodb,
    { TableName: access.tables.ledger, ...(index && { IndexName: index }), ...conditions },
    progress,
  );
}

type Conditions = Pick<
  QueryCommandInput,
  'Limit' | 'FilterExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** More rows than fit into a page of 1 MB are read by whole pages. */
const SMALL_PAGE_ROWS = 1_000;

function conditionsOf(
  { route, bookedFrom, bookedBefore, limit }: LedgerFilter,
  period: Period | undefined,
): Conditions {
  const tests = [
    ['#route = :route', route],
    ['#bookedAt >= :bookedFrom', bookedFrom],
    ['#bookedAt < :bookedBefore', bookedBefore],
    ['#occurredAt >= :occurredFrom', period?.from],
    ['#occurredAt < :occurredBefore', period?.to],
  ] as const;
  const given = tests.flatMap(([test, value]) => (value === undefined ? [] : [{ test, value }]));
  if (given.length === 0) {
    return limit !== undefined && limit <= SMALL_PAGE_ROWS ? { Limit: limit } : {};
  }
  const names = given.map(({ test }) => test.slice(0, test.indexOf(' ')));
  return {
    FilterExpression: given.map(({ test }) => test).join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [name, name.slice(1)])),
    ExpressionAttributeValues: Object.fromEntries(
      given.map(({ test, value }) => [test.slice(test.indexOf(':')), { S: value }]),
    ),
  };
}
