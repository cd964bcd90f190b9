/** Tables for counting: the bridge's as `lib/state-stack.ts` makes them, and those of a peer. */
import {
  CreateTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { LEDGER_SHAPE } from '../../cli/cost/store.ts';
import type { TableShape } from '../../cli/cost/units.ts';

/** A test holds both shapes to the template. */
export const SHAPES = {
  ledger: LEDGER_SHAPE,
  quarantine: {
    keys: ['pk', 'sk'],
    indexes: [
      {
        name: 'by-day',
        keys: ['routeDay', 'receivedAt'],
        projected: ['reason', 'device', 'id'],
      },
    ],
  },
} as const satisfies Readonly<Record<string, TableShape>>;

/** A client of an engine on this machine. */
export function clientOf(url: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    // Whoever counts requests counts no retries of a slow machine.
    maxAttempts: 1,
  });
}

/** Makes empty tables, by their names. */
export async function createTables(
  url: string,
  tables: Readonly<Record<string, TableShape>>,
): Promise<void> {
  const client = clientOf(url);
  try {
    await Promise.all(
      Object.entries(tables).map(([name, shape]) => createTable(client, name, shape)),
    );
  } finally {
    client.destroy();
  }
}

/** Makes an empty table and waits until it can be written. All keys are texts. */
async function createTable(
  client: DynamoDBClient,
  name: string,
  { keys, indexes }: TableShape,
): Promise<void> {
  const attributes = new Set([...keys, ...indexes.flatMap((index) => index.keys)]);
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [...attributes].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: schemaOf(keys),
      ...(indexes.length > 0 && {
        GlobalSecondaryIndexes: indexes.map((index) => ({
          IndexName: index.name,
          KeySchema: schemaOf(index.keys),
          Projection:
            index.projected === 'all'
              ? { ProjectionType: 'ALL' as const }
              : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...index.projected] },
        })),
      }),
    }),
  );
  await waitUntilTableExists(
    { client, maxWaitTime: 20, minDelay: 1, maxDelay: 1 },
    { TableName: name },
  );
}

function schemaOf(keys: readonly string[]): KeySchemaElement[] {
  return keys.map((AttributeName, n) => ({ AttributeName, KeyType: n === 0 ? 'HASH' : 'RANGE' }));
}
