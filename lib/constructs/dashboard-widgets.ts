/** The rows of the dashboard: what each part of a bridge shows. */

import { Duration } from 'aws-cdk-lib';
import {
  GraphWidget,
  type IMetric,
  type IWidget,
  type Metric,
  SearchExpression,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Bridge, Route } from '../../core/config/route.ts';
import { guaranteeOf } from '../../core/guarantees/index.ts';
import { alarmsOf, runbookSection } from '../../core/operations/alarms.ts';
import { METRIC, type Metric as MetricName, NO_ROUTE } from '../../core/operations/metrics.ts';
import { awsMetric, clockMetrics, ownMetric, type WatchedRoute } from './alarm-metrics.ts';

const PERIOD = Duration.minutes(5);
const WIDTH = 24;
const HEIGHT = 6;

export interface GraphOptions {
  readonly title: string;
  readonly left: readonly IMetric[];
  /** Of the left axis. */
  readonly label: string;
  readonly right?: readonly IMetric[];
  readonly stacked?: boolean;
}

/** A row of graphs of equal width. */
export function row(...graphs: readonly GraphOptions[]): readonly IWidget[] {
  return graphs.map(
    ({ title, left, label, right = [], stacked = false }) =>
      new GraphWidget({
        title,
        left: [...left],
        right: [...right],
        stacked,
        leftYAxis: { min: 0, label, showUnits: false },
        ...(right.length > 0 && { rightYAxis: { min: 0 } }),
        width: WIDTH / graphs.length,
        height: HEIGHT,
        period: PERIOD,
      }),
  );
}

export function text(markdown: string, height = 2): readonly IWidget[] {
  return [new TextWidget({ markdown, width: WIDTH, height })];
}

/** A heading, and the sections of the runbook that belong to it. */
export function heading(title: string, bridge: Bridge, subjects: readonly string[], book: string) {
  const whats = alarmsOf(bridge)
    .filter(({ subject }) => subjects.includes(subject))
    .map(({ what }) => what);
  const links = [...new Set(whats)].map((what) => `[${what}](${runbookSection(what, book)})`);
  return text(`## ${title}\nRunbook: ${links.join(' · ')}`, 3);
}

export function routeRows(route: Route, watched: WatchedRoute): readonly (readonly IWidget[])[] {
  return [
    row(verdicts(route, watched), bookingLag(watched), queueAges(watched)),
    row(waiting(watched), effects(route, watched), refusals(route, watched)),
    row(functionFaults(watched.functionName), functionLoad(watched.functionName), rule(watched)),
  ];
}

function own(watched: WatchedRoute, names: readonly MetricName[]): readonly Metric[] {
  return names.map((name) => ownMetric(watched, name, PERIOD).with({ label: name }));
}

function verdicts(route: Route, watched: WatchedRoute): GraphOptions {
  const { accepted, resumed, duplicate, conflict, rejected, stale, unverified } = METRIC;
  const names: MetricName[] = [accepted, resumed, duplicate, conflict, rejected];
  if (!guaranteeOf(route).canBeLate) names.push(stale);
  if (route.guarantee === 'deduplicated' && route.onStoreDown === 'forward') names.push(unverified);
  const title = `${route.name}: deliveries by verdict`;
  return { title, label: 'deliveries', left: own(watched, names), stacked: true };
}

function bookingLag(watched: WatchedRoute): GraphOptions {
  const statistics = [Stats.p(50), Stats.p(90), Stats.p(99), Stats.MAXIMUM];
  return {
    title: `${watched.name}: from the rule to the booking`,
    label: 'milliseconds',
    left: statistics.map((statistic) =>
      ownMetric(watched, METRIC.bookingLag, PERIOD, statistic).with({ label: statistic }),
    ),
  };
}

function queueAges({ name, queueName, deadLettersName }: WatchedRoute): GraphOptions {
  const age = (QueueName: string, label: string) =>
    awsMetric(
      'AWS/SQS',
      'ApproximateAgeOfOldestMessage',
      { QueueName },
      PERIOD,
      Stats.MAXIMUM,
    ).with({ label });
  return {
    title: `${name}: age of the oldest message`,
    label: 'seconds',
    left: [age(queueName, 'queue, first tries only')],
    right: [age(deadLettersName, 'dead letters (right)')],
  };
}

function waiting(watched: WatchedRoute): GraphOptions {
  const count = (QueueName: string, metricName: string, label: string) =>
    awsMetric('AWS/SQS', metricName, { QueueName }, PERIOD, Stats.MAXIMUM).with({ label });
  const { queueName, deadLettersName } = watched;
  return {
    title: `${watched.name}: waiting, being tried, dead letters`,
    label: 'messages',
    left: [
      count(queueName, 'ApproximateNumberOfMessagesVisible', 'waiting'),
      count(queueName, 'ApproximateNumberOfMessagesNotVisible', 'taken out or between tries'),
      count(deadLettersName, 'ApproximateNumberOfMessagesVisible', 'dead letters'),
      ...own(watched, [METRIC.failed]),
    ],
  };
}

