/** The tables that are deployed, read from the synthesized template, made on any engine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  type DynamoDBClient,
  type ProjectionType,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { keptFolder } from '../clouds/kept-folder.ts';
import type { Store } from './engines.ts';

/** The part of `AWS::DynamoDB::GlobalTable` that decides what a write means. */
interface TableProperties {
  readonly KeySchema: { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[];
  readonly AttributeDefinitions: { AttributeName: string; AttributeType: 'S' | 'N' | 'B' }[];
  readonly GlobalSecondaryIndexes?: {
    IndexName: string;
    KeySchema: { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[];
    Projection: { ProjectionType: ProjectionType; NonKeyAttributes?: string[] };
  }[];
  readonly TimeToLiveSpecification?: { readonly AttributeName: string; readonly Enabled: boolean };
}

interface Template {
  readonly Resources: Readonly<Record<string, { Type: string; Properties: TableProperties }>>;
}

/** Construct ids in the stack; a table's logical id is one of them and eight hexadecimal digits. */
const NAMES = {
  ledger: 'Ledger',
  dedupRecords: 'DedupRecords',
  state: 'State',
  quarantine: 'Quarantine',
} as const satisfies Record<keyof Store['tables'], string>;

type DeployedTables = Readonly<Record<keyof Store['tables'], TableProperties>>;

let deployed: Promise<DeployedTables> | undefined;

/** @throws Error when the template has another number of tables: the suites would miss one */
export function deployedTables(): Promise<DeployedTables> {
  deployed ??= readTemplate();
  return deployed;
}

async function readTemplate(): Promise<DeployedTables> {
  const folder = await keptFolder('tables', async (made) => {
    const { synthesizeTables } = await import('../clouds/synthesize.ts');
    synthesizeTables(made);
  });
  const template = join(folder, 'State.template.json');
  const { Resources } = JSON.parse(readFileSync(template, 'utf8')) as Template;
  const tables = Object.entries(Resources).filter(
    ([, { Type }]) => Type === 'AWS::DynamoDB::GlobalTable',
  );
  const find = (name: string) => {
    const found = tables.filter(([id]) => new RegExp(`^${name}[0-9A-F]{8}$`).test(id));
    const [first, ...others] = found;
    if (first === undefined || others.length > 0 || tables.length !== Object.keys(NAMES).length) {
      const ids = tables.map(([id]) => id).join(', ');
      throw new Error(`the template has the tables ${ids}; wanted is one ${name} of four`);
    }
    return first[1].Properties;
  };
  return {
    ledger: find(NAMES.ledger),
    dedupRecords: find(NAMES.dedupRecords),
    state: find(NAMES.state),
    quarantine: find(NAMES.quarantine),
  };
}

/** Physical names under a prefix, e.g. `x-Ledger`. */
export function tableNames(prefix: string): Store['tables'] {
  const entries = Object.entries(NAMES).map(([table, name]) => [table, `${prefix}${name}`]);
  return Object.fromEntries(entries) as Record<keyof Store['tables'], string>;
}

/** Whoever asks is told of every table that stands, so that it can be taken away again. */
export async function createTables(
  client: DynamoDBClient,
  prefix: string,
  onCreated: (table: string) => void = () => {},
): Promise<Store['tables']> {
  const names = tableNames(prefix);
  for (const [table, properties] of Object.entries(await deployedTables())) {
    const name = names[table as keyof Store['tables']];
    await client.send(new CreateTableCommand(requestOf(name, properties)));
    onCreated(name);
  }
  for (const name of Object.values(names)) await active(client, name);
  return names;
}

/** On demand, as deployed. TTL is left off: the clock of the suites' rows is not the engine's. */
function requestOf(name: string, properties: TableProperties): CreateTableCommandInput {
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = properties;
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema,
    AttributeDefinitions,
    ...(GlobalSecondaryIndexes && { GlobalSecondaryIndexes }),
  };
}

/** An engine on this machine is asked each second at most, AWS as the client likes it. */
const WAIT = { maxWaitTime: 120, minDelay: 1, maxDelay: 5 } as const;

async function active(client: DynamoDBClient, table: string): Promise<void> {
  await waitUntilTableExists({ client, ...WAIT }, { TableName: table });
}

/** Deletes every one of them, also when one cannot be, and waits until they are gone. */
export async function deleteTables(
  client: DynamoDBClient,
  tables: readonly string[],
): Promise<void> {
  const results = await Promise.allSettled(
    tables.map(async (TableName) => {
      // AWS deletes no table that is still being made.
      await active(client, TableName);
      await client.send(new DeleteTableCommand({ TableName }));
      await waitUntilTableNotExists({ client, ...WAIT }, { TableName });
    }),
  );
  const left = tables.filter((_, n) => results[n]?.status === 'rejected');
  if (left.length === 0) return;
  throw new Error(`these tables could not be deleted: ${left.join(', ')}; delete them by hand`, {
    cause: results.find((result) => result.status === 'rejected')?.reason,
  });
}
