/**
 * Requests to DynamoDB: which rights they need, and their way to the table engine. Faults that
 * befall functions on this way (throttle, crash, lost answer) happen here.
 *
 * Owns the connections to the engine. Keeps this invariant: once it is closed, the engine has no
 * request under way, whoever has sent it and has gone meanwhile.
 */
import {
  Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { type ApiAnswer, type ApiResult, dynamodbError } from '../api/answers.ts';
import { type ApiCaller, denialOf } from '../api/caller.ts';
import { readAll } from '../api/read-body.ts';
import type { Chance, Faults, Observer } from '../contracts.ts';
import type { AskEngine, EngineAnswer } from './embedded-engine.ts';
import { engineCredentials } from './tables.ts';

export interface TableRequestOptions {
  readonly engineUrl: string;
  /** Asks the engine without its URL, where it is in this process. */
  readonly askEngine?: AskEngine;
  readonly region: string;
  readonly accountId: string;
  readonly faults: () => Faults;
  readonly chance: Chance;
  readonly observe: Observer;
  /** Ends the child that holds a key. */
  readonly kill: (accessKeyId: string) => Promise<boolean>;
}

export interface TableRequests {
  handle(caller: ApiCaller, headers: IncomingHttpHeaders, body: Buffer): Promise<ApiResult>;
  /** Ends when the engine has answered what is under way. */
  close(): Promise<void>;
}

export const targetPrefix = 'DynamoDB_20120810.';

const writes = new Set([
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'TransactWriteItems',
]);

type Input = Readonly<Record<string, unknown>>;

function inputOf(body: Buffer): Input | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Input {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function createTableRequests(options: TableRequestOptions): TableRequests {
  const engine = createEngineLine(options);
  const befalls = (fault: keyof Faults, where: string): boolean => {
    if (!options.chance.happens(options.faults()[fault])) return false;
    options.observe({ kind: 'fault', fault, where });
    return true;
  };
  return {
    async handle(caller, headers, body) {
      const operation = String(headers['x-amz-target']).slice(targetPrefix.length);
      const input = inputOf(body);
      if (input === undefined) {
        // dynalite reads the fields of whatever it parsed, and would take the process with it.
        const message = 'The body of the request is not a JSON object.';
        return dynamodbError(400, 'SerializationException', message);
      }
      if (caller.kind !== 'function') return await engine.forward(headers, body);
      const wanted = rightsOf(options, operation, input);
      if (wanted === undefined) {
        const message = `The local API cannot tell which rights ${operation} needs; it is open to operators, not to functions.`;
        return dynamodbError(400, 'AccessDeniedException', message);
      }
      const denial = denialOf(caller, options.accountId, wanted);
      if (denial !== undefined) return dynamodbError(400, 'AccessDeniedException', denial);
      const where = `${caller.functionName} ${operation}`;
      if (befalls('throttle', where)) {
        const message =
          'The level of configured provisioned throughput for the table was exceeded.';
        return dynamodbError(400, 'ProvisionedThroughputExceededException', message);
      }
      if (!writes.has(operation)) return await engine.forward(headers, body);
      if (befalls('crashBeforeWrite', where)) {
        await options.kill(caller.accessKeyId);
        return 'no-answer';
      }
      const answer = await engine.forward(headers, body);
      const { functionName } = caller;
      const { status } = answer;
      options.observe({
        kind: 'table',
        functionName,
        operation,
        request: body,
        status,
        answer: answer.body,
      });
      if (status !== 200) return answer;
      if (befalls('crashAfterWrite', where)) {
        await options.kill(caller.accessKeyId);
        return 'no-answer';
      }
      return befalls('loseAnswer', where) ? 'no-answer' : answer;
    },
    close: () => engine.close(),
  };
}

interface Right {
  readonly action: string;
  readonly resource: string;
}

/** The rights that a request needs, as the service authorization reference lists them. */
function rightsOf(
  options: TableRequestOptions,
  operation: string,
  input: Input,
): readonly Right[] | undefined {
  const right = (action: string, table: string, index?: unknown): Right => {
    const arn = table.startsWith('arn:')
      ? table
      : `arn:aws:dynamodb:${options.region}:${options.accountId}:table/${table}`;
    const resource = typeof index === 'string' ? `${arn}/index/${index}` : arn;
    return { action: `dynamodb:${action}`, resource };
  };
  switch (operation) {
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys(asObject(input.RequestItems)).map((table) => right(operation, table));
    case 'TransactGetItems':
      return transactionRights(input, (_kind, table) => right('GetItem', table));
    case 'TransactWriteItems':
      return transactionRights(input, (kind, table) =>
        right(kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`, table),
      );
    case 'ListTables':
    case 'DescribeLimits':
      return [{ action: `dynamodb:${operation}`, resource: '*' }];
  }
  if (typeof input.TableName !== 'string') return undefined;
  return [right(operation, input.TableName, input.IndexName)];
}

/** Each item of a transaction is an object with one key, its kind. */
function transactionRights(
  input: Input,
  right: (kind: string, table: string) => Right,
): readonly Right[] {
  const items: readonly unknown[] = Array.isArray(input.TransactItems) ? input.TransactItems : [];
  return items.flatMap((item) =>
    Object.entries(asObject(item)).map(([kind, action]) =>
      right(kind, String(asObject(action).TableName)),
    ),
  );
}

function asObject(value: unknown): Input {
  return isObject(value) ? value : {};
}

interface EngineLine {
  forward(headers: IncomingHttpHeaders, body: Buffer): Promise<ApiAnswer>;
  close(): Promise<void>;
}

/** For an engine outside that hangs: a closing cloud waits for it no longer than this. */
const closingMillisMax = 30_000;

/** The embedded engine throws where nobody can catch when it is closed in the midst of a request. */
function createEngineLine(options: TableRequestOptions): EngineLine {
  const agent = new Agent({ keepAlive: true });
  const underWay = new Set<Promise<ApiAnswer>>();
  let isClosing = false;
  return {
    forward(headers, body) {
      if (isClosing) {
        const answer = dynamodbError(500, 'InternalServerError', 'The local cloud is closing.');
        return Promise.resolve(answer);
      }
      const answer = forward(options, agent, headers, body);
      underWay.add(answer);
      return answer.finally(() => underWay.delete(answer));
    },
    async close() {
      isClosing = true;
      const timeout = new AbortController();
      await Promise.race([
        Promise.all(underWay),
        setTimeout(closingMillisMax, undefined, { signal: timeout.signal }).catch(() => {}),
      ]);
      timeout.abort();
      agent.destroy();
    },
  };
}

async function forward(
  options: TableRequestOptions,
  agent: Agent,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<ApiAnswer> {
  const { engineUrl, askEngine } = options;
  const passed = passedOn(headers, options.region);
  try {
    const answer = await (askEngine?.(passed, body) ?? askByHttp(engineUrl, agent, passed, body));
    return { ...answer, headers: passedBack(answer.headers) };
  } catch (cause) {
    const message = `The table engine at ${engineUrl} did not answer: ${String(cause)}`;
    return dynamodbError(500, 'InternalServerError', message);
  }
}

async function askByHttp(
  engineUrl: string,
  agent: Agent,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<EngineAnswer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = httpRequest(engineUrl, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': body.length },
    });
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
  });
  const { statusCode: status = 500 } = response;
  return { status, headers: response.headers, body: await readAll(response) };
}

function passedOn(headers: IncomingHttpHeaders, region: string): IncomingHttpHeaders {
  return {
    'content-type': headers['content-type'] ?? 'application/x-amz-json-1.0',
    'x-amz-target': String(headers['x-amz-target']),
    'x-amz-date': String(headers['x-amz-date'] ?? ''),
    authorization: rewritten(headers.authorization ?? '', region),
  };
}

/**
 * All requests carry one key and one Region to the engine: DynamoDB Local gives each pair tables of
 * its own, and neither engine checks the signature.
 */
function rewritten(authorization: string, region: string): string {
  return authorization.replace(
    /Credential=[^/,\s]+\/(\d+)\/[^/,\s]+\//,
    `Credential=${engineCredentials.accessKeyId}/$1/${region}/`,
  );
}

function passedBack(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const kept = ['content-type', 'x-amz-crc32', 'x-amzn-requestid'] as const;
  return Object.fromEntries(
    kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}