function effects(route: Route, watched: WatchedRoute): GraphOptions {
  const { receipts, receiptsLost, forwarded, unforwardable } = METRIC;
  const names = [
    // On every route: release and query are answered whether or not deliveries are.
    receipts,
    receiptsLost,
    ...(route.forward === null ? [] : [forwarded, unforwardable]),
  ];
  const title = `${route.name}: receipts and forwards`;
  return { title, label: 'publications', left: own(watched, names) };
}

function refusals(route: Route, watched: WatchedRoute): GraphOptions {
  const left = own(watched, [
    ...clockMetrics(route),
    ...(route.trustTopicLevel === null ? [METRIC.wrongDevice] : []),
    METRIC.refusedByStore,
  ]);
  return { title: `${route.name}: rejected, of that`, label: 'deliveries', left };
}

function functionFaults(FunctionName: string): GraphOptions {
  const names = ['Errors', 'Throttles', 'DeadLetterErrors', 'AsyncEventsDropped'];
  const left = names.map((name) => awsMetric('AWS/Lambda', name, { FunctionName }, PERIOD));
  return { title: 'Function: what goes wrong', label: 'times', left };
}

function functionLoad(FunctionName: string): GraphOptions {
  const duration = (statistic: string) =>
    awsMetric('AWS/Lambda', 'Duration', { FunctionName }, PERIOD, statistic).with({
      label: `duration ${statistic}`,
    });
  return {
    title: 'Function: duration and concurrency',
    label: 'milliseconds',
    left: [duration(Stats.p(50)), duration(Stats.p(99)), duration(Stats.MAXIMUM)],
    right: [
      awsMetric('AWS/Lambda', 'ConcurrentExecutions', { FunctionName }, PERIOD, Stats.MAXIMUM),
    ],
  };
}

function rule({ name, ruleName: RuleName }: WatchedRoute): GraphOptions {
  const names = ['Success', 'Failure', 'ErrorActionSuccess', 'ErrorActionFailure'];
  return {
    title: `${name}: the rule and its actions`,
    label: 'times',
    left: [
      awsMetric('AWS/IoT', 'TopicMatch', { RuleName }, PERIOD),
      awsMetric('AWS/IoT', 'RuleNotFound', { RuleName }, PERIOD),
      // AWS does not document the values of ActionType, so they are searched for.
      ...names.map((metric) =>
        found(metric, '{AWS/IoT,ActionType,RuleName}', 'RuleName', RuleName),
      ),
    ],
  };
}

/** Every series of a metric with this value of one dimension. */
function found(metricName: string, schema: string, dimension: string, value: string) {
  const query = `${schema} MetricName="${metricName}" ${dimension}="${value}"`;
  const seconds = PERIOD.toSeconds();
  return new SearchExpression({
    expression: `SEARCH('${query}', 'Sum', ${seconds})`,
    label: metricName,
    period: PERIOD,
  });
}

/** A table: what throttles or fails it, what it costs, how long a write takes. */
export function tableRow(name: string, TableName: string): readonly IWidget[] {
  const schema = '{AWS/DynamoDB,Operation,TableName}';
  const units = (metricName: string) =>
    awsMetric('AWS/DynamoDB', metricName, { TableName }, PERIOD);
  const latency = (Operation: string) =>
    awsMetric(
      'AWS/DynamoDB',
      'SuccessfulRequestLatency',
      { TableName, Operation },
      PERIOD,
      Stats.MAXIMUM,
    ).with({ label: Operation });
  return row(
    {
      title: `${name}: throttled and failed`,
      label: 'requests',
      left: ['ThrottledRequests', 'SystemErrors'].map((metric) =>
        found(metric, schema, 'TableName', TableName),
      ),
    },
    {
      title: `${name}: units consumed`,
      label: 'units',
      left: [units('ConsumedWriteCapacityUnits')],
      right: [units('ConsumedReadCapacityUnits')],
    },
    {
      title: `${name}: slowest request`,
      label: 'milliseconds',
      left: ['UpdateItem', 'GetItem'].map(latency),
    },
  );
}

/** What devices release and ask about, over all routes. */
export function handshakeRow(
  bridge: Bridge,
  watched: readonly WatchedRoute[],
  functionName: string,
): readonly IWidget[] {
  const { released, completed, queried, unreadable } = METRIC;
  const of = (route: Pick<WatchedRoute, 'bridge' | 'name'>, metric: MetricName) =>
    ownMetric(route, metric, PERIOD).with({ label: `${route.name} ${metric}` });
  const asked = watched.flatMap((route) =>
    // A value is known by its topic, so no id of a `latest` route is ever marked.
    [...(guaranteeOf(route).hasIds ? [released] : []), completed, queried, unreadable].map(
      (metric) => of(route, metric),
    ),
  );
  const left = [...asked, of({ bridge: bridge.name, name: NO_ROUTE }, unreadable)];
  return row(
    { title: 'Released, completed, queried', label: 'ids', left },
    functionFaults(functionName),
    functionLoad(functionName),
  );
}
