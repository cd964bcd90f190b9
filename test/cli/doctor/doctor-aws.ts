/**
 * AWS as the doctor sees it, from a script: a bridge on which all is well, in which a test changes
 * single answers. Written after AWS's API references; whether AWS really answers so is an assumption.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { checkConfig } from '../../../core/config/check.ts';
import { ruleName } from '../../../core/config/route.ts';
import { RULE_SQL_VERSION, ruleSql } from '../../../core/message/envelope.ts';
import { alarmsOf } from '../../../core/operations/alarms.ts';
import { ownTopic } from '../../../core/wire/topics.ts';
import { closeServer, listenOn } from '../../../local/listen.ts';
import { REPAIR_CONFIG } from '../repair-fixture.ts';
import { awsError, xmlError } from '../scripted-aws.ts';

type Input = Readonly<Record<string, unknown>>;
export interface Answer {
  readonly status?: number;
  readonly body: string | object;
}
export type Script = Readonly<Record<string, (input: Input) => Answer>>;

export const BRIDGE = checkConfig(REPAIR_CONFIG);
const ENDPOINT = 'abc-ats.iot.eu-central-1.amazonaws.com';

export interface DoctorAws {
  readonly env: Readonly<Record<string, string>>;
  /** Operations that were asked: `GetTemplate`, `GET /rules/…`. */
  readonly asked: readonly string[];
  /** Replaces answers, by operation or its beginning. */
  answer(script: Script): void;
  /** Added to what the Date header says. */
  setClockAhead(millis: number): void;
  close(): Promise<void>;
}

export async function startDoctorAws(): Promise<DoctorAws> {
  const asked: string[] = [];
  let script: Script = {};
  let aheadMillis = 0;
  let url = '';
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const target = String(request.headers['x-amz-target'] ?? '');
    const form = Object.fromEntries(new URLSearchParams(body));
    const rest = `${request.method} ${(request.url ?? '').split('?')[0]}`;
    const operation = target === '' ? (form.Action ?? rest) : target.replace(/.*\./, '');
    asked.push(operation);
    const input: Input = target === '' ? { ...form, rest } : JSON.parse(body);
    const isNamed = (name: string) => operation === name || operation.startsWith(`${name}/`);
    const find = (from: Script) => Object.entries(from).find(([name]) => isNamed(name))?.[1];
    const reply = find(script) ?? find(healthy(url));
    const answer = reply?.(input) ?? awsError(400, 'UnknownOperationException', operation);
    const isXml = typeof answer.body === 'string';
    const type = isXml ? undefined : (answer.body as { __type?: string }).__type;
    response.writeHead(answer.status ?? 200, {
      date: new Date(Date.now() + aheadMillis).toUTCString(),
      'content-type': isXml ? 'text/xml' : 'application/x-amz-json-1.0',
      ...(type !== undefined && { 'x-amzn-errortype': type }),
    });
    response.end(isXml ? answer.body : JSON.stringify(answer.body));
  });
  url = `http://127.0.0.1:${await listenOn(server, 0, '127.0.0.1')}`;
  return {
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
    },
    asked,
    answer: (changes) => {
      script = changes;
    },
    setClockAhead: (millis) => {
      aheadMillis = millis;
    },
    close: () => closeServer(server),
  };
}

function xml(action: string, content: string): Answer {
  return {
    body: `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><${action}Result>${content}</${action}Result></${action}Response>`,
  };
}

