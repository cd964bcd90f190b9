/** The tables of a run on AWS, tried on dynalite: made, used, deleted, and no other touched. */
import {
  CreateTableCommand,
  type DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLedgerTable } from '../../../lambda/adapters/exactly-once.ts';
import { writeOf } from '../../../tools/handlers/samples.ts';
import { type Dynalite, localClient, startDynalite } from '../../../tools/stores/dynalite-store.ts';
import { makeAwsStore } from './aws-store.ts';

describe('a run on AWS', () => {
  let engine: Dynalite;
  let client: DynamoDBClient;
  beforeAll(async () => {
    engine = await startDynalite();
    client = localClient(engine.url);
  });
  afterAll(async () => {
    client.destroy();
    await engine.close();
  });
  beforeEach(() => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', engine.url);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'none');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'none');
    // No file of this machine is read.
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
  });
  afterEach(() => vi.unstubAllEnvs());

  const tables = async () => (await client.send(new ListTablesCommand({}))).TableNames ?? [];
  const create = (TableName: string) =>
    client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      }),
    );

  it('makes four tables of its prefix, which can be booked into, and deletes them at the end', async () => {
    const store = await makeAwsStore('run-1-');
    const names = ['DedupRecords', 'Ledger', 'Quarantine', 'State'].map((name) => `run-1-${name}`);
    expect((await tables()).toSorted()).toEqual(names);
    const ledger = createLedgerTable(store.client, store.tables.ledger);
    expect((await ledger.book(writeOf())).kind).toBe('written');
    await store.close();
    expect(await tables()).toEqual([]);
  });

  it('does not touch a table that exists, and takes back those that it has made before', async () => {
    await create('run-2-State');
    await expect(makeAwsStore('run-2-')).rejects.toThrow(
      /run-2-State exists already and was not touched.*Choose another TOLLBRIDGE_AWS_TEST_TABLE_PREFIX/,
    );
    expect(await tables()).toEqual(['run-2-State']);
  });

  it('is refused without a Region, before anything is made', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined);
    await expect(makeAwsStore('run-3-')).rejects.toThrow(/no AWS Region is set.*AWS_REGION/);
    expect((await tables()).filter((name) => name.startsWith('run-3-'))).toEqual([]);
  });

  it.each(['', 'a b', 'é', 'x/', 'x'.repeat(201)])(
    'is refused with the prefix %j',
    async (prefix) => {
      await expect(makeAwsStore(prefix)).rejects.toThrow(/1 to 200 letters, digits/);
    },
  );
});
