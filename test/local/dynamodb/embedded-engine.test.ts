/** The embedded engine answers without a socket what it answers by HTTP. */
import updateParser from 'dynalite/db/updateParser.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTables, openTableEngine, type TableEngine } from '../../../local/dynamodb/tables.ts';

const authorization =
  'AWS4-HMAC-SHA256 Credential=tollbridge/20261121/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0';

let engine: TableEngine;

beforeAll(async () => {
  engine = await openTableEngine({});
  await createTables(engine, 'us-east-1', [
    {
      stack: 'S',
      logicalId: 'Table',
      name: 'S-Table',
      arn: 'arn:aws:dynamodb:us-east-1:000000000000:table/S-Table',
      attributes: [{ AttributeName: 'pk', AttributeType: 'S' }],
      keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      indexes: [],
    },
  ]);
});

afterAll(() => engine.close());

const headersOf = (operation: string) => ({
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': `DynamoDB_20120810.${operation}`,
  'x-amz-date': '20261121T000000Z',
  authorization,
});

/** What both ways have to have in common; each request has an id of its own. */
const compared = ['content-type', 'content-length', 'x-amz-crc32', 'access-control-allow-origin'];

async function withoutSocket(headers: Readonly<Record<string, string>>, body: string) {
  const answer = await engine.ask?.(headers, Buffer.from(body));
  expect(answer?.headers['x-amzn-requestid']).toMatch(/^[0-9A-Z]{52}$/);
  return {
    status: answer?.status,
    headers: compared.map((name) => answer?.headers[name] ?? null),
    body: String(answer?.body),
  };
}

async function byHttp(headers: Readonly<Record<string, string>>, body: string) {
  const answer = await fetch(engine.url, { method: 'POST', headers, body });
  return {
    status: answer.status,
    headers: compared.map((name) => answer.headers.get(name)),
    body: await answer.text(),
  };
}

const put = { TableName: 'S-Table', Item: { pk: { S: 'ä' } }, ReturnValues: 'ALL_OLD' };
const refused = {
  TableName: 'S-Table',
  Key: { pk: { S: 'ä' } },
  UpdateExpression: 'SET #a = :a',
  ConditionExpression: 'attribute_not_exists(pk)',
  ExpressionAttributeNames: { '#a': 'a' },
  ExpressionAttributeValues: { ':a': { N: '1' } },
};

it.each([
  ['a write', 'PutItem', JSON.stringify(put), {}],
  ['a condition that fails', 'UpdateItem', JSON.stringify(refused), {}],
  ['a table that is not there', 'GetItem', '{"TableName":"Other","Key":{"pk":{"S":"a"}}}', {}],
  ['an input that is refused', 'PutItem', '{"TableName":"x"}', {}],
  ['an operation that is not known', 'Guess', '{}', {}],
  ['no body', 'ListTables', '', {}],
  ['a body that is no JSON', 'ListTables', '{', {}],
  ['a signature without its parts', 'ListTables', '{}', { authorization: 'AWS4-HMAC-SHA256 x' }],
  ['another content type', 'ListTables', '{}', { 'content-type': 'text/plain' }],
  ['a request of a page', 'ListTables', '{}', { origin: 'https://example.com' }],
])('%s', async (_what, operation, body, changed) => {
  const headers = { ...headersOf(operation), ...changed };
  // The first makes the row that is there for both.
  await byHttp(headers, body);
  expect(await withoutSocket(headers, body)).toEqual(await byHttp(headers, body));
});

it('a write without a socket is there for a read by HTTP', async () => {
  await withoutSocket(
    headersOf('PutItem'),
    JSON.stringify({ ...put, Item: { pk: { S: 'b' }, n: { N: '2' } } }),
  );
  const read = await byHttp(
    headersOf('GetItem'),
    JSON.stringify({ TableName: 'S-Table', Key: { pk: { S: 'b' } } }),
  );
  expect(JSON.parse(read.body)).toEqual({ Item: { pk: { S: 'b' }, n: { N: '2' } } });
});

it('the engine looks its parsers up for each expression, or nothing would be remembered', async () => {
  const { parse } = updateParser;
  const asked: string[] = [];
  updateParser.parse = (text, options) => {
    asked.push(text);
    return parse(text, options);
  };
  try {
    await withoutSocket(headersOf('UpdateItem'), JSON.stringify(refused));
  } finally {
    updateParser.parse = parse;
  }
  expect(asked).toEqual([refused.UpdateExpression]);
});
