/**
 * The tables of a template in a real engine: dynalite in this process, in memory or in a data
 * folder, or an endpoint outside.
 *
 * Owns the embedded engine. Keeps these invariants: a table that exists is never changed or
 * emptied; it is used only when its keys and indexes are those of the template.
 */
import { join } from 'node:path';
import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  ResourceNotFoundException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import type { TablePlan } from '../assembly/plan.ts';
import { closeServer, listenOn } from '../listen.ts';
import { lockDataFolder } from './data-folder.ts';
import { type AskEngine, askWithoutSocket, createEmbeddedEngine } from './embedded-engine.ts';

/** An endpoint that speaks DynamoDB's protocol. */
export interface TableEngine {
  readonly url: string;
  readonly kind: 'embedded' | 'outside';
  /** Asks an embedded engine without a socket. */
  readonly ask?: AskEngine;
  close(): Promise<void>;
}

export interface TableEngineOptions {
  /** Data folder for tables that outlive the process. */
  readonly dataDir?: string | undefined;
  /** An engine outside; nothing is stored here then. */
  readonly dynamodbUrl?: string | undefined;
}

export class TableError extends Error {
  override readonly name = 'TableError';
}

/** The key that all requests to the engine carry: DynamoDB Local gives each key its own tables. */
export const engineCredentials = { accessKeyId: 'tollbridge', secretAccessKey: 'local' } as const;

export async function openTableEngine(options: TableEngineOptions): Promise<TableEngine> {
  if (options.dynamodbUrl !== undefined) return outsideEngine(options.dynamodbUrl);
  const { dataDir } = options;
  const unlock = dataDir === undefined ? () => undefined : lockDataFolder(dataDir);
  try {
    const server = createEmbeddedEngine(
      dataDir === undefined ? undefined : join(dataDir, 'tables'),
    );
    const port = await listenOn(server, 0, '127.0.0.1', 'the table engine');
    return {
      url: `http://127.0.0.1:${port}`,
      kind: 'embedded',
      ask: (headers, body) => askWithoutSocket(server, headers, body),
      async close() {
        await closeServer(server);
        unlock();
      },
    };
  } catch (cause) {
    unlock();
    throw cause;
  }
}

function outsideEngine(text: string): TableEngine {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:') {
    throw new TableError(
      `The DynamoDB URL is "${text}". Allowed is an http URL, such as http://127.0.0.1:8000 of DynamoDB Local: requests are passed on unsigned, which AWS itself does not take.`,
    );
  }
  return { url: url.origin, kind: 'outside', close: () => Promise.resolve() };
}

/** Makes the tables that do not exist, and checks those that do. */
export async function createTables(
  engine: TableEngine,
  region: string,
  tables: readonly TablePlan[],
): Promise<void> {
  const client = new DynamoDBClient({
    endpoint: engine.url,
    region,
    credentials: engineCredentials,
  });
  try {
    for (const table of tables) await createTable(client, engine, table);
  } finally {
    client.destroy();
  }
}

async function createTable(
  client: DynamoDBClient,
  engine: TableEngine,
  table: TablePlan,
): Promise<void> {
  const existing = await describe(client, engine, table.name);
  if (existing !== undefined) return checkSame(table, existing);
  await client.send(
    new CreateTableCommand({
      TableName: table.name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [...table.attributes],
      KeySchema: [...table.keySchema],
      ...(table.indexes.length === 0
        ? {}
        : {
            GlobalSecondaryIndexes: table.indexes.map(({ IndexName, KeySchema, Projection }) => ({
              IndexName,
              KeySchema,
              Projection: {
                ProjectionType: Projection.ProjectionType,
                ...(Projection.NonKeyAttributes === undefined
                  ? {}
                  : { NonKeyAttributes: Projection.NonKeyAttributes }),
              },
            })),
          }),
    }),
  );
  await untilActive(client, engine, table.name);
}

async function describe(
  client: DynamoDBClient,
  engine: TableEngine,
  name: string,
): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (cause) {
    if (cause instanceof ResourceNotFoundException) return undefined;
    const advice =
      engine.kind === 'outside' ? ` Is a DynamoDB endpoint running at ${engine.url}?` : '';
    throw new TableError(`Table ${name} could not be looked up: ${String(cause)}.${advice}`, {
      cause,
    });
  }
}

const activeTries = 100;
const activePauseMillis = 100;

async function untilActive(
  client: DynamoDBClient,
  engine: TableEngine,
  name: string,
): Promise<void> {
  for (let tries = 0; tries < activeTries; tries += 1) {
    const table = await describe(client, engine, name);
    if (table?.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, tries === 0 ? 1 : activePauseMillis));
  }
  throw new TableError(
    `Table ${name} did not become active in ${(activeTries * activePauseMillis) / 1000} s. Look at the engine at ${engine.url}.`,
  );
}

/** Tables hold bookings, so a changed schema is for a person to decide, never mended in silence. */
function checkSame(table: TablePlan, existing: TableDescription): void {
  const wanted = schemaLines(table.attributes, [
    { name: 'the table', keys: table.keySchema, projection: '' },
    ...table.indexes.map(({ IndexName, KeySchema, Projection }) => ({
      name: `index ${IndexName}`,
      keys: KeySchema,
      projection: projectionOf(Projection.ProjectionType, Projection.NonKeyAttributes),
    })),
  ]);
  const found = schemaLines(existing.AttributeDefinitions ?? [], [
    { name: 'the table', keys: existing.KeySchema ?? [], projection: '' },
    ...(existing.GlobalSecondaryIndexes ?? []).map(({ IndexName, KeySchema, Projection }) => ({
      name: `index ${IndexName}`,
      keys: KeySchema ?? [],
      projection: projectionOf(Projection?.ProjectionType, Projection?.NonKeyAttributes),
    })),
  ]);
  const missing = wanted.filter((line) => !found.includes(line));
  const extra = found.filter((line) => !wanted.includes(line));
  if (existing.TableStatus !== 'ACTIVE') missing.push(`status ACTIVE`);
  if (existing.TableStatus !== 'ACTIVE') extra.push(`status ${existing.TableStatus}`);
  if (missing.length === 0 && extra.length === 0) return;
  throw new TableError(
    `Table ${table.name} exists with another schema. The template wants: ${missing.join('; ') || 'nothing more'}. ` +
      `The table has: ${extra.join('; ') || 'nothing else'}. Its rows were not touched. ` +
      `Take another data folder, or export the rows and delete the table.`,
  );
}

interface NamedKeys {
  readonly name: string;
  readonly keys: readonly (KeySchemaElement | { AttributeName: string; KeyType: string })[];
  readonly projection: string;
}

function schemaLines(
  attributes: readonly AttributeDefinition[],
  all: readonly NamedKeys[],
): string[] {
  const types = new Map(attributes.map((one) => [one.AttributeName, one.AttributeType]));
  return all.map(({ name, keys, projection }) => {
    const parts = keys.map(
      (key) => `${key.KeyType} ${key.AttributeName} (${types.get(key.AttributeName) ?? '?'})`,
    );
    return `${name} with ${[...parts, projection].filter((part) => part !== '').join(', ')}`;
  });
}

function projectionOf(type: string | undefined, attributes: readonly string[] | undefined): string {
  const names = attributes === undefined ? '' : ` ${[...attributes].sort().join('+')}`;
  return `projection ${type ?? '?'}${names}`;
}
