import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import type { TablePlan } from '../../../local/assembly/plan.ts';
import {
  createTables,
  engineCredentials,
  openTableEngine,
  type TableEngine,
} from '../../../local/dynamodb/tables.ts';

const region = 'us-east-1';
const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const ledger: TablePlan = {
  stack: 'S',
  logicalId: 'Ledger',
  name: 'S-Ledger',
  arn: 'arn:aws:dynamodb:us-east-1:000000000000:table/S-Ledger',
  attributes: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
    { AttributeName: 'account', AttributeType: 'S' },
  ],
  keySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  indexes: [
    {
      IndexName: 'by-account',
      KeySchema: [{ AttributeName: 'account', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['amount'] },
    },
  ],
};

function dataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-tables-'));
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(dataDir?: string): Promise<{ engine: TableEngine; client: DynamoDBClient }> {
  const engine = await openTableEngine({ dataDir });
  cleanUp.push(() => engine.close());
  const client = new DynamoDBClient({
    endpoint: engine.url,
    region,
    credentials: engineCredentials,
  });
  cleanUp.push(() => client.destroy());
  return { engine, client };
}

const row = {
  pk: { S: 'charges#d1' },
  sk: { S: 'a' },
  account: { S: 'acc' },
  amount: { N: '1.5' },
};
const key = { pk: row.pk, sk: row.sk };

describe('the tables', () => {
  it('are made with keys and indexes of the template, and used as they are when they exist', async () => {
    const { engine, client } = await open();
    await createTables(engine, region, [ledger]);
    await client.send(new PutItemCommand({ TableName: 'S-Ledger', Item: row }));
    await createTables(engine, region, [ledger]);
    const found = await client.send(
      new QueryCommand({
        TableName: 'S-Ledger',
        IndexName: 'by-account',
        KeyConditionExpression: 'account = :a',
        ExpressionAttributeValues: { ':a': { S: 'acc' } },
      }),
    );
    expect(found.Items).toEqual([row]);
  });

  it('are refused when they exist with another schema, saying what differs, and keep their rows', async () => {
    const { engine, client } = await open();
    await createTables(engine, region, [ledger]);
    await client.send(new PutItemCommand({ TableName: 'S-Ledger', Item: row }));
    const changed: TablePlan = {
      ...ledger,
      keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      indexes: [],
    };
    await expect(createTables(engine, region, [changed])).rejects.toThrow(
      /S-Ledger exists with another schema.*wants: the table with HASH pk \(S\)\..*has: the table with HASH pk \(S\), RANGE sk \(S\); index by-account/,
    );
    const { Item } = await client.send(new GetItemCommand({ TableName: 'S-Ledger', Key: key }));
    expect(Item).toEqual(row);
  });

  it('survive a SIGKILL of the process that wrote them', async () => {
    const folder = dataDir();
    const child = fork(writeScript(folder), [], {
      cwd: process.cwd(),
      execArgv: ['--import', 'tsx'],
      env: {
        ...process.env,
        TABLES_DATA_DIR: join(folder, 'data'),
        TABLES_PLAN: JSON.stringify(ledger),
      },
    });
    cleanUp.push(() => child.kill('SIGKILL'));
    const [message] = await once(child, 'message');
    expect(message).toBe('written');
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    expect(await exited).toEqual([null, 'SIGKILL']);

    const { engine, client } = await open(join(folder, 'data'));
    await createTables(engine, region, [ledger]);
    const { Item } = await client.send(
      new GetItemCommand({ TableName: 'S-Ledger', Key: key, ConsistentRead: true }),
    );
    expect(Item).toEqual(row);
  });

  it('cannot be opened by two at once, but again once they are closed', async () => {
    const folder = dataDir();
    const first = await openTableEngine({ dataDir: folder });
    await expect(open(folder)).rejects.toThrow(new RegExp(`in use by process ${process.pid}`));
    await first.close();
    const { engine } = await open(folder);
    await createTables(engine, region, [ledger]);
  });

  it('can be in an engine outside, which must speak http and be there', async () => {
    const { engine } = await open();
    const outside = await openTableEngine({ dynamodbUrl: engine.url });
    await createTables(outside, region, [ledger]);
    await expect(
      openTableEngine({ dynamodbUrl: 'https://dynamodb.us-east-1.amazonaws.com' }),
    ).rejects.toThrow(/http URL/);
    const nobody = await openTableEngine({ dynamodbUrl: 'http://127.0.0.1:9' });
    await expect(createTables(nobody, region, [ledger])).rejects.toThrow(/endpoint running at/);
  });
});

/** A process that writes one row and then waits for its end. */
function writeScript(folder: string): string {
  const tables = new URL('../../../local/dynamodb/tables.ts', import.meta.url).href;
  const sdk = import.meta.resolve('@aws-sdk/client-dynamodb');
  const file = join(folder, 'write.mts');
  writeFileSync(
    file,
    `import { createTables, engineCredentials, openTableEngine } from ${JSON.stringify(tables)};
    import { DynamoDBClient, PutItemCommand } from ${JSON.stringify(sdk)};
    const engine = await openTableEngine({ dataDir: process.env.TABLES_DATA_DIR });
    await createTables(engine, '${region}', [JSON.parse(process.env.TABLES_PLAN)]);
    const client = new DynamoDBClient({ endpoint: engine.url, region: '${region}', credentials: engineCredentials });
    await client.send(new PutItemCommand({ TableName: 'S-Ledger', Item: ${JSON.stringify(row)} }));
    process.send('written');`,
  );
  return file;
}
