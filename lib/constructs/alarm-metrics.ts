/**
 * What each kind of alarm looks at. Names and dimensions of AWS's metrics are pinned, with their
 * sources, in `test/infra/aws-metrics.ts`; a wrong one would deploy and never say anything.
 */

import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Route } from '../../core/config/route.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import { ALARM_KINDS, type AlarmWhat } from '../../core/operations/alarm-kinds.ts';
import {
  METRIC,
  METRICS_NAMESPACE,
  type Metric as MetricName,
  metricDimensions,
} from '../../core/operations/metrics.ts';

/** What says that clocks are wrong. A value of a `latest` route is never late: it is stale. */
export function clockMetrics(route: Pick<Route, 'guarantee'>): readonly MetricName[] {
  return guaranteeOf(route).canBeLate ? [METRIC.late, METRIC.early] : [METRIC.early];
}

/** The names by which AWS counts what an alarm or a widget is about. */
export interface WatchedRoute {
  readonly bridge: string;
  readonly name: string;
  readonly guarantee: Route['guarantee'];
  readonly ruleName: string;
  readonly functionName: string;
  readonly queueName: string;
  readonly deadLettersName: string;
  /** Of the alarm on silence. */
  readonly silenceSeconds: number | undefined;
}

/** A metric of the bridge's own functions. */
export function ownMetric(
  { bridge, name }: Pick<WatchedRoute, 'bridge' | 'name'>,
  metricName: MetricName,
  period: Duration,
  statistic: string = Stats.SUM,
): Metric {
  const dimensionsMap = { ...metricDimensions(bridge, name) };
  const namespace = METRICS_NAMESPACE;
  return new Metric({ namespace, metricName, dimensionsMap, statistic, period });
}

export function awsMetric(
  namespace: 'AWS/DynamoDB' | 'AWS/IoT' | 'AWS/Lambda' | 'AWS/SNS' | 'AWS/SQS',
  metricName: string,
  dimensionsMap: Record<string, string>,
  period: Duration,
  statistic: string = Stats.SUM,
): Metric {
  return new Metric({ namespace, metricName, dimensionsMap, statistic, period });
}

/**
 * The sum over every value of a dimension that is not known here, or that has several values, by a
 * Metrics Insights query. AWS does not document the values of `ActionType`.
 */
function sumOf(
  metricName: string,
  [namespace, ...dimensions]: readonly [string, ...string[]],
  period: Duration,
  where?: readonly [dimension: string, value: string],
): MathExpression {
  const schema = [`"${namespace}"`, ...dimensions].join(', ');
  const filter = where === undefined ? '' : ` WHERE ${where[0]} = '${where[1]}'`;
  const expression = `SELECT SUM("${metricName}") FROM SCHEMA(${schema})${filter}`;
  return new MathExpression({ expression, usingMetrics: {}, label: metricName, period });
}

const RULE_ACTIONS = ['AWS/IoT', 'ActionType', 'RuleName'] as const;
const OPERATIONS = ['AWS/DynamoDB', 'Operation', 'TableName'] as const;

/** Of so many deliveries, what share. Missing values count as 0, and nothing is divided by 0. */
function share(
  route: WatchedRoute,
  parts: readonly MetricName[],
  period: Duration,
  whole: readonly MetricName[] = [METRIC.deliveries],
): MathExpression {
  const usingMetrics = Object.fromEntries(
    [...new Set([...parts, ...whole])].map((name) => [idOf(name), ownMetric(route, name, period)]),
  );
  const sum = (names: readonly MetricName[]) => `(${names.map(idOf).join(' + ')})`;
  return new MathExpression({
    expression: `100 * ${sum(parts)} / ${sum(whole)}`,
    label: `% ${parts.join(' + ')}`,
    usingMetrics,
    period,
  });
}

