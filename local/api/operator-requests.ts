/**
 * What operators ask of AWS beside the tables, as far as this machine can answer: the stacks of the
 * assembly (CloudFormation, XML) and what the functions logged (CloudWatch Logs). Only the
 * operations below, and of a filter pattern only terms in quotation marks.
 */
import { randomUUID } from 'node:crypto';
import type { LogLine } from '../lambda/journal.ts';
import { type ApiAnswer, sentence } from './answers.ts';

/** What operators may read. */
export interface OperatorView {
  /** Undefined while the cloud is starting. */
  stacks(): StackView | undefined;
  /** Lines of a log group, oldest first; none where there is no such group. */
  logs(logGroupName: string): readonly LogLine[];
}

export interface StackView {
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly resources: readonly {
    readonly stack: string;
    readonly logicalId: string;
    readonly type: string;
    readonly physicalId: string;
  }[];
  readonly region: string;
  readonly accountId: string;
}

const XMLNS = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
export const logsTargetPrefix = 'Logs_20140328.';

/** Answers a request of CloudFormation's query protocol: a form with an `Action`. */
export function handleStacks(view: StackView | undefined, body: Buffer): ApiAnswer {
  if (view === undefined) return sentence(503, 'The local cloud is still starting.');
  const form = new URLSearchParams(body.toString());
  const name = form.get('StackName') ?? undefined;
  const names = Object.keys(view.outputs);
  if (name !== undefined && !names.includes(name)) {
    return xmlError('ValidationError', `Stack with id ${name} does not exist`);
  }
  switch (form.get('Action')) {
    case 'DescribeStacks':
      return describeStacks(view, name === undefined ? names : [name]);
    case 'ListStackResources':
      return listResources(view, name ?? '');
    default:
      return xmlError(
        'InvalidAction',
        'The local cloud knows DescribeStacks and ListStackResources of CloudFormation.',
      );
  }
}

function describeStacks(view: StackView, names: readonly string[]): ApiAnswer {
  const members = names.map((name) => {
    const outputs = Object.entries(view.outputs[name] ?? {}).map(
      ([key, value]) =>
        `<member><OutputKey>${xml(key)}</OutputKey><OutputValue>${xml(value)}</OutputValue></member>`,
    );
    const id = `arn:aws:cloudformation:${view.region}:${view.accountId}:stack/${name}/local`;
    return (
      `<member><StackId>${xml(id)}</StackId><StackName>${xml(name)}</StackName>` +
      '<CreationTime>1970-01-01T00:00:00.000Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>' +
      `<Outputs>${outputs.join('')}</Outputs></member>`
    );
  });
  return xmlAnswer('DescribeStacks', `<Stacks>${members.join('')}</Stacks>`);
}

function listResources(view: StackView, name: string): ApiAnswer {
  const members = view.resources
    .filter(({ stack }) => stack === name)
    .map(
      ({ logicalId, type, physicalId }) =>
        `<member><LogicalResourceId>${xml(logicalId)}</LogicalResourceId>` +
        `<PhysicalResourceId>${xml(physicalId)}</PhysicalResourceId>` +
        `<ResourceType>${xml(type)}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>` +
        '<LastUpdatedTimestamp>1970-01-01T00:00:00.000Z</LastUpdatedTimestamp></member>',
    );
  return xmlAnswer(
    'ListStackResources',
    `<StackResourceSummaries>${members.join('')}</StackResourceSummaries>`,
  );
}

interface FilterLogEvents {
  readonly logGroupName?: unknown;
  readonly startTime?: unknown;
  readonly endTime?: unknown;
  readonly filterPattern?: unknown;
}

function parsed(body: Buffer): FilterLogEvents | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Answers a request of CloudWatch Logs (AWS JSON 1.1). */
export function handleLogs(view: OperatorView, operation: string, body: Buffer): ApiAnswer {
  if (operation !== 'FilterLogEvents') {
    return logsError(
      'UnknownOperationException',
      `The local cloud knows FilterLogEvents of CloudWatch Logs, not ${operation}.`,
    );
  }
  const input = parsed(body);
  if (input === undefined) {
    return logsError('SerializationException', 'The body of the request is not a JSON object.');
  }
  const group = String(input.logGroupName);
  const pattern = String(input.filterPattern ?? '');
  const terms = [...pattern.matchAll(/"([^"]*)"/g)].map(([, term = '']) => term);
  if (pattern.replaceAll(/"[^"]*"/g, '').trim() !== '') {
    const message = `The local cloud reads filter patterns of terms in quotation marks, not ${pattern}.`;
    return logsError('InvalidParameterException', message);
  }
  const from = Number(input.startTime ?? 0);
  const to = Number(input.endTime ?? Number.MAX_SAFE_INTEGER);
  const events = view
    .logs(group)
    .filter(({ timestamp }) => timestamp >= from && timestamp <= to)
    .filter(({ message }) => terms.every((term) => message.includes(term)));
  return logsAnswer(200, { events });
}

function logsError(type: string, message: string): ApiAnswer {
  return logsAnswer(400, { __type: type, message });
}

function logsAnswer(status: number, body: object): ApiAnswer {
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  return { status, headers, body: Buffer.from(JSON.stringify(body)) };
}

function xmlAnswer(action: string, result: string): ApiAnswer {
  return xmlOf(
    200,
    `<${action}Response xmlns="${XMLNS}"><${action}Result>${result}</${action}Result>` +
      `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`,
  );
}

function xmlError(code: string, message: string): ApiAnswer {
  return xmlOf(
    400,
    `<ErrorResponse xmlns="${XMLNS}"><Error><Type>Sender</Type><Code>${code}</Code>` +
      `<Message>${xml(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function xmlOf(status: number, text: string): ApiAnswer {
  return { status, headers: { 'content-type': 'text/xml' }, body: Buffer.from(text) };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function xml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}
