/** How the local API begins and ends. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { startApiServer } from '../../local/aws/api-server.ts';
import { seededChance } from '../../local/chance.ts';
import { closeServer, listenOn } from '../../local/listen.ts';
import { noFaults } from '../../local/types.ts';

const host = '127.0.0.1';

const startApi = (port: number, engineUrl: string) =>
  startApiServer({
    region: 'us-east-1',
    accountId: '000000000000',
    engineUrl,
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

it('closes when the engine has answered what is under way, though the caller is gone', async () => {
  const engine = createServer();
  const engineUrl = `http://${host}:${await listenOn(engine, 0, host)}`;
  const api = await startApi(0, engineUrl);
  const client = new DynamoDBClient({
    endpoint: api.url,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'operator', secretAccessKey: 'x' },
  });
  const asked = once(engine, 'request') as Promise<[unknown, ServerResponse]>;
  const cut = expect(client.send(new ListTablesCommand())).rejects.toThrow();
  const [, response] = await asked;
  const steps: string[] = [];
  const closed = api.close().then(() => steps.push('closed'));
  await cut;
  steps.push('answered');
  response.end('{}');
  await closed;
  expect(steps).toEqual(['answered', 'closed']);
  client.destroy();
  await closeServer(engine);
});