function pascal(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function outputsOf(url: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const queues = BRIDGE.routes.flatMap(({ name }) => [
    [`${pascal(name)}QueueUrl`, `${url}/1/${name}`],
    [`${pascal(name)}DeadLettersUrl`, `${url}/1/${name}-dead`],
  ]);
  return {
    'Tollbridge-State': {
      LedgerTableName: 'ledger-1',
      DedupRecordsTableName: 'deliveries-1',
      StateTableName: 'state-1',
      QuarantineTableName: 'quarantine-1',
    },
    'Tollbridge-Ingest': {
      ...Object.fromEntries(queues),
      DevicePolicyNames: 'tollbridge_device,tollbridge_device_2',
      DataEndpointAddress: ENDPOINT,
    },
    'Tollbridge-Ops': {},
  };
}

/** The stacks' answer, with another status for one of them. */
export function stacks(
  url: string,
  name: string,
  changes: { status?: string; guard?: string } = {},
) {
  const outputs = outputsOf(url)[name];
  if (outputs === undefined) {
    return xmlError(400, 'ValidationError', `Stack with id ${name} does not exist`);
  }
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  const { status = 'UPDATE_COMPLETE', guard = 'true' } = changes;
  return xml(
    'DescribeStacks',
    `<Stacks><member><StackName>${name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><EnableTerminationProtection>${guard}</EnableTerminationProtection><StackStatus>${status}</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks>`,
  );
}

export function template(routes: readonly object[] = BRIDGE.routes): Answer {
  const Resources = Object.fromEntries(
    routes.map((route, n) => [
      `Function${n}`,
      {
        Type: 'AWS::Lambda::Function',
        Properties: { Environment: { Variables: { ROUTE: JSON.stringify(route) } } },
      },
    ]),
  );
  const body = JSON.stringify({ Resources }).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return xml('GetTemplate', `<TemplateBody>${body}</TemplateBody>`);
}

/** The rule of that name as deployed, with changes. */
export function rule(url: string, name: string, changes: object = {}): Answer {
  const route = BRIDGE.routes.find((each) => ruleName(BRIDGE, each) === name);
  const kind = name.endsWith('release') ? 'release' : 'query';
  const lambda = { lambda: { functionArn: 'arn' } };
  const sqs = { sqs: { queueUrl: `${url}/1/${route?.name}`, roleArn: 'arn', useBase64: false } };
  return {
    body: {
      ruleArn: 'arn',
      rule: {
        ruleName: name,
        sql: ruleSql(route?.topic ?? ownTopic('+', kind)),
        awsIotSqlVersion: RULE_SQL_VERSION,
        ruleDisabled: false,
        actions: [route === undefined ? lambda : sqs],
        ...(route !== undefined && { errorAction: lambda }),
        ...changes,
      },
    },
  };
}

export function alarms(changes: Readonly<Record<string, object | null>> = {}): Answer {
  const MetricAlarms = alarmsOf(BRIDGE).flatMap(({ name }) =>
    changes[name] === null
      ? []
      : [{ AlarmName: name, StateValue: 'OK', ActionsEnabled: true, ...changes[name] }],
  );
  return { body: { MetricAlarms } };
}

export function depth(visible: number, inFlight = 0): Answer {
  return {
    body: {
      Attributes: {
        ApproximateNumberOfMessages: String(visible),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
      },
    },
  };
}

/** TTL is on where rows may be forgotten. */
export function life(table: unknown, isOn = /deliveries|quarantine/.test(String(table))): Answer {
  const on = { TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' };
  return { body: { TimeToLiveDescription: isOn ? on : { TimeToLiveStatus: 'DISABLED' } } };
}

function healthy(url: string): Script {
  return {
    DescribeStacks: ({ StackName }) => stacks(url, String(StackName)),
    GetTemplate: () => template(),
    'GET /rules': ({ rest }) => rule(url, String(rest).split('/').at(-1) ?? ''),
    'GET /policies': () => ({
      body: {
        policyDocument: BRIDGE.routes
          .map((route) => `topic/$aws/rules/${ruleName(BRIDGE, route)}/x`)
          .join(),
      },
    }),
    'GET /endpoint': () => ({ body: { endpointAddress: ENDPOINT } }),
    GetQueueAttributes: () => depth(0),
    GetMetricStatistics: () => ({ body: { Datapoints: [] } }),
    DescribeAlarms: () => alarms(),
    DescribeTable: () => ({
      body: { Table: { TableStatus: 'ACTIVE', DeletionProtectionEnabled: true } },
    }),
    DescribeContinuousBackups: () => ({
      body: {
        ContinuousBackupsDescription: {
          ContinuousBackupsStatus: 'ENABLED',
          PointInTimeRecoveryDescription: {
            PointInTimeRecoveryStatus: 'ENABLED',
            RecoveryPeriodInDays: 35,
          },
        },
      },
    }),
    DescribeTimeToLive: ({ TableName }) => life(TableName),
  };
}
