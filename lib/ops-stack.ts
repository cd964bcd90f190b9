/**
 * What watches the bridge: alarms, the topic that tells of them, a dashboard. It holds nothing that
 * cannot be made again, and nothing depends on it: it can be deleted and deployed at any time.
 */
import {
  CfnOutput,
  CrossStackReferences,
  ReferenceStrength,
  Stack,
  type StackProps,
} from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Bridge, Route } from '../core/config/route.ts';
import { RUNBOOK } from '../core/operations/alarms.ts';
import type { WatchedRoute } from './constructs/alarm-metrics.ts';
import { AlarmTopic } from './constructs/alarm-topic.ts';
import { Alarms, type Watched } from './constructs/alarms.ts';
import { BridgeDashboard } from './constructs/dashboard.ts';
import type { RouteIngest } from './constructs/route-ingest.ts';
import type { IngestStack } from './ingest-stack.ts';
import type { StateStack } from './state-stack.ts';

export interface OpsStackProps extends StackProps {
  readonly bridge: Bridge;
  readonly state: StateStack;
  readonly ingest: IngestStack;
}

export class OpsStack extends Stack {
  constructor(scope: Construct, id: string, props: OpsStackProps) {
    super(scope, id, props);
    const { bridge } = props;
    const runbook = bridge.alarms?.runbook ?? RUNBOOK;
    const watched = watchedOf(props);
    const { topic } = new AlarmTopic(this, 'AlarmTopic', {
      bridge: bridge.name,
      email: bridge.alarms?.email ?? null,
    });
    const { alarms } = new Alarms(this, 'Alarms', { watched, topic, runbook });
    new BridgeDashboard(this, 'Dashboard', {
      name: this.stackName,
      watched,
      alarms: [...alarms.values()],
      topicName: topic.topicName,
      runbook,
    });
    new CfnOutput(this, 'AlarmTopicArn', {
      value: topic.topicArn,
      description: 'Subscribe to it whoever has to hear of alarms',
    });
    new CfnOutput(this, 'DashboardName', {
      value: this.stackName,
      description: 'The dashboard in CloudWatch',
    });
  }
}

function watchedOf({ bridge, state, ingest }: OpsStackProps): Watched {
  return {
    bridge,
    routes: new Map(
      bridge.routes.flatMap((route) => {
        const parts = ingest.routes.get(route.name);
        return parts === undefined ? [] : [[route.name, watchedRoute(bridge, route, parts)]];
      }),
    ),
    tableNames: {
      ledger: state.ledger.tableName,
      dedupRecords: state.dedupRecords.tableName,
      state: state.state.tableName,
      quarantine: state.quarantine.tableName,
    },
    handshakeFunctionName: weakly(ingest.handshake.handler).functionName,
  };
}

function watchedRoute(
  bridge: Bridge,
  { name, guarantee }: Route,
  parts: RouteIngest,
): WatchedRoute {
  return {
    bridge: bridge.name,
    name,
    guarantee,
    ruleName: parts.ruleName,
    functionName: weakly(parts.handler).functionName,
    queueName: weakly(parts.queue).queueName,
    deadLettersName: weakly(parts.deadLetters).queueName,
    silenceSeconds: bridge.alarms?.silenceSeconds[name],
  };
}

/**
 * Read from the ingest stack's outputs, and not imported: AWS deletes no export while it is
 * imported, so a route that is taken out could never leave the ingest stack, which is deployed
 * before this one.
 */
function weakly<T extends Construct>(part: T): T {
  CrossStackReferences.of(part).produce(ReferenceStrength.WEAK);
  return part;
}
