/**
 * dynalite, the embedded engine, in this process: asked without a socket by the local API, and by
 * HTTP by everyone else. On a connection from this process to itself, each request that the API has
 * let through would be written, read, answered and read once more.
 */
import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, Server } from 'node:http';
import dynalite from 'dynalite';
import conditionParser from 'dynalite/db/conditionParser.js';
import updateParser from 'dynalite/db/updateParser.js';
import { rememberingParse } from './expression-memory.ts';

// dynalite looks its parsers' `parse` up for each expression; there is no other way in.
for (const parser of [conditionParser, updateParser]) {
  parser.parse = rememberingParse(parser.parse);
}

/** @param folder of the tables; in memory without it */
export function createEmbeddedEngine(folder: string | undefined): Server {
  // No waiting in CREATING: nothing here depends on it.
  return dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
}

/** What an engine answers, with all headers that it sends. */
export interface EngineAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends a request of DynamoDB's protocol. */
export type AskEngine = (headers: IncomingHttpHeaders, body: Buffer) => Promise<EngineAnswer>;

/** The part of a request that dynalite reads. */
class SocketlessRequest extends EventEmitter {
  readonly method = 'POST';
  readonly url = '/';
  readonly headers: IncomingHttpHeaders;

  constructor(headers: IncomingHttpHeaders) {
    super();
    this.headers = headers;
  }
}

/** The part of a response that dynalite writes. */
class SocketlessResponse {
  statusCode = 200;
  readonly headers: Record<string, string> = {};
  readonly #answered: (answer: EngineAnswer) => void;

  constructor(answered: (answer: EngineAnswer) => void) {
    this.#answered = answered;
  }

  setHeader(name: string, value: string | number): void {
    this.headers[name.toLowerCase()] = String(value);
  }

  end(body = ''): void {
    const { statusCode: status, headers } = this;
    this.#answered({ status, headers, body: Buffer.from(body) });
  }
}

/** Asks the engine behind the server. Rejects when it throws at once. */
export function askWithoutSocket(
  server: Server,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<EngineAnswer> {
  return new Promise((resolve) => {
    const request = new SocketlessRequest(headers);
    server.emit('request', request, new SocketlessResponse(resolve));
    request.emit('data', body);
    request.emit('end');
  });
}
