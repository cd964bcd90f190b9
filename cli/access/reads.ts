/** Reads of tables, page by page: no more than one page is held, whatever the table has. */
import {
  DescribeTableCommand,
  type DynamoDBClient,
  paginateQuery,
  paginateScan,
  type QueryCommandInput,
  type ScanCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Item } from '../output/items.ts';
import type { Progress } from '../output/progress.ts';

/** Rows of a query, each as soon as its page is there. */
export async function* query(
  client: DynamoDBClient,
  input: QueryCommandInput,
  progress?: Progress,
): AsyncGenerator<Item> {
  for await (const { Items = [] } of paginateQuery({ client }, input)) {
    progress?.add(Items.length);
    yield* Items;
  }
}

/** Rows of a scan; say what it costs first (`estimateScan`). */
export async function* scan(
  client: DynamoDBClient,
  input: ScanCommandInput,
  progress?: Progress,
): AsyncGenerator<Item> {
  for await (const { Items = [], ScannedCount = 0 } of paginateScan({ client }, input)) {
    // What a filter leaves out was read, and paid, all the same.
    progress?.add(ScannedCount);
    yield* Items;
  }
}

/** One after the other. */
export async function* chained<T>(parts: Iterable<AsyncIterable<T>>): AsyncGenerator<T> {
  for (const part of parts) yield* part;
}

/** No more than so many, and no page read that is not needed. */
export async function* firstOf<T>(rows: AsyncIterable<T>, limit: number): AsyncGenerator<T> {
  if (limit === 0) return;
  let left = limit;
  for await (const row of rows) {
    yield row;
    if (--left === 0) return;
  }
}

/** What a whole table or index holds, by AWS's own count, which is up to six hours old. */
export interface Size {
  readonly rows: number;
  readonly bytes: number;
}

export async function sizeOf(client: DynamoDBClient, table: string, index?: string): Promise<Size> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  if (index === undefined) {
    return { rows: Table?.ItemCount ?? 0, bytes: Table?.TableSizeBytes ?? 0 };
  }
  const found = Table?.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === index);
  return { rows: found?.ItemCount ?? 0, bytes: found?.IndexSizeBytes ?? 0 };
}
