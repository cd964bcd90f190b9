/** The console's server on a free port, and what asks it; what it would do is recorded instead. */
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type EpochMillis, epochMillis } from '../../core/base/time.ts';
import { readFaults, readFleetWish } from '../../local/console/controls.ts';
import { type ConsoleServer, startConsoleServer } from '../../local/console/server.ts';

export const TOKEN = 'the-token-of-this-test';

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ServerBench {
  readonly changes: unknown[];
  readonly questions: string[];
  port(): number;
  /** The console's own name, with its port. */
  own(): string;
  /** Headers of a change that is allowed. */
  good(): Readonly<Record<string, string>> & {
    readonly origin: string;
    readonly authorization: string;
  };
  pass(millis: number): void;
  ask(asked: Asked): Promise<Answer>;
}

/** Starts before the tests of a file and ends after them. */
export function serverBench(): ServerBench {
  let now = 0;
  let server: ConsoleServer | undefined;
  const changes: unknown[] = [];
  const questions: string[] = [];
  const clock = (): EpochMillis => epochMillis(now);
  beforeAll(async () => {
    server = await startConsoleServer({
      port: 0,
      token: TOKEN,
      clock,
      ask: async (path) => {
        questions.push(path);
        return path === '/api/known' ? { known: true } : undefined;
      },
      change: async (path, body) => {
        if (path === '/api/faults') readFaults(body);
        if (path === '/api/fleet') readFleetWish(body);
        if (path === '/api/broken') throw new Error('out of order');
        changes.push(body);
        return { changed: true };
      },
      stream: (response: ServerResponse) => {
        response.end('event: hello\n\n');
        return true;
      },
    });
  });
  afterAll(async () => server?.close());
  beforeEach(() => {
    // The buckets are full again.
    now += 3_600_000;
    changes.length = 0;
    questions.length = 0;
  });
  const port = () => server?.port ?? 0;
  const own = () => `127.0.0.1:${port()}`;
  return {
    changes,
    questions,
    port,
    own,
    good: () => ({
      host: own(),
      origin: `http://${own()}`,
      'content-type': 'application/json',
      authorization: `Bearer ${TOKEN}`,
    }),
    pass(millis) {
      now += millis;
    },
    ask: (asked) => ask(port(), asked),
  };
}

function ask(
  port: number,
  { method = 'GET', path = '/', headers = {}, body }: Asked,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, method, path, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
