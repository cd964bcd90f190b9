/** Everything that the tables know of one message, on every route and under every reading of its id. */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { Route } from '../../core/config/route.ts';
import { partitionOf } from '../../core/message/id.ts';
import { candidatesOf, type IdTaking } from '../../core/operations/id-candidates.ts';
import type { BridgeClient, TableKind } from '../access/access.ts';
import { firstOf, query } from '../access/reads.ts';
import type { Item } from '../output/items.ts';

interface Found {
  readonly route: Route;
  /** What the id was taken for; a `latest` row is found by its topic. */
  readonly reading: IdTaking | 'topic';
  readonly item: Item;
}

/** A row of the table of the route's guarantee. */
export interface FoundRow extends Found {
  readonly table: TableKind;
}

export interface Findings {
  readonly rows: readonly FoundRow[];
  readonly quarantined: readonly Found[];
  /** Keys that were looked for, for who finds nothing. */
  readonly tried: readonly string[];
}

export type FoundQuarantine = Found;

/** A device can fill the quarantine with bodies of one id. */
const QUARANTINED_MAX = 1_000;

export async function findMessage(
  access: BridgeClient,
  routes: readonly Route[],
  device: string,
  told: string,
): Promise<Findings> {
  const rows: FoundRow[] = [];
  const quarantined: Found[] = [];
  const tried: string[] = [];
  for (const route of routes) {
    if (route.guarantee === 'latest') {
      tried.push(`${device} ${told} (topic)`);
      const item = await get(access, 'state', device, told);
      // The table's key holds no route; two routes may share a device.
      if (item?.route?.S === route.name)
        rows.push({ route, reading: 'topic', table: 'state', item });
      continue;
    }
    const table = route.guarantee === 'exactly-once' ? 'ledger' : 'dedupRecords';
    const pk = partitionOf(route.name, device);
    for (const { reading, key } of candidatesOf(told)) {
      tried.push(`${pk}#${key} (${reading})`);
      const item = await get(access, table, pk, key);
      if (item !== undefined) rows.push({ route, reading, table, item });
      for await (const found of quarantineOf(access, pk, key)) {
        quarantined.push({ route, reading, item: found });
      }
    }
  }
  return { rows, quarantined, tried };
}

async function get(
  access: BridgeClient,
  table: TableKind,
  pk: string,
  id: string,
): Promise<Item | undefined> {
  const { Item: item } = await access.dynamodb.send(
    new GetItemCommand({
      TableName: access.tables[table],
      Key: { pk: { S: pk }, id: { S: id } },
      ConsistentRead: true,
    }),
  );
  return item;
}

async function* quarantineOf(access: BridgeClient, pk: string, key: string): AsyncGenerator<Item> {
  const rows = query(access.dynamodb, {
    TableName: access.tables.quarantine,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :id)',
    ExpressionAttributeValues: { ':pk': { S: pk }, ':id': { S: `${key}#` } },
  });
  // An id may hold a #: that of `a#b` begins like those of `a`.
  for await (const item of firstOf(rows, QUARANTINED_MAX)) if (item.id?.S === key) yield item;
}
