/** The dashboard of a bridge: alarms first, then each route, the tables, and what it costs. */
import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  type IAlarm,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { tablesOf } from '../../core/operations/alarms.ts';
import { METRIC } from '../../core/operations/metrics.ts';
import { awsMetric, ownMetric } from './alarm-metrics.ts';
import type { Watched } from './alarms.ts';
import {
  type GraphOptions,
  handshakeRow,
  heading,
  routeRows,
  row,
  tableRow,
  text,
} from './dashboard-widgets.ts';

export interface BridgeDashboardProps {
  readonly name: string;
  readonly watched: Watched;
  readonly alarms: readonly IAlarm[];
  readonly topicName: string;
  /** Address or path of the runbook. */
  readonly runbook: string;
}

const COST_PERIOD = Duration.hours(1);
const ALARMS_PER_LINE = 4;
/** CloudWatch, dashboard body: alarms of one widget. */
const ALARMS_PER_WIDGET = 100;

export class BridgeDashboard extends Construct {
  constructor(scope: Construct, id: string, props: BridgeDashboardProps) {
    super(scope, id);
    const { name, watched, runbook } = props;
    const { bridge } = watched;
    const dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: name,
      defaultInterval: Duration.hours(12),
    });
    const rows: readonly (readonly IWidget[])[] = [
      text(introduction(bridge.name, runbook), 3),
      ...alarmStatus(props.alarms),
      ...bridge.routes.flatMap((route) => {
        const parts = watched.routes.get(route.name);
        const title = `Route ${route.name} (${route.guarantee})`;
        const head = heading(title, bridge, [route.name], runbook);
        return parts === undefined ? [] : [head, ...routeRows(route, parts)];
      }),
      heading('Release and query', bridge, ['handshake', 'broker'], runbook),
      handshakeRow(bridge, [...watched.routes.values()], watched.handshakeFunctionName),
      heading('Tables', bridge, tablesOf(bridge), runbook),
      ...tablesOf(bridge).map((table) => tableRow(table, watched.tableNames[table])),
      text('## What it costs\nThe figures that AWS bills by, hour by hour.'),
      ...costRows(watched, props.topicName),
    ];
    for (const widgets of rows) dashboard.addWidgets(...widgets);
  }
}

function introduction(bridge: string, runbook: string): string {
  return (
    `# ${bridge}\n` +
    'A delivery is one arrival of a message at the rule; its verdict says what became of it. ' +
    `What is not drawn did not happen: zeros are not emitted. Runbook: [${runbook}](${runbook}).`
  );
}

/** A widget has room for a hundred alarms. */
function alarmStatus(alarms: readonly IAlarm[]): readonly (readonly IWidget[])[] {
  const widgets = Math.ceil(alarms.length / ALARMS_PER_WIDGET);
  return Array.from({ length: widgets }, (_, index) => {
    const some = alarms.slice(index * ALARMS_PER_WIDGET, (index + 1) * ALARMS_PER_WIDGET);
    const height = 2 + Math.ceil(some.length / ALARMS_PER_LINE);
    return [new AlarmStatusWidget({ title: 'Alarms', alarms: some, width: 24, height })];
  });
}

function costRows(watched: Watched, topicName: string): readonly (readonly IWidget[])[] {
  const tables = tablesOf(watched.bridge);
  const routes = [...watched.routes.values()];
  const writes: GraphOptions = {
    title: 'Write units of DynamoDB (tables; the index comes on top)',
    label: 'units an hour',
    left: tables.map((table) =>
      awsMetric(
        'AWS/DynamoDB',
        'ConsumedWriteCapacityUnits',
        { TableName: watched.tableNames[table] },
        COST_PERIOD,
      ).with({ label: table }),
    ),
    stacked: true,
  };
  const publications: GraphOptions = {
    title: 'Publications: receipts and forwards',
    label: 'publications an hour',
    left: routes.flatMap((route) =>
      [METRIC.receipts, METRIC.forwarded].map((metric) =>
        ownMetric(route, metric, COST_PERIOD).with({ label: `${route.name} ${metric}` }),
      ),
    ),
    stacked: true,
  };
  const functions = [
    ...routes.map(({ name, functionName }) => [name, functionName] as const),
    ['release and query', watched.handshakeFunctionName] as const,
  ];
  const invocations: GraphOptions = {
    title: 'Invocations',
    label: 'invocations an hour',
    left: functions.map(([label, FunctionName]) =>
      awsMetric('AWS/Lambda', 'Invocations', { FunctionName }, COST_PERIOD).with({ label }),
    ),
    stacked: true,
  };
  return [row(writes, publications, invocations), row(...messages(watched, topicName))];
}

function messages(watched: Watched, TopicName: string): readonly GraphOptions[] {
  const routes = [...watched.routes.values()];
  const ofQueues = (metricName: string) =>
    routes.map(({ name, queueName: QueueName }) =>
      awsMetric('AWS/SQS', metricName, { QueueName }, COST_PERIOD).with({
        label: `${name} ${metricName}`,
      }),
    );
  return [
    {
      title: 'Messages at the rules',
      label: 'messages an hour',
      left: routes.map(({ name, ruleName: RuleName }) =>
        awsMetric('AWS/IoT', 'TopicMatch', { RuleName }, COST_PERIOD).with({ label: name }),
      ),
      stacked: true,
    },
    {
      title: 'Requests to SQS',
      label: 'requests an hour',
      left: ['NumberOfMessagesSent', 'NumberOfMessagesReceived', 'NumberOfEmptyReceives'].flatMap(
        ofQueues,
      ),
    },
    {
      title: 'Notifications of alarms',
      label: 'notifications an hour',
      left: ['NumberOfNotificationsDelivered', 'NumberOfNotificationsFailed'].map((metric) =>
        awsMetric('AWS/SNS', metric, { TopicName }, COST_PERIOD),
      ),
    },
  ];
}
