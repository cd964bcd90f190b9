/** The ledger for a person: pages of rows, and totals in exact decimals. */
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  paginateScan,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { sumOf } from '../../core/base/decimal.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import type { RowKey } from './table-news.ts';
import { shown } from './text.ts';

type Item = Readonly<Record<string, AttributeValue>>;

/** Which rows: those of a device by a route, those of an account in a month, or all. */
export type LedgerFilter =
  | { readonly kind: 'all' }
  | { readonly kind: 'device'; readonly route: string; readonly device: string }
  | {
      readonly kind: 'account';
      readonly account: string;
      /** `YYYY-MM` */
      readonly period: string;
    };

interface LedgerRowShown {
  readonly key: RowKey;
  readonly route: string;
  readonly device: string;
  readonly id: string;
  readonly account: string;
  /** A decimal with all its digits. */
  readonly amount: string;
  readonly unit: string;
  readonly occurredAt: string;
  readonly bookedAt: string;
  /** Null where the index does not hold it. */
  readonly tries: string | null;
}

export interface LedgerPage {
  readonly rows: readonly LedgerRowShown[];
  /** Asks for the next page; null on the last. */
  readonly next: string | null;
}

interface LedgerTotal {
  readonly account: string;
  readonly unit: string;
  readonly rows: number;
  /** A decimal with all its digits. */
  readonly amount: string;
}

export interface LedgerTotals {
  readonly totals: readonly LedgerTotal[];
  /** Rows that were added up. */
  readonly rows: number;
  /** There are more rows than the console adds up. */
  readonly isPartial: boolean;
}

const PAGE_ROWS = 50;
/** The command line adds up more; a page must not keep the cloud busy. */
const TOTAL_ROWS_MAX = 50_000;
const TOTALS_MAX = 500;

export class LedgerPages {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #shards: number;

  /** @param shards the most that any route spreads an account's month over */
  constructor(client: DynamoDBClient, table: string, shards: number) {
    this.#client = client;
    this.#table = table;
    this.#shards = shards;
  }

  /** @throws RangeError for a cursor that no page gave */
  async page(filter: LedgerFilter, cursor: string | undefined): Promise<LedgerPage> {
    const { shard, key } = readCursor(cursor, this.#shards);
    const reads = this.#reads(filter);
    const read = reads[shard];
    if (read === undefined) return { rows: [], next: null };
    const { Items = [], LastEvaluatedKey } = await this.#once(read, key);
    const following: Cursor | undefined =
      LastEvaluatedKey === undefined
        ? (shard + 1 < reads.length && { shard: shard + 1, key: undefined }) || undefined
        : { shard, key: LastEvaluatedKey };
    return {
      rows: Items.map(rowOf),
      next: following === undefined ? null : writeCursor(following),
    };
  }

  async totals(filter: LedgerFilter): Promise<LedgerTotals> {
    const totals = new Map<
      string,
      { account: string; unit: string; rows: number; amount: string }
    >();
    let rows = 0;
    let isPartial = false;
    for await (const item of this.#all(filter)) {
      if (rows === TOTAL_ROWS_MAX) {
        isPartial = true;
        break;
      }
      rows += 1;
      const account = item.account?.S ?? '';
      const unit = item.unit?.S ?? '';
      const name = JSON.stringify([account, unit]);
      const total = totals.get(name) ?? { account, unit, rows: 0, amount: '0' };
      total.rows += 1;
      total.amount = sumOf([total.amount, item.amount?.N ?? '0']);
      totals.set(name, total);
    }
    const sorted = [...totals.values()]
      .toSorted((one, other) => (one.account < other.account ? -1 : 1))
      .slice(0, TOTALS_MAX)
      .map((total) => ({ ...total, account: shown(total.account), unit: shown(total.unit) }));
    return { totals: sorted, rows, isPartial: isPartial || totals.size > TOTALS_MAX };
  }

  /** Every attribute of one row, as texts; undefined where there is none. */
  async row(key: RowKey): Promise<Item | undefined> {
    const { Item } = await this.#client.send(
      new GetItemCommand({
        TableName: this.#table,
        Key: { pk: { S: key.pk }, id: { S: key.id } },
        ConsistentRead: true,
      }),
    );
    return Item;
  }

  /** Rows of one device whose id begins like this: id, amount, and how often it was delivered. */
  async *rowsOf(pk: string, idPrefix: string): AsyncGenerator<Item> {
    const query = {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk AND begins_with(id, :prefix)',
      ExpressionAttributeValues: { ':pk': { S: pk }, ':prefix': { S: idPrefix } },
    };
    for await (const { Items = [] } of paginateQuery({ client: this.#client }, query)) yield* Items;
  }

  async *#all(filter: LedgerFilter): AsyncGenerator<Item> {
    const { client } = { client: this.#client };
    for (const read of this.#reads(filter)) {
      const pages =
        read === 'scan'
          ? paginateScan({ client }, { TableName: this.#table })
          : paginateQuery({ client }, { TableName: this.#table, ...read });
      for await (const { Items = [] } of pages) yield* Items;
    }
  }

  /** One read for each partition that holds such rows. */
  #reads(filter: LedgerFilter): readonly ('scan' | Question)[] {
    switch (filter.kind) {
      case 'all':
        return ['scan'];
      case 'device':
        return [question('pk', `${filter.route}#${filter.device}`)];
      case 'account':
        return Array.from({ length: this.#shards }, (_, shard) => ({
          ...question('accountPeriod', `${filter.account}#${filter.period}#${shard}`),
          IndexName: 'by-account',
        }));
    }
  }

  async #once(read: 'scan' | Question, key: Item | undefined) {
    const from = {
      TableName: this.#table,
      Limit: PAGE_ROWS,
      ...(key !== undefined && { ExclusiveStartKey: { ...key } }),
    };
    return read === 'scan'
      ? await this.#client.send(new ScanCommand(from))
      : await this.#client.send(new QueryCommand({ ...from, ...read }));
  }
}

interface Question {
  readonly KeyConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Record<string, AttributeValue>;
  readonly IndexName?: string;
}

function question(name: string, value: string): Question {
  return {
    KeyConditionExpression: '#key = :key',
    ExpressionAttributeNames: { '#key': name },
    ExpressionAttributeValues: { ':key': { S: value } },
  };
}

function rowOf(item: Item): LedgerRowShown {
  const text = (name: string) => shown(item[name]?.S ?? item[name]?.N ?? '');
  return {
    key: { pk: item.pk?.S ?? '', id: item.id?.S ?? '' },
    route: text('route'),
    device: text('device'),
    id: text('id'),
    account: text('account'),
    amount: item.amount?.N ?? '',
    unit: text('unit'),
    occurredAt: text('occurredAt'),
    bookedAt: text('bookedAt'),
    tries: item.tries?.N ?? null,
  };
}
