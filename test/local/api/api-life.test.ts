/** How the local API begins and ends. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { startApiServer } from '../../../local/api/server.ts';
import { seededChance } from '../../../local/chance.ts';
import { noFaults } from '../../../local/contracts.ts';
import type { AskEngine, EngineAnswer } from '../../../local/dynamodb/embedded-engine.ts';
import { closeServer, listenOn } from '../../../local/listen.ts';

const host = '127.0.0.1';

const startApi = (
  port: number,
  engineUrl: string,
  askEngine?: AskEngine,
  answerAfterMillis?: number,
) =>
  startApiServer({
    region: 'us-east-1',
    accountId: '000000000000',
    engineUrl,
    ...(askEngine !== undefined && { askEngine }),
    ...(answerAfterMillis !== undefined && { answerAfterMillis }),
    port,
    callerOf: () => ({ kind: 'owner' }),
    kill: async () => false,
    publish: async () => undefined,
    faults: () => noFaults,
    chance: seededChance(1),
    observe: () => undefined,
  });

it('says which port is taken and what to do', async () => {
  const other = createServer();
  const port = await listenOn(other, 0, host);
  await expect(startApi(port, `http://${host}:1`)).rejects.toThrow(
    new RegExp(`Port ${port} .*in use.*another port`),
  );
  await closeServer(other);
});

const signedClient = (endpoint: string) =>
  new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'x' },
  });

/** An engine outside, and what ends its answer to the one request. */
async function engineByHttp() {
  const engine = createServer();
  const url = `http://${host}:${await listenOn(engine, 0, host)}`;
  const asked = once(engine, 'request') as Promise<[unknown, ServerResponse]>;
  return {
    url,
    ask: undefined,
    asked: asked.then(
      ([, response]) =>
        () =>
          void response.end('{}'),
    ),
    close: () => closeServer(engine),
  };
}

function engineInside() {
  let arrived: (answer: () => void) => void = () => {};
  const asked = new Promise<() => void>((resolve) => {
    arrived = resolve;
  });
  const ask: AskEngine = () =>
    new Promise<EngineAnswer>((resolve) =>
      arrived(() => resolve({ status: 200, headers: {}, body: Buffer.from('{}') })),
    );
  return { url: `http://${host}:1`, ask, asked, close: async () => {} };
}

it.each([
  ['by HTTP', engineByHttp],
  ['without a socket', engineInside],
])(
  'closes when the engine has answered what is under way %s, though the caller is gone',
  async (_how, start) => {
    const engine = await start();
    const api = await startApi(0, engine.url, engine.ask);
    const client = signedClient(api.url);
    const cut = expect(client.send(new ListTablesCommand())).rejects.toThrow();
    const answer = await engine.asked;
    const steps: string[] = [];
    const closed = api.close().then(() => steps.push('closed'));
    await cut;
    steps.push('answered');
    answer();
    await closed;
    expect(steps).toEqual(['answered', 'closed']);
    client.destroy();
    await engine.close();
  },
);

it('an engine that throws is an internal error of the request, not the end of the cloud', async () => {
  const api = await startApi(0, `http://${host}:1`, () => Promise.reject(new Error('no memory')));
  const client = signedClient(api.url);
  await expect(client.send(new ListTablesCommand())).rejects.toThrow(/did not answer.*no memory/);
  client.destroy();
  await api.close();
});

it('passes on what the engine reads, under the key of all, and back what the SDK reads', async () => {
  const asked: unknown[] = [];
  const api = await startApi(0, `http://${host}:1`, async (headers) => {
    asked.push(headers);
    const sent = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-crc32': '1' };
    const body = Buffer.from('{}');
    return { status: 200, headers: { ...sent, 'access-control-allow-origin': '*' }, body };
  });
  const answer = await fetch(api.url, {
    method: 'POST',
    headers: {
      origin: 'https://example.com',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      'x-amz-date': '20261121T000000Z',
      'content-type': 'application/x-amz-json-1.0',
      authorization:
        'AWS4-HMAC-SHA256 Credential=operator/20261121/eu-west-1/dynamodb/aws4_request',
    },
    body: '{}',
  });
  expect(asked).toEqual([
    {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      'x-amz-date': '20261121T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=tollbridge/20261121/us-east-1/dynamodb/aws4_request',
    },
  ]);
  const kept = ['content-type', 'x-amz-crc32', 'access-control-allow-origin'];
  expect(kept.map((name) => answer.headers.get(name))).toEqual([
    'application/x-amz-json-1.0',
    '1',
    null,
  ]);
  await answer.text();
  await api.close();
});

it('holds an answer back where it is told to', async () => {
  const engine = createServer((_, response) => response.end('{"TableNames":[]}'));
  const engineUrl = `http://${host}:${await listenOn(engine, 0, host)}`;
  const api = await startApi(0, engineUrl, undefined, 60);
  const client = signedClient(api.url);
  const askedAt = performance.now();
  await client.send(new ListTablesCommand());
  // A timer of Node.js may come a millisecond early.
  expect(performance.now() - askedAt).toBeGreaterThan(58);
  client.destroy();
  await api.close();
  await closeServer(engine);
});
