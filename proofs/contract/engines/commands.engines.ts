/**
 * Goal: what operators ask is answered alike on dynalite and on DynamoDB Local. Method: two local
 * clouds with the same rows, one on each engine; every statement of docs/queries.md and the commands
 * that ask tables are put to both.
 */
import {
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { gapsCommand } from '../../../cli/commands/gaps.ts';
import { invoiceCommand } from '../../../cli/commands/invoice.ts';
import { ledgerCommand } from '../../../cli/commands/ledger.ts';
import { quarantineCommand } from '../../../cli/quarantine/command.ts';
import { traceCommand } from '../../../cli/trace/command.ts';
import type { Config } from '../../../core/config/route.ts';
import {
  BENCH_CONFIG,
  type Bench,
  runHere,
  startBench,
} from '../../../tools/clouds/asking-ground.ts';
import {
  requestOf,
  seedForQueries,
  statementsOf,
} from '../../../tools/clouds/documented-queries.ts';

/** A name of its own: the demo runs on the same engine, and must find no rows of others. */
const CONFIG: Config = { ...BENCH_CONFIG, name: 'asking' };
vi.mock('../../../tollbridge.config.ts', () => ({ default: CONFIG }));

const url = process.env.TOLLBRIDGE_DYNAMODB_LOCAL ?? '';
const isSkipped = url === '';
if (isSkipped) {
  process.stderr.write(
    'skipped: DynamoDB Local is started by npm run test:engines, and not here\n',
  );
}

const CHARGE = { id: 'c-1', account: 'acme', amount: '0.1', at: '2026-11-20T10:00:00Z' };
const MONTH = ['--period', '2026-11'];
const COMMANDS: readonly (readonly [name: string, make: () => Command, args: readonly string[]])[] =
  [
    ['ledger of a device', ledgerCommand, ['meter-17', '--json']],
    ['ledger of an account', ledgerCommand, ['--account', 'acme', ...MONTH, '--json']],
    ['ledger, all of it', ledgerCommand, ['--yes', '--json']],
    ['invoice', invoiceCommand, ['acme', ...MONTH, '--json']],
    ['invoice of every account', invoiceCommand, [...MONTH, '--yes', '--csv']],
    ['gaps', gapsCommand, ['gate-1', '--json']],
    ['quarantine of a month', quarantineCommand, ['list', ...MONTH, '--json']],
    ['quarantine of a device', quarantineCommand, ['list', '--device', 'meter-17', '--json']],
    ['trace', traceCommand, ['meter-17', 'a-1', '--json']],
  ];

describe.skipIf(isSkipped)('DynamoDB Local answers operators as dynalite does:', () => {
  let embedded: Bench;
  let local: Bench;
  const variables: Readonly<Record<string, string>>[] = [];

  beforeAll(async () => {
    embedded = await startBench(CONFIG);
    local = await startBench(CONFIG, { dynamodbUrl: url });
    for (const bench of [embedded, local]) {
      variables.push(await seedForQueries(bench));
      // A copy, which counts, and numbers that never came.
      await bench.seed('charges', { device: 'meter-17', body: CHARGE });
      await bench.seed('charges', { device: 'meter-17', body: CHARGE, deliveryId: 'copy' });
      await bench.seed('parking', { device: 'gate-1', body: { ...CHARGE, boot: 'b', seq: 13 } });
    }
  });
  afterAll(async () => {
    await embedded?.close();
    await local?.close();
  });

  it('every statement of docs/queries.md', async () => {
    const [one, other] = [
      await answersOf(embedded, variables[0]),
      await answersOf(local, variables[1]),
    ];
    expect(other).toEqual(one);
    expect(Object.keys(one).length).toBeGreaterThan(10);
  });

  it.each(COMMANDS)('%s', async (_, make, args) => {
    const asked = async ({ local: where }: Bench) => {
      const { stdout, stderr, status } = await runHere(make(), [...args, ...where]);
      return { stdout: stdout.split('\n').map(lineText).sort(), stderr, status };
    };
    const [one, other] = [await asked(embedded), await asked(local)];
    expect(other).toEqual(one);
    expect(one.status, one.stderr).not.toBe(2);
    expect(one.stdout.length, 'lines that were compared').toBeGreaterThan(1);
  });
});

/** The rows that a statement finds, by its name. */
async function answersOf(
  bench: Bench,
  variables: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const answers: Record<string, unknown> = {};
  for (const statement of statementsOf(variables)) {
    const { operation, input } = requestOf(statement);
    if (operation === 'DescribeTable') continue;
    const rows = await rowsOf(bench, operation, input as unknown as QueryCommandInput);
    answers[statement.name] = rows.sort();
  }
  return answers;
}

async function rowsOf(
  { client }: Bench,
  operation: string,
  input: QueryCommandInput,
): Promise<string[]> {
  if (operation === 'GetItem') {
    const { Key } = input as unknown as { readonly Key: GetItemCommand['input']['Key'] };
    const { Item } = await client.send(new GetItemCommand({ TableName: input.TableName, Key }));
    return [textOf(Item ?? {})];
  }
  const command = operation === 'Scan' ? new ScanCommand(input) : new QueryCommand(input);
  const { Items = [], Count } = await client.send(command as QueryCommand);
  return [`${Count} found`, ...Items.map(textOf)];
}

/**
 * Without what no engine promises: the order of attributes, and of rows with one key of an index.
 * Ids of deliveries are counted up through both clouds.
 */
function textOf(item: object): string {
  const entries = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries).replaceAll(/delivery-\d+/g, 'delivery');
}

/** A line of JSON as `textOf`, another as it is. */
function lineText(line: string): string {
  return line.startsWith('{') ? textOf(JSON.parse(line) as object) : line;
}
