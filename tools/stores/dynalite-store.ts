/** The tables of the template on dynalite, in this process and in memory. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import type { Store } from './engines.ts';
import { createTables } from './tables.ts';

export interface Dynalite {
  readonly url: string;
  close(): Promise<void>;
}

export async function startDynalite(): Promise<Dynalite> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client of an engine on this machine, which asks for credentials but looks at none. */
export function localClient(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
}

export async function makeDynaliteStore(): Promise<Store> {
  const engine = await startDynalite();
  const client = localClient(engine.url);
  return {
    client,
    tables: await createTables(client, ''),
    close: async () => {
      client.destroy();
      await engine.close();
    },
  };
}
