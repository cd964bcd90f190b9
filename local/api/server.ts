/**
 * The one HTTP server that the real SDK clients talk to: DynamoDB, the IoT data plane, and the
 * registry of the IoT control plane.
 *
 * Owns the listening socket. Keeps these invariants: it listens on loopback and answers loopback
 * names only, so that no web page can reach it by a name of its own; every request is signed by
 * somebody; a function gets no further than its role allows.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Chance, Faults, Observer } from '../contracts.ts';
import type { AskEngine } from '../dynamodb/embedded-engine.ts';
import {
  createTableRequests,
  type TableRequests,
  targetPrefix,
} from '../dynamodb/table-requests.ts';
import { closeServer, listenOn } from '../listen.ts';
import { type ApiResult, dataPlaneError, dynamodbError, sentence } from './answers.ts';
import { type ApiCaller, accessKeyOf } from './caller.ts';
import {
  type DeployedView,
  handleDeployed,
  isDeployedRequest,
  templateAnswer,
} from './deployed-requests.ts';
import {
  handleLogs,
  handleStacks,
  logsTargetPrefix,
  type OperatorView,
} from './operator-requests.ts';
import { type DataPlanePublication, handlePublish, topicsPath } from './publish-requests.ts';
import { readUpTo } from './read-body.ts';
import {
  answerAuthority,
  authorityPath,
  type DeviceAccess,
  handleRegistry,
  isRegistryPath,
} from './registry-requests.ts';

export interface ApiServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly region: string;
  readonly accountId: string;
  readonly engineUrl: string;
  /** Asks the engine without its URL, where it is in this process. */
  readonly askEngine?: AskEngine;
  readonly callerOf: (accessKeyId: string) => ApiCaller;
  /** Ends the child that holds a key with SIGKILL. */
  readonly kill: (accessKeyId: string) => Promise<boolean>;
  readonly publish: (publication: DataPlanePublication) => Promise<void>;
  /** Nothing registers devices without it. */
  readonly deviceAccess?: () => DeviceAccess | undefined;
  /** What operators may read of the stacks and the logs; nothing without it. */
  readonly operators?: OperatorView;
  /** The queues, rules and templates that operators look into; nothing without it. */
  readonly deployed?: DeployedView;
  readonly faults: () => Faults;
  readonly chance: Chance;
  readonly observe: Observer;
  /** How long an answer is held back, in real time; not at all without it. */
  readonly answerAfterMillis?: number;
}

export interface ApiServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

const host = '127.0.0.1';
/** DynamoDB takes 16 MB in a request; nothing here takes more. */
const maximumRequestBytes = 16 * 1024 * 1024;

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const tables = createTableRequests(options);
  const server = createServer((request, response) => {
    answer(options, tables, request)
      .catch((cause: unknown) => sentence(500, `The local API failed: ${String(cause)}`))
      .then((result) => heldBack(result, options.answerAfterMillis))
      .then((result) => write(request, response, result))
      .catch(() => request.socket.destroy());
  });
  // The SDK keeps connections open; on AWS they live longer than Node.js's 5 s as well.
  server.keepAliveTimeout = 60_000;
  const port = await listenOn(server, options.port, host, 'the local API');
  return {
    port,
    url: `http://${host}:${port}`,
    async close() {
      await closeServer(server);
      await tables.close();
    },
  };
}

