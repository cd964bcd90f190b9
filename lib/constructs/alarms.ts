/** Every alarm of a bridge, and the one topic that tells of all of them. */

import { Tags } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Bridge } from '../../core/config/route.ts';
import { pascalCase } from '../../core/config/route.ts';
import { ALARM_KINDS, type AlarmKind } from '../../core/operations/alarm-kinds.ts';
import { alarmDescription, alarmsOf, type BridgeAlarm } from '../../core/operations/alarms.ts';
import type { TableName } from '../../core/tables/schema.ts';
import {
  brokerSignal,
  handshakeSignal,
  routeSignal,
  type Signal,
  tableSignal,
  type WatchedRoute,
} from './alarm-metrics.ts';

/** All that alarms and the dashboard look at, by the names that AWS gave it. */
export interface Watched {
  readonly bridge: Bridge;
  readonly routes: ReadonlyMap<string, WatchedRoute>;
  readonly tableNames: Readonly<Record<TableName, string>>;
  readonly handshakeFunctionName: string;
}

export interface AlarmsProps {
  readonly watched: Watched;
  readonly topic: ITopic;
  /** Address or path of the runbook. */
  readonly runbook: string;
}

const MISSING: Readonly<Record<AlarmKind['missing'], TreatMissingData>> = {
  notBreaching: TreatMissingData.NOT_BREACHING,
  breaching: TreatMissingData.BREACHING,
};

export class Alarms extends Construct {
  /** By their names. */
  readonly alarms: ReadonlyMap<string, Alarm>;

  constructor(scope: Construct, id: string, { watched, topic, runbook }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(topic);
    this.alarms = new Map(
      alarmsOf(watched.bridge).map((each) => {
        const alarm = makeAlarm(this, each, signalOf(each, watched), runbook);
        alarm.addAlarmAction(action);
        // Whoever was called has to hear that it is over as well.
        alarm.addOkAction(action);
        return [each.name, alarm];
      }),
    );
  }
}

function makeAlarm(
  scope: Construct,
  { name, what, subject }: BridgeAlarm,
  { metric, periods, datapoints }: Signal,
  runbook: string,
): Alarm {
  const { threshold, severity, missing } = ALARM_KINDS[what];
  const id = [subject, ...what.split('-')].map(pascalCase).join('');
  const alarm = new Alarm(scope, id, {
    alarmName: name,
    alarmDescription: alarmDescription(what, runbook),
    metric,
    threshold,
    comparisonOperator:
      what === 'no-deliveries'
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: periods,
    datapointsToAlarm: datapoints,
    treatMissingData: MISSING[missing],
  });
  Tags.of(alarm).add('severity', severity);
  return alarm;
}

function signalOf({ what, subject }: BridgeAlarm, watched: Watched): Signal {
  switch (ALARM_KINDS[what].scope) {
    case 'route':
      return routeSignal(what, found(watched.routes.get(subject), subject));
    case 'table':
      return tableSignal(what, watched.tableNames[subject as TableName]);
    case 'handshake':
      return handshakeSignal(what, watched.bridge.name, watched.handshakeFunctionName);
    case 'broker':
      return brokerSignal(what);
  }
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the ingest stack has no route ${name}`);
  return value;
}