/** Ids in expressions begin with a small letter. */
function idOf(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

type RouteSignal = (route: WatchedRoute, period: Duration) => IMetric;

const own =
  (name: MetricName, statistic: string = Stats.SUM): RouteSignal =>
  (route, period) =>
    ownMetric(route, name, period, statistic);
const ofFunction =
  (metricName: string): RouteSignal =>
  ({ functionName: FunctionName }, period) =>
    awsMetric('AWS/Lambda', metricName, { FunctionName }, period);
const ofRule =
  (metricName: string): RouteSignal =>
  ({ ruleName }, period) =>
    sumOf(metricName, RULE_ACTIONS, period, ['RuleName', ruleName]);
const ofDeadLetters =
  (metricName: string): RouteSignal =>
  ({ deadLettersName: QueueName }, period) =>
    awsMetric('AWS/SQS', metricName, { QueueName }, period, Stats.MAXIMUM);

const ROUTE_SIGNALS: Readonly<Partial<Record<AlarmWhat, RouteSignal>>> = {
  'dead-letters': ofDeadLetters('ApproximateNumberOfMessagesVisible'),
  'dead-letters-old': ofDeadLetters('ApproximateAgeOfOldestMessage'),
  'queue-old': ({ queueName: QueueName }, period) =>
    awsMetric('AWS/SQS', 'ApproximateAgeOfOldestMessage', { QueueName }, period, Stats.MAXIMUM),
  retries: own(METRIC.failed),
  'booking-lag': own(METRIC.bookingLag, Stats.percentile(90)),
  'no-deliveries': own(METRIC.deliveries),
  'function-errors': ofFunction('Errors'),
  'function-throttled': ofFunction('Throttles'),
  'events-dropped': ofFunction('AsyncEventsDropped'),
  'dead-letter-errors': ofFunction('DeadLetterErrors'),
  'rule-failures': ofRule('Failure'),
  'error-action': ofRule('ErrorActionSuccess'),
  'error-action-failures': ofRule('ErrorActionFailure'),
  'rule-missing': ({ ruleName: RuleName }, period) =>
    awsMetric('AWS/IoT', 'RuleNotFound', { RuleName }, period),
  conflicts: (route, period) => share(route, [METRIC.conflict], period),
  rejected: (route, period) => share(route, [METRIC.rejected], period),
  'refused-by-store': own(METRIC.refusedByStore),
  unforwardable: own(METRIC.unforwardable),
  unverified: own(METRIC.unverified),
  'wrong-device': own(METRIC.wrongDevice),
  'receipts-lost': (route, period) =>
    share(route, [METRIC.receiptsLost], period, [METRIC.receipts, METRIC.receiptsLost]),
  'device-clocks': (route, period) => share(route, clockMetrics(route), period),
};

/** When an alarm fires. */
export interface Signal {
  readonly metric: IMetric;
  readonly datapoints: number;
  readonly periods: number;
}

export function routeSignal(what: AlarmWhat, route: WatchedRoute): Signal {
  const signal = ROUTE_SIGNALS[what];
  if (signal === undefined) throw new Error(`no metric is known for the alarm ${what} of a route`);
  const { seconds, periods, datapoints } = periodsOf(what, route);
  return { metric: signal(route, Duration.seconds(seconds)), periods, datapoints };
}

/** Silence is looked at hour by hour, or in one go where it is shorter than an hour. */
function periodsOf(what: AlarmWhat, { silenceSeconds }: WatchedRoute) {
  const { periodSeconds: seconds, periods, datapoints } = ALARM_KINDS[what];
  if (what !== 'no-deliveries' || silenceSeconds === undefined) {
    return { seconds, periods, datapoints };
  }
  if (silenceSeconds < seconds) return { seconds: silenceSeconds, periods: 1, datapoints: 1 };
  const hours = silenceSeconds / seconds;
  return { seconds, periods: hours, datapoints: hours };
}

export function tableSignal(what: AlarmWhat, tableName: string): Signal {
  const metricName = what === 'table-throttled' ? 'ThrottledRequests' : 'SystemErrors';
  return signalOf(what, (period) =>
    sumOf(metricName, OPERATIONS, period, ['TableName', tableName]),
  );
}

/** Of the function that answers release and query. */
export function handshakeSignal(what: AlarmWhat, bridge: string, functionName: string): Signal {
  const dimensions = { FunctionName: functionName };
  return signalOf(what, (period) => {
    if (what === 'requests-unreadable') {
      // With the dimension of every route, and of none.
      const own = [METRICS_NAMESPACE, ...Object.keys(metricDimensions('', ''))] as const;
      return sumOf(METRIC.unreadable, own as [string, ...string[]], period, ['service', bridge]);
    }
    const metricName = what === 'requests-dropped' ? 'AsyncEventsDropped' : 'Errors';
    return awsMetric('AWS/Lambda', metricName, dimensions, period);
  });
}

/** Of the broker: AWS counts for the whole account, by protocol. */
export function brokerSignal(what: AlarmWhat): Signal {
  return signalOf(what, (period) => sumOf('PublishIn.Throttle', ['AWS/IoT', 'Protocol'], period));
}

function signalOf(what: AlarmWhat, metric: (period: Duration) => IMetric): Signal {
  const { periodSeconds, periods, datapoints } = ALARM_KINDS[what];
  return { metric: metric(Duration.seconds(periodSeconds)), periods, datapoints };
}
