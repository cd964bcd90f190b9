/**
 * Goal: every statement of docs/queries.md works as it stands. Method: each is translated to a
 * request of the SDK and sent to the local tables; `queries.programs.ts` runs them by the AWS
 * command line itself.
 */
import {
  DescribeTableCommand,
  GetItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLogs } from '../../cli/access/logs.ts';
import { type Bench, startBench } from '../../tools/clouds/asking-ground.ts';
import {
  document,
  EXPECTED,
  requestOf,
  type Statement,
  seedForQueries,
  statementsOf,
} from '../../tools/clouds/documented-queries.ts';

let bench: Bench;
let statements: readonly Statement[];
const names = [...document.matchAll(/```sh query ([\w-]+)/g)].map(([, name = '']) => name);

beforeAll(async () => {
  bench = await startBench();
  statements = statementsOf(await seedForQueries(bench));
});

afterAll(() => bench.close());

async function send(statement: Statement): Promise<object> {
  const { operation, input } = requestOf(statement);
  const { client } = bench;
  // What the command line checks against AWS's own model, the SDK's types and the table do here.
  const { TableName } = input as { readonly TableName: string };
  const { Key = {} } = input as { readonly Key?: GetItemCommand['input']['Key'] };
  switch (operation) {
    case 'Query':
      return client.send(new QueryCommand({ ...input, TableName }));
    case 'Scan':
      return client.send(new ScanCommand({ ...input, TableName }));
    case 'GetItem':
      return client.send(new GetItemCommand({ ...input, TableName, Key }));
    case 'DescribeTable':
      return client.send(new DescribeTableCommand({ ...input, TableName }));
    default:
      throw new Error(`a statement asks for ${operation}`);
  }
}

describe('docs/queries.md', () => {
  it('has the statements that are expected, each once', () => {
    expect(names).toEqual(Object.keys(EXPECTED));
  });

  it.each(names)('asks %s as it stands', async (name) => {
    const statement = statements.find((each) => each.name === name);
    const [look, seen] = EXPECTED[name] ?? [];
    if (statement === undefined || look === undefined) throw new Error(`there is no ${name}`);
    expect(look(await send(statement))).toEqual(seen);
  });

  it('uses no parameter that DynamoDB does not have', () => {
    const known = new Set(
      'TableName IndexName ConsistentRead Select KeyConditionExpression FilterExpression ProjectionExpression ExpressionAttributeNames ExpressionAttributeValues Key'.split(
        ' ',
      ),
    );
    for (const statement of statements) {
      const unknown = Object.keys(requestOf(statement).input).filter((name) => !known.has(name));
      expect(unknown, statement.name).toEqual([]);
    }
  });

  it('shows the question to Logs Insights that the command asks', async () => {
    const [, shown = ''] = /```text insights\n([\s\S]*?)```/.exec(document) ?? [];
    const sent: string[] = [];
    const client = {
      send: async ({ input }: { input: { queryString?: string } }) => {
        if (input.queryString !== undefined) sent.push(input.queryString);
        return { queryId: 'q', status: 'Complete' };
      },
      destroy: () => {},
    };
    const access = {
      kind: 'aws',
      client: () => client,
      resources: async () => [
        {
          type: 'AWS::Logs::LogGroup',
          logicalId: 'RoutesChargesIngestLog737C1FF3',
          physicalId: 'g',
        },
      ],
    };
    const logs = openLogs(access as unknown as Parameters<typeof openLogs>[0]);
    const range = { from: 0, to: 1 } as Parameters<typeof logs.copies>[1];
    await logs.copies([{ name: 'charges' } as Parameters<typeof logs.copies>[0][0]], range, 20);
    const plain = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
    expect(sent.map(plain)).toEqual([plain(shown)]);
  });
});