async function answer(
  options: ApiServerOptions,
  tables: TableRequests,
  request: IncomingMessage,
): Promise<ApiResult> {
  if (!isLoopback(request.headers.host ?? '')) {
    return sentence(403, 'The local API answers requests to localhost, 127.0.0.1 and [::1] only.');
  }
  const url = request.url ?? '/';
  const target = String(request.headers['x-amz-target'] ?? '');
  const isTable = request.method === 'POST' && target.startsWith(targetPrefix);
  const isTopic = url.startsWith(topicsPath);
  const isRegistry = isRegistryPath(url);
  if (request.method === 'GET' && url === authorityPath) return answerAuthority(options);
  const operators = isOperators(request, target) ? options.operators : undefined;
  const { method } = request;
  const deployed = isDeployedRequest({ method, url, target }) ? options.deployed : undefined;
  const isKnown = isTable || isTopic || isRegistry || operators !== undefined;
  if (!isKnown && deployed === undefined) {
    return sentence(
      404,
      `The local API knows DynamoDB (POST with X-Amz-Target: ${targetPrefix}*), the IoT data plane's Publish (POST /topics/TOPIC) and the registry of AWS IoT (/things, /certificates); of operators also Amazon SQS, rules, stacks and logs. It got ${request.method} ${url}${target === '' ? '' : ` with X-Amz-Target: ${target}`}.`,
    );
  }
  const error = isTable ? dynamodbError : dataPlaneError;
  if (isTopic && request.method !== 'POST') {
    return error(405, 'MethodNotAllowedException', `Publish is a POST, not a ${request.method}.`);
  }
  const accessKeyId = accessKeyOf(request);
  if (accessKeyId === undefined) {
    const message = 'The request is not signed. Any credentials do; the signature is not checked.';
    return isTable
      ? error(400, 'MissingAuthenticationTokenException', message)
      : error(403, 'ForbiddenException', message);
  }
  const caller = options.callerOf(accessKeyId);
  if (caller.kind === 'stranger') {
    const message = `The key ${accessKeyId} has the form of a function's, but no function of this run has it.`;
    return isTable
      ? error(400, 'UnrecognizedClientException', message)
      : error(403, 'ForbiddenException', message);
  }
  const body = await readUpTo(request, maximumRequestBytes);
  if (body === undefined) {
    const message = `The request has more than ${maximumRequestBytes} bytes.`;
    return error(413, 'RequestEntityTooLargeException', message);
  }
  if (deployed !== undefined) {
    return handleDeployed(deployed, caller, options.accountId, { method, url, target, body });
  }
  if (operators !== undefined) return answerOperator(options, operators, caller, target, body);
  if (isTable) return await tables.handle(caller, request.headers, body);
  if (isRegistry) {
    const { headers } = request;
    return await handleRegistry(options, caller, { method: method ?? '', url, headers, body });
  }
  return await handlePublish(options, caller, url, request.headers, body);
}

/** A form is CloudFormation's query protocol. */
function isOperators({ method, url, headers }: IncomingMessage, target: string): boolean {
  const isForm = /^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? '');
  return method === 'POST' && url === '/' && (isForm || target.startsWith(logsTargetPrefix));
}

function answerOperator(
  { deployed }: ApiServerOptions,
  operators: OperatorView,
  caller: ApiCaller,
  target: string,
  body: Buffer,
): ApiResult {
  // No role of a template allows its functions to read stacks or logs.
  if (caller.kind !== 'owner')
    return sentence(403, 'The local API answers this to operators only.');
  return target.startsWith(logsTargetPrefix)
    ? handleLogs(operators, target.slice(logsTargetPrefix.length), body)
    : ((deployed && templateAnswer(deployed, body)) ?? handleStacks(operators.stacks(), body));
}

/** A page on the web can point a name of its own at 127.0.0.1, but it cannot send another name. */
function isLoopback(header: string): boolean {
  const name = header.replace(/:\d+$/, '').toLowerCase();
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);
}

function heldBack(result: ApiResult, millis = 0): ApiResult | Promise<ApiResult> {
  return millis === 0 ? result : setTimeout(millis, result);
}

function write(request: IncomingMessage, response: ServerResponse, result: ApiResult): void {
  if (result === 'no-answer') {
    request.socket.destroy();
    return;
  }
  // A body that was not read would be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(result.status, {
    ...result.headers,
    'content-length': result.body.length,
  });
  response.end(result.body);
}
