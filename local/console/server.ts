/**
 * The console's HTTP server: the page's own files, what it asks, what it wants changed, the stream.
 *
 * Owns the listening socket. Keeps these invariants: it listens on loopback; every answer carries the
 * headers that keep a browser from doing anything but show the page; no request, however malformed,
 * ends the process or gets an answer that it has no right to.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../../core/base/time.ts';
import { closeServer, listenOn } from '../listen.ts';
import { WishError } from './controls.ts';
import { changeRefusal, hostRefusal, originRefusal, type Refusal, RequestRate } from './guard.ts';
import { type PageFile, pageFiles } from './page-files.ts';

export interface ConsoleServerOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly token: string;
  readonly clock: Clock;
  /** Answers a GET; undefined where there is nothing of that name. */
  readonly ask: (path: string, query: URLSearchParams) => Promise<object | undefined>;
  /** Answers a POST. */
  readonly change: (path: string, body: unknown) => Promise<object | undefined>;
  /** Takes the response over as a stream; false when there are too many. */
  readonly stream: (response: ServerResponse) => boolean;
  readonly limits?: Partial<ConsoleLimits>;
}

export interface ConsoleLimits {
  readonly readsPerSecond: number;
  readonly changesPerSecond: number;
  readonly connections: number;
}

export interface ConsoleServer {
  readonly port: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const LIMITS: ConsoleLimits = { readsPerSecond: 50, changesPerSecond: 5, connections: 64 };
/** A burst is so many times the rate. */
const BURST = 4;
const BODY_BYTES_MAX = 4_096;
const HEADER_BYTES_MAX = 16_384;
const REQUEST_MILLIS_MAX = 10_000;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

export async function startConsoleServer(options: ConsoleServerOptions): Promise<ConsoleServer> {
  const limits = { ...LIMITS, ...options.limits };
  const { readsPerSecond, changesPerSecond } = limits;
  const files = pageFiles();
  const desk: Desk = {
    options,
    files,
    reads: new RequestRate(readsPerSecond, readsPerSecond * BURST, options.clock),
    changes: new RequestRate(changesPerSecond, changesPerSecond * BURST, options.clock),
    port: () => port,
  };
  const server: Server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      requestTimeout: REQUEST_MILLIS_MAX,
      headersTimeout: REQUEST_MILLIS_MAX,
      keepAliveTimeout: REQUEST_MILLIS_MAX,
    },
    (request, response) => {
      // A connection that ends while it is answered is no fault of ours.
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      answer(desk, request, response).catch((error: unknown) => failed(response, error));
    },
  );
  server.maxConnections = limits.connections;
  server.on('clientError', (_error, socket) => {
    // What follows an answer that has gone out is no request to answer again.
    const isFresh = socket.writable && 'bytesWritten' in socket && socket.bytesWritten === 0;
    if (isFresh) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    else socket.destroy();
  });
  const port = await listenOn(server, options.port, HOST, 'the console');
  return { port, close: () => closeServer(server) };
}

/** What answering needs. */
interface Desk {
  readonly options: ConsoleServerOptions;
  readonly files: ReadonlyMap<string, PageFile>;
  readonly reads: RequestRate;
  readonly changes: RequestRate;
  readonly port: () => number;
}

async function answer(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', headers, url = '' } = request;
  const port = desk.port();
  const refusal = hostRefusal(headers, port);
  if (refusal !== undefined) return refuse(response, refusal);
  // A relative reference: what a proxy is asked (`http://elsewhere/`) is not for the console.
  if (!/^\/(?!\/)/.test(url) || !URL.canParse(url, 'http://console')) {
    return refuse(response, { status: 400, message: 'The request names no path of the console.' });
  }
  const { pathname, searchParams } = new URL(url, 'http://console');
  const isChange = method === 'POST';
  if (!isChange && method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD, POST');
    return refuse(response, { status: 405, message: 'The console knows GET, HEAD and POST.' });
  }
  const tooMany = (isChange ? desk.changes : desk.reads).refusal();
  if (tooMany !== undefined) return refuse(response, tooMany);
  const file = desk.files.get(pathname);
  if (file !== undefined && !isChange) return send(response, 200, file.type, file.content);
  const foreign = originRefusal(headers, port);
  if (foreign !== undefined) return refuse(response, foreign);
  if (isChange) return change(desk, request, response, pathname);
  if (pathname === '/api/stream') return stream(desk, method, response);
  return reply(response, () => desk.options.ask(pathname, searchParams));
}

async function change(
  { options }: Desk,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const refusal = changeRefusal(request.headers, options.token);
  if (refusal !== undefined) return refuse(response, refusal);
  const body = await readBody(request);
  if (typeof body !== 'string') return refuse(response, body);
  let wish: unknown;
  try {
    wish = JSON.parse(body);
  } catch {
    return refuse(response, { status: 400, message: 'The body is not JSON.' });
  }
  return reply(response, () => options.change(path, wish));
}

function stream({ options }: Desk, method: string, response: ServerResponse): void {
  if (method === 'HEAD') {
    send(response, 200, 'text/event-stream', Buffer.alloc(0));
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  setHeaders(response);
  if (options.stream(response)) return;
  send(response, 503, JSON_TYPE, problem('Too many pages are open; close one of them.'));
}

/** Runs a question and sends what comes of it. */
async function reply(
  response: ServerResponse,
  question: () => Promise<object | undefined>,
): Promise<void> {
  try {
    const result = await question();
    if (result === undefined) send(response, 404, JSON_TYPE, problem('There is nothing here.'));
    else send(response, 200, JSON_TYPE, Buffer.from(JSON.stringify(result)));
  } catch (error) {
    if (!(error instanceof WishError || error instanceof RangeError)) throw error;
    send(response, 400, JSON_TYPE, problem(error.message));
  }
}

async function readBody(request: IncomingMessage): Promise<string | Refusal> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early must not end the connection: the refusal goes out on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) {
      return { status: 413, message: `The body has more than ${BODY_BYTES_MAX} bytes.` };
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const JSON_TYPE = 'application/json; charset=utf-8';

function problem(message: string): Buffer {
  return Buffer.from(JSON.stringify({ error: message }));
}

function refuse(response: ServerResponse, { status, message }: Refusal): void {
  // What is left of a body that was not read must not be taken for the next request.
  response.setHeader('connection', 'close');
  send(response, status, JSON_TYPE, problem(message));
}

function failed(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else send(response, 500, JSON_TYPE, problem(`The console failed: ${String(error)}`));
}

function setHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
}

function send(response: ServerResponse, status: number, type: string, content: Buffer): void {
  setHeaders(response);
  response.statusCode = status;
  response.setHeader('content-type', type);
  response.setHeader('content-length', content.length);
  response.end(content);
}
