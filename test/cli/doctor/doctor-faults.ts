/** Everything that can be wrong with a bridge on AWS, one at a time, and what the doctor is to say. */
import type { Route } from '../../../core/config/route.ts';
import { awsError, xmlError } from '../scripted-aws.ts';
import { alarms, BRIDGE, depth, life, rule, type Script, stacks, template } from './doctor-aws.ts';

export interface Ail {
  readonly name: string;
  readonly script: Script;
  /** `state check subject: finding`. */
  readonly found: RegExp;
  readonly fix: RegExp;
}

const charges = BRIDGE.routes[0] as Route;

/** @param url of the script of AWS */
export function ailsAt(url: string): readonly Ail[] {
  return ROWS.map(([name, script, found, fix]) => ({
    name,
    script: typeof script === 'function' ? script(url) : script,
    found,
    fix,
  }));
}

type Row = readonly [string, Script | ((url: string) => Script), RegExp, RegExp];

const ROWS: readonly Row[] = [
  [
    'a rule that is disabled',
    (url) => ({
      'GET /rules/tollbridge_charges': () =>
        rule(url, 'tollbridge_charges', { ruleDisabled: true }),
    }),
    /^wrong rule tollbridge_charges: it is disabled/,
    /enable-topic-rule --rule-name tollbridge_charges/,
  ],
  [
    'a rule with other SQL',
    (url) => ({
      'GET /rules/tollbridge_charges': () =>
        rule(url, 'tollbridge_charges', { sql: "SELECT * FROM 'x'" }),
    }),
    /^wrong rule tollbridge_charges: its SQL/,
    /cdk deploy/,
  ],
  [
    'a rule of another SQL version',
    (url) => ({
      'GET /rules/tollbridge_events': () =>
        rule(url, 'tollbridge_events', { awsIotSqlVersion: '2015-10-08' }),
    }),
    /^wrong rule tollbridge_events: its SQL/,
    /cdk deploy/,
  ],
  [
    'a rule without an error action',
    (url) => ({
      'GET /rules/tollbridge_charges': () =>
        rule(url, 'tollbridge_charges', { errorAction: undefined }),
    }),
    /^wrong rule tollbridge_charges: it has no error action/,
    /cdk deploy/,
  ],
  [
    'a rule that sends elsewhere',
    (url) => ({
      'GET /rules/tollbridge_charges': () =>
        rule(url, 'tollbridge_charges', {
          actions: [{ sqs: { queueUrl: 'other', roleArn: 'arn' } }],
        }),
    }),
    /^wrong rule tollbridge_charges: one of its paths is not the route's queue/,
    /cdk deploy/,
  ],
  [
    'a rule that is not there',
    {
      'GET /rules/tollbridge_handshake_query': () =>
        awsError(401, 'UnauthorizedException', "Access to topic rule 'x' was denied"),
    },
    /^wrong rule tollbridge_handshake_query: it is not there, or .*iot:GetTopicRule/,
    /cdk deploy/,
  ],
  [
    'a policy that is gone',
    {
      'GET /policies/tollbridge_device_2': () => awsError(404, 'ResourceNotFoundException', 'gone'),
    },
    /^wrong device policies .*: not there: tollbridge_device_2/,
    /cdk deploy/,
  ],
  [
    'policies without a route',
    {
      'GET /policies': () => ({
        body: { policyDocument: 'rules/tollbridge_charges/ rules/tollbridge_status/' },
      }),
    },
    /^wrong device policies .*: they let no device send on: events/,
    /cdk deploy/,
  ],
  [
    'another data endpoint',
    { 'GET /endpoint': () => ({ body: { endpointAddress: 'other-ats' } }) },
    /^wrong data endpoint .*other-ats/,
    /receipts and forwards fail/,
  ],
  [
    'dead letters',
    {
      GetQueueAttributes: ({ QueueUrl }) =>
        depth(
          /events-dead/.test(String(QueueUrl)) ? 2 : 0,
          /events-dead/.test(String(QueueUrl)) ? 1 : 0,
        ),
    },
    /^wrong dead letters events: 3 failed for good/,
    /dead-letters list --route events.*redrive events/,
  ],
  [
    'an old queue',
    {
      GetMetricStatistics: ({ Dimensions }) => ({
        body: {
          Datapoints: /"charges"/.test(JSON.stringify(Dimensions))
            ? [
                { Timestamp: 1_795_000_000, Maximum: 1 },
                { Timestamp: 1_795_000_060, Maximum: 901 },
              ]
            : [],
        },
      }),
    },
    /^wrong queue age charges: the oldest has waited for 901 s/,
    /runbook\.md#queue-old/,
  ],
  [
    'an alarm that fires',
    {
      DescribeAlarms: () => alarms({ 'tollbridge-charges-dead-letters': { StateValue: 'ALARM' } }),
    },
    /^wrong alarm tollbridge-charges-dead-letters: \[page\] Deliveries failed for good/,
    /runbook\.md#dead-letters/,
  ],
  [
    'alarms that are missing',
    { DescribeAlarms: () => alarms({ 'tollbridge-charges-retries': null }) },
    /^wrong alarms tollbridge-\*: 1 of \d+ are not there: tollbridge-charges-retries/,
    /cdk deploy/,
  ],
  [
    'an alarm that tells nobody',
    { DescribeAlarms: () => alarms({ 'tollbridge-charges-retries': { ActionsEnabled: false } }) },
    /^watch alarm tollbridge-charges-retries: .*tells nobody/,
    /enable-alarm-actions/,
  ],
  [
    'a route that is deployed otherwise',
    {
      GetTemplate: () => template([{ ...charges, topic: 'other/+' }, ...BRIDGE.routes.slice(1)]),
    },
    /^wrong configuration charges: deployed otherwise than configured: topic/,
    /cdk deploy/,
  ],
  [
    'a route that is deployed with more than is configured',
    { GetTemplate: () => template([{ ...charges, added: 1 }, ...BRIDGE.routes.slice(1)]) },
    /^wrong configuration charges: deployed otherwise than configured: added/,
    /cdk deploy/,
  ],
  [
    'a route that is not deployed',
    { GetTemplate: () => template(BRIDGE.routes.slice(1)) },
    /^wrong configuration charges: the route is not deployed/,
    /cdk deploy/,
  ],
  [
    'a route that is not configured',
    { GetTemplate: () => template([...BRIDGE.routes, { ...charges, name: 'old' }]) },
    /^wrong configuration old: the route is deployed, and not in/,
    /version of this project/,
  ],
  [
    'a stack without protection',
    (url) => ({
      DescribeStacks: ({ StackName }: Readonly<Record<string, unknown>>) =>
        stacks(url, String(StackName), { guard: 'false' }),
    }),
    /^wrong stack Tollbridge-State: it could be deleted/,
    /enable-termination-protection --stack-name Tollbridge-State/,
  ],
  [
    'a deployment that was rolled back',
    (url) => ({
      DescribeStacks: ({ StackName }: Readonly<Record<string, unknown>>) =>
        stacks(
          url,
          String(StackName),
          /Ingest/.test(String(StackName)) ? { status: 'UPDATE_ROLLBACK_COMPLETE' } : {},
        ),
    }),
    /^watch stack Tollbridge-Ingest: .*rolled back/,
    /look at its events/,
  ],
  [
    'a deployment that failed',
    (url) => ({
      DescribeStacks: ({ StackName }: Readonly<Record<string, unknown>>) =>
        stacks(
          url,
          String(StackName),
          /Ingest/.test(String(StackName)) ? { status: 'UPDATE_ROLLBACK_FAILED' } : {},
        ),
    }),
    /^wrong stack Tollbridge-Ingest: its status is UPDATE_ROLLBACK_FAILED/,
    /describe-stack-events/,
  ],
  [
    'no alarms at all',
    (url) => ({
      DescribeStacks: ({ StackName }: Readonly<Record<string, unknown>>) =>
        /Ops/.test(String(StackName))
          ? xmlError(400, 'ValidationError', 'Stack with id x does not exist')
          : stacks(url, String(StackName)),
    }),
    /^wrong stack Tollbridge-Ops: it is not deployed, so nobody is told/,
    /cdk deploy/,
  ],
  [
    'a ledger that forgets',
    { DescribeTimeToLive: ({ TableName }) => life(TableName, TableName !== 'state-1') },
    /^wrong TTL ledger-1: it forgets rows, and a copy of one would be billed again/,
    /Enabled=false,AttributeName=expiresAt/,
  ],
  [
    'deliveries that are kept for ever',
    { DescribeTimeToLive: () => life('x', false) },
    /^watch TTL deliveries-1: rows that have ended are kept/,
    /cdk deploy Tollbridge-State/,
  ],
  [
    'a table without recovery',
    {
      DescribeContinuousBackups: () => ({
        body: {
          ContinuousBackupsDescription: {
            PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
          },
        },
      }),
    },
    /^wrong recovery ledger-1: .* is off/,
    /never be restored/,
  ],
  [
    'a table that could be deleted',
    { DescribeTable: () => ({ body: { Table: { TableStatus: 'ACTIVE' } } }) },
    /^wrong table ledger-1: it could be deleted/,
    /deletion-protection-enabled --table-name ledger-1/,
  ],
  [
    'a table that is down',
    { DescribeTable: () => ({ body: { Table: { TableStatus: 'ARCHIVED' } } }) },
    /^wrong table ledger-1: its status is ARCHIVED/,
    /runbook/,
  ],
  [
    'an index that is being made',
    {
      DescribeTable: () => ({
        body: {
          Table: {
            TableStatus: 'ACTIVE',
            DeletionProtectionEnabled: true,
            GlobalSecondaryIndexes: [{ IndexName: 'by-day', IndexStatus: 'CREATING' }],
          },
        },
      }),
    },
    /^watch table ledger-1: by-day: CREATING/,
    /wait/,
  ],
];
