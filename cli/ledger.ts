/** `tollbridge ledger`: the booked messages of a device, from the local cloud's tables. */
import {
  type AttributeValue,
  type DynamoDBClient,
  paginateListTables,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import Table from 'cli-table3';
import { Command } from 'commander';
import { partitionOf } from '../core/identity.ts';
import { localDynamoDB } from './local-tables.ts';
import { httpUrl } from './options.ts';
import { print } from './print.ts';
import { findRoute } from './routes.ts';

interface Flags {
  readonly route: string;
  readonly endpoint: string;
  readonly json: boolean;
}

type Item = Readonly<Record<string, AttributeValue>>;

const COLUMNS = ['id', 'account', 'amount', 'unit', 'occurredAt', 'bookedAt', 'tries'] as const;

export function ledgerCommand(): Command {
  return new Command('ledger')
    .description('print the booked messages of a device')
    .argument('<device>', 'the thing')
    .option('--route <name>', 'the route they came by', 'charges')
    .option('--endpoint <url>', "the local cloud's tables", httpUrl, 'http://127.0.0.1:8000')
    .option('--json', 'print one JSON object a row', false)
    .action(async (device: string, flags: Flags) => {
      await assertLedger(flags.route, device);
      const client = localDynamoDB(flags.endpoint);
      const table = await ledgerTable(client, flags.endpoint);
      const rows = await rowsOf(client, table, partitionOf(flags.route, device));
      if (flags.json) for (const row of rows) print(JSON.stringify(plain(row)));
      else print(tableOf(rows));
    });
}

/** "0 rows" would say that nothing was booked, where nothing ever could be. */
async function assertLedger(routeName: string, device: string): Promise<void> {
  const route = await findRoute(routeName);
  if (route.guarantee !== 'exactly-once') {
    throw new Error(
      `routes.${routeName} is '${route.guarantee}'; only exactly-once routes have a ledger`,
    );
  }
  if (device === '' || /[/+#\0]/.test(device)) {
    throw new Error('a device is a level of a topic: not empty, and without / + # or a zero byte');
  }
}

async function ledgerTable(client: DynamoDBClient, endpoint: string): Promise<string> {
  const names: string[] = [];
  try {
    for await (const page of paginateListTables({ client }, {}))
      names.push(...(page.TableNames ?? []));
  } catch (error) {
    throw new Error(
      `no tables can be read at ${endpoint}; bring the local cloud up with: npm start`,
      {
        cause: error,
      },
    );
  }
  const name = names.find((candidate) => /-Ledger/.test(candidate));
  if (name === undefined)
    throw new Error(`there is no ledger at ${endpoint}; tables: ${names.join(', ')}`);
  return name;
}

async function rowsOf(client: DynamoDBClient, table: string, pk: string): Promise<readonly Item[]> {
  const rows: Item[] = [];
  const query = {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: pk } },
  };
  for await (const page of paginateQuery({ client }, query)) rows.push(...(page.Items ?? []));
  return rows;
}

function tableOf(rows: readonly Item[]): string {
  const table = new Table({ head: [...COLUMNS], style: { head: [], border: [] } });
  // Ids are a device's own text: JSON's escapes keep control characters off the terminal.
  const cell = (value: string) => JSON.stringify(value).slice(1, -1);
  for (const row of rows) table.push(COLUMNS.map((name) => cell(plain(row)[name] ?? '')));
  return `${table.toString()}\n${rows.length === 1 ? '1 row' : `${rows.length} rows`}`;
}

/** Attributes as texts: numbers keep their digits. */
function plain(row: Item): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value.S ?? value.N ?? null]),
  );
}
