/** What waits, what failed, and what alarms say of it. */
import {
  CloudWatchClient,
  GetMetricStatisticsCommand,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { EpochMillis } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import { pascalCase } from '../../core/config/route.ts';
import { ALARM_KINDS } from '../../core/operations/alarm-kinds.ts';
import { alarmsOf, RUNBOOK, runbookSection } from '../../core/operations/alarms.ts';
import type { BridgeClient } from '../access/access.ts';
import { depthOf, sqsOf } from '../dead-letters/queues.ts';
import { asked, bad, type Finding, fine, none } from './findings.ts';

export async function queueFindings(
  access: BridgeClient,
  now: EpochMillis,
): Promise<readonly Finding[]> {
  const sqs = sqsOf(access);
  const cloudWatch =
    access.kind === 'local'
      ? undefined
      : access.client((settings) => new CloudWatchClient(settings));
  const found = await Promise.all(
    access.bridge.routes.flatMap((route) => [
      waitingFindings(access, route, sqs, cloudWatch, now),
      deadFindings(access, route, sqs),
    ]),
  );
  return found.flat();
}

const NO_QUEUE = 'the stack has no such queue: the route is not deployed';

async function waitingFindings(
  access: BridgeClient,
  route: Route,
  sqs: SQSClient,
  cloudWatch: CloudWatchClient | undefined,
  now: EpochMillis,
): Promise<readonly Finding[]> {
  const about = { check: 'queue', subject: route.name };
  const url = access.outputs[`${pascalCase(route.name)}QueueUrl`];
  if (url === undefined) return [bad(about, NO_QUEUE, 'npx cdk deploy --all')];
  const depth = await asked(about, 'sqs:GetQueueAttributes', async () => {
    const { visible, inFlight } = await depthOf(sqs, url);
    return [fine(about, `${visible} waiting, ${inFlight} being handled`)];
  });
  const age = { check: 'queue age', subject: route.name };
  if (cloudWatch === undefined)
    return [...depth, none(age, 'CloudWatch measures it, not the queue')];
  const ages = await asked(age, 'cloudwatch:GetMetricStatistics', async () => {
    const seconds = await oldestSeconds(cloudWatch, url, now);
    const { threshold } = ALARM_KINDS['queue-old'];
    if (seconds === undefined) return [fine(age, 'nothing has waited in the last minutes')];
    if (seconds < threshold) return [fine(age, `the oldest has waited for ${seconds} s`)];
    const fix = `look at the function's log and the table; see ${sectionOf(access, 'queue-old')}`;
    return [bad(age, `the oldest has waited for ${seconds} s`, fix)];
  });
  return [...depth, ...ages];
}

const AGE_PERIOD_SECONDS = 60;
const AGE_MINUTES = 10;

/** Of the newest period that has a value. A queue that is not used has none. */
async function oldestSeconds(
  cloudWatch: CloudWatchClient,
  queueUrl: string,
  now: EpochMillis,
): Promise<number | undefined> {
  const { Datapoints = [] } = await cloudWatch.send(
    new GetMetricStatisticsCommand({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateAgeOfOldestMessage',
      Dimensions: [{ Name: 'QueueName', Value: queueUrl.slice(queueUrl.lastIndexOf('/') + 1) }],
      StartTime: new Date(now - AGE_MINUTES * 60_000),
      EndTime: new Date(now),
      Period: AGE_PERIOD_SECONDS,
      Statistics: ['Maximum'],
    }),
  );
  const newest = Datapoints.toSorted(
    (one, other) => (other.Timestamp?.getTime() ?? 0) - (one.Timestamp?.getTime() ?? 0),
  )[0];
  return newest?.Maximum;
}

function deadFindings(
  access: BridgeClient,
  route: Route,
  sqs: SQSClient,
): Promise<readonly Finding[]> {
  const about = { check: 'dead letters', subject: route.name };
  return asked(about, 'sqs:GetQueueAttributes', async () => {
    const url = access.outputs[`${pascalCase(route.name)}DeadLettersUrl`];
    if (url === undefined) return [bad(about, NO_QUEUE, 'npx cdk deploy --all')];
    const { visible, inFlight } = await depthOf(sqs, url);
    const count = visible + inFlight;
    if (count === 0) return [fine(about, 'none')];
    const fix = `tollbridge dead-letters list --route ${route.name}; mend what made them fail, then: tollbridge dead-letters redrive ${route.name}`;
    return [bad(about, `${count} failed for good and are not booked`, fix)];
  });
}

/** Which alarms there are, and what they say. */
export async function alarmFindings(access: BridgeClient): Promise<readonly Finding[]> {
  const { bridge } = access;
  const about = { check: 'alarms', subject: `${bridge.name}-*` };
  if (access.kind === 'local') return [none(about, 'there are no metrics of AWS, so no alarms')];
  const cloudWatch = access.client((settings) => new CloudWatchClient(settings));
  return asked(about, 'cloudwatch:DescribeAlarms', async () => {
    const states = new Map<string, string>();
    const silenced: string[] = [];
    const pages = paginateDescribeAlarms(
      { client: cloudWatch },
      { AlarmNamePrefix: `${bridge.name}-`, AlarmTypes: ['MetricAlarm'] },
    );
    for await (const { MetricAlarms = [] } of pages) {
      for (const { AlarmName = '', StateValue = '', ActionsEnabled } of MetricAlarms) {
        states.set(AlarmName, StateValue);
        if (ActionsEnabled === false) silenced.push(AlarmName);
      }
    }
    return [...wantedAlarms(access, states), ...silencedAlarms(silenced)];
  });
}

function wantedAlarms(
  access: BridgeClient,
  states: ReadonlyMap<string, string>,
): readonly Finding[] {
  const wanted = alarmsOf(access.bridge);
  const missing = wanted.filter(({ name }) => !states.has(name)).map(({ name }) => name);
  const firing = wanted.filter(({ name }) => states.get(name) === 'ALARM');
  const about = { check: 'alarms', subject: `${access.bridge.name}-*` };
  return [
    ...firing.map(({ name, what }) =>
      bad(
        { check: 'alarm', subject: name },
        `[${ALARM_KINDS[what].severity}] ${ALARM_KINDS[what].meaning}`,
        `see ${sectionOf(access, what)}`,
      ),
    ),
    ...(missing.length > 0
      ? [
          bad(
            about,
            `${missing.length} of ${wanted.length} are not there: ${missing.slice(0, NAMED_MAX).join(', ')}${missing.length > NAMED_MAX ? ', …' : ''}`,
            'npx cdk deploy --all',
          ),
        ]
      : []),
    ...(firing.length + missing.length === 0
      ? [fine(about, `${wanted.length}, none in ALARM`)]
      : []),
  ];
}

const NAMED_MAX = 5;

function silencedAlarms(names: readonly string[]): readonly Finding[] {
  return names.map((name) =>
    bad(
      { check: 'alarm', subject: name },
      'its actions are switched off: it tells nobody',
      `aws cloudwatch enable-alarm-actions --alarm-names ${name}`,
      'watch',
    ),
  );
}

function sectionOf({ bridge }: BridgeClient, what: keyof typeof ALARM_KINDS): string {
  return runbookSection(what, bridge.alarms?.runbook ?? RUNBOOK);
}
