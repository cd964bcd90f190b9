/** What the contracts of `proofs/contract` are asked of: an engine under the three tables of messages. */
import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { MessageKey } from '../../core/message/id.ts';
import type { DedupRecords, Ledger, Releases, State } from '../../core/tables/ports.ts';
import { attributeOf } from '../../lambda/adapters/attributes.ts';
import { createDedupRecordsTable } from '../../lambda/adapters/deduplicated.ts';
import { createLedgerTable } from '../../lambda/adapters/exactly-once.ts';
import { createStateTable } from '../../lambda/adapters/latest.ts';
import {
  createDedupRecordsReleases,
  createLedgerReleases,
} from '../../lambda/adapters/releases.ts';
import { MemoryDedupRecords, MemoryLedger, MemoryState } from './memory-stores.ts';

export type Item = Readonly<Record<string, AttributeValue>>;
type TableName = 'ledger' | 'dedupRecords' | 'state';

export interface Engine {
  readonly ledger: Ledger;
  readonly dedupRecords: DedupRecords;
  readonly state: State;
  /** What the handshake sees of ledger and dedup records. */
  readonly releases: Readonly<Record<'ledger' | 'dedupRecords', Releases>>;
  /** Every attribute of a row, key included; none where there is no row. */
  item(table: TableName, key: MessageKey): Promise<Item>;
  /** Makes a row one that older code has written: of version 0, and without this attribute. */
  age(table: TableName, key: MessageKey, without: string): Promise<void>;
  /** What TTL does, whenever it likes. */
  sweep(table: TableName, key: MessageKey): Promise<void>;
  /** The index by-account: sort keys in their order. */
  byAccount(accountPeriod: string): Promise<readonly (string | undefined)[]>;
  close(): Promise<void>;
}

/** A client and four tables, laid out as the template has them. */
export interface Store {
  readonly client: DynamoDBClient;
  readonly tables: Readonly<Record<TableName | 'quarantine', string>>;
  readonly close: () => Promise<void>;
}

/** Any engine that speaks DynamoDB, through the real adapters. */
export function dynamoEngine({ client, tables, close }: Store): Engine {
  const keyOf = ({ pk, id }: MessageKey) => ({ pk: { S: pk }, id: { S: id } });
  const item = async (table: TableName, key: MessageKey): Promise<Item> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tables[table], Key: keyOf(key), ConsistentRead: true }),
    );
    return Item ?? {};
  };
  return {
    ledger: createLedgerTable(client, tables.ledger),
    dedupRecords: createDedupRecordsTable(client, tables.dedupRecords),
    state: createStateTable(client, tables.state),
    releases: {
      ledger: createLedgerReleases(client, tables.ledger),
      dedupRecords: createDedupRecordsReleases(client, tables.dedupRecords),
    },
    item,
    age: async (table, key, without) => {
      const { [without]: _, ...rest } = await item(table, key);
      const Item = { ...rest, rowVersion: { N: '0' } };
      await client.send(new PutItemCommand({ TableName: tables[table], Item }));
    },
    sweep: async (table, key) => {
      await client.send(new DeleteItemCommand({ TableName: tables[table], Key: keyOf(key) }));
    },
    byAccount: async (accountPeriod) => {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName: tables.ledger,
          IndexName: 'by-account',
          KeyConditionExpression: 'accountPeriod = :period',
          ExpressionAttributeValues: { ':period': { S: accountPeriod } },
        }),
      );
      return Items.map(({ occurrence }) => occurrence?.S);
    },
    close,
  };
}

/** The stores in memory that other tests rely on, held to the same contracts. */
export function memoryEngine(): Engine {
  const [ledger, dedupRecords, state] = [
    new MemoryLedger(),
    new MemoryDedupRecords(),
    new MemoryState(),
  ];
  const tables = { ledger, dedupRecords, state };
  return {
    ...tables,
    releases: { ledger, dedupRecords },
    item: async (table, key) => {
      const row = tables[table].get(key);
      if (row === undefined) return {};
      const attributes = Object.entries({ ...key, ...row });
      return Object.fromEntries(attributes.map(([name, value]) => [name, attributeOf(value)]));
    },
    age: async (table, key, without) => tables[table].age(key, without),
    sweep: async (table, key) => tables[table].remove(key),
    byAccount: async (accountPeriod) =>
      [...ledger.rows.values()]
        .filter((row) => row.accountPeriod === accountPeriod)
        .map(({ occurrence }) => occurrence)
        .sort(),
    close: async () => {},
  };
}
