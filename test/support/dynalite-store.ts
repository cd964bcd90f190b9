/** The tables of the design (§6) on dynalite, in this process and in memory. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import type { Store } from './engines.ts';

type Key = readonly [hash: string, range: string];

function schemaOf([hash, range]: Key) {
  return [
    { AttributeName: hash, KeyType: 'HASH' as const },
    { AttributeName: range, KeyType: 'RANGE' as const },
  ];
}

/** Makes a table, with an index or none, and waits until it can be written. */
export async function createTable(
  client: DynamoDBClient,
  table: string,
  key: Key,
  index?: { readonly name: string; readonly key: Key },
): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: schemaOf(key),
      AttributeDefinitions: [...key, ...(index?.key ?? [])].map((name) => ({
        AttributeName: name,
        AttributeType: 'S',
      })),
      ...(index && {
        GlobalSecondaryIndexes: [
          {
            IndexName: index.name,
            KeySchema: schemaOf(index.key),
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      }),
    }),
  );
  await waitUntilTableExists(
    { client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 },
    { TableName: table },
  );
}

export async function createTables(client: DynamoDBClient): Promise<Pick<Store, 'tables'>> {
  await createTable(client, 'ledger', ['pk', 'id'], {
    name: 'by-account',
    key: ['accountPeriod', 'occurrence'],
  });
  await createTable(client, 'quarantine', ['pk', 'sk'], {
    name: 'by-day',
    key: ['routeDay', 'receivedAt'],
  });
  await createTable(client, 'deliveries', ['pk', 'id']);
  await createTable(client, 'state', ['pk', 'id']);
  return {
    tables: {
      ledger: 'ledger',
      deliveries: 'deliveries',
      state: 'state',
      quarantine: 'quarantine',
    },
  };
}

export async function makeDynaliteStore(): Promise<Store> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
  return {
    client,
    ...(await createTables(client)),
    close: async () => {
      client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
