/**
 * An HTTP server that answers like AWS, from a script: for what no local cloud can show, such as
 * refusals, expired credentials and Logs Insights. What it answers is written after AWS's API
 * references; whether AWS really does is an assumption.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { closeServer, listenOn } from '../../local/listen.ts';

interface Asked {
  /** `DescribeStacks`, `Query`, `StartQuery`, … */
  readonly operation: string;
  /** The parameters: a form's fields, or what the JSON holds. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status?: number;
  /** XML as it is, anything else as JSON. */
  readonly body: string | object;
}

export interface ScriptedAws {
  readonly env: Readonly<Record<string, string>>;
  readonly asked: readonly Asked[];
  /** Replaces answers, by operation. */
  answer(script: Readonly<Record<string, (asked: Asked) => Answer>>): void;
  close(): Promise<void>;
}

const OUTPUTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Tollbridge-State': {
    LedgerTableName: 'ledger-1',
    DedupRecordsTableName: 'deliveries-1',
    StateTableName: 'state-1',
    QuarantineTableName: 'quarantine-1',
  },
  'Tollbridge-Ingest': { ChargesQueueUrl: 'https://sqs/charges' },
};

export async function startScriptedAws(): Promise<ScriptedAws> {
  const asked: Asked[] = [];
  let script: Readonly<Record<string, (asked: Asked) => Answer>> = {};
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const target = String(request.headers['x-amz-target'] ?? '');
    const form = Object.fromEntries(new URLSearchParams(body));
    const call: Asked =
      target === ''
        ? { operation: form.Action ?? '', input: form }
        : { operation: target.replace(/.*\./, ''), input: JSON.parse(body) };
    asked.push(call);
    const answer = script[call.operation] ?? DEFAULTS[call.operation];
    const { status = 200, body: said } =
      answer?.(call) ?? awsError(400, 'UnknownOperationException', call.operation);
    const isXml = typeof said === 'string';
    response.writeHead(status, {
      'content-type': isXml ? 'text/xml' : 'application/x-amz-json-1.1',
    });
    response.end(isXml ? said : JSON.stringify(said));
  });
  const port = await listenOn(server, 0, '127.0.0.1');
  return {
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
    },
    asked,
    answer: (changes) => {
      script = changes;
    },
    close: () => closeServer(server),
  };
}

export function awsError(status: number, type: string, message: string): Answer {
  return { status, body: { __type: type, message } };
}

export function xmlError(status: number, code: string, message: string): Answer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return {
    status,
    body: `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">${error}<RequestId>1</RequestId></ErrorResponse>`,
  };
}

function result(action: string, content: string): Answer {
  return {
    body: `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><${action}Result>${content}</${action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></${action}Response>`,
  };
}

function stackXml(name: string, outputs: Readonly<Record<string, string>>): string {
  const members = Object.entries(outputs).map(
    ([key, value]) =>
      `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return `<member><StackName>${name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>${members.join('')}</Outputs></member>`;
}

const DEFAULTS: Readonly<Record<string, (asked: Asked) => Answer>> = {
  DescribeStacks: ({ input }) => {
    const name = input.StackName;
    const names = name === undefined ? Object.keys(OUTPUTS) : [String(name)];
    if (names.some((each) => OUTPUTS[each] === undefined)) {
      return xmlError(400, 'ValidationError', `Stack with id ${String(name)} does not exist`);
    }
    const stacks = names.map((each) => stackXml(each, OUTPUTS[each] ?? {}));
    return result('DescribeStacks', `<Stacks>${stacks.join('')}</Stacks>`);
  },
  // On two pages, as AWS does after a hundred.
  ListStackResources: ({ input }) => {
    const isSecond = input.NextToken !== undefined;
    const [id, type, name] = isSecond
      ? ['RoutesChargesIngestLog737C1FF3', 'AWS::Logs::LogGroup', 'group-of-charges']
      : ['RoutesChargesQueue23541A79', 'AWS::SQS::Queue', 'https://sqs/charges'];
    const summary = `<member><LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>${name}</PhysicalResourceId><ResourceType>${type}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus><LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>`;
    const next = isSecond ? '' : '<NextToken>2</NextToken>';
    return result(
      'ListStackResources',
      `<StackResourceSummaries>${summary}</StackResourceSummaries>${next}`,
    );
  },
};
