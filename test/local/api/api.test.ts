import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DataPlanePublication } from '../../../local/api/publish-requests.ts';
import { type ApiServer, startApiServer } from '../../../local/api/server.ts';
import type { TablePlan } from '../../../local/assembly/plan.ts';
import { seededChance } from '../../../local/chance.ts';
import {
  type CloudEvent,
  type Faults,
  noFaults,
  type PolicyDocument,
} from '../../../local/contracts.ts';
import { createTables, openTableEngine, type TableEngine } from '../../../local/dynamodb/tables.ts';

const region = 'us-east-1';
const accountId = '000000000000';
const tableArn = `arn:aws:dynamodb:${region}:${accountId}:table/Table`;
const functionKey = 'LOCAL000000000000001';

const table: TablePlan = {
  stack: 'S',
  logicalId: 'T',
  name: 'Table',
  arn: tableArn,
  attributes: [{ AttributeName: 'pk', AttributeType: 'S' }],
  keySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  indexes: [
    {
      IndexName: 'index',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
};

/** One for all requests: what has been decided is remembered by it. */
const documents: readonly PolicyDocument[] = [
  {
    Statement: [
      {
        Effect: 'Allow',
        Action: ['dynamodb:PutItem', 'dynamodb:GetItem'],
        Resource: tableArn,
      },
      {
        Effect: 'Allow',
        Action: 'iot:Publish',
        Resource: `arn:aws:iot:${region}:${accountId}:topic/tollbridge/*/receipts`,
      },
    ],
  },
];

let engine: TableEngine;
let api: ApiServer;
let faults: Faults = noFaults;
const events: CloudEvent[] = [];
const killed: string[] = [];
const published: DataPlanePublication[] = [];
const clients: { destroy(): void }[] = [];

beforeAll(async () => {
  engine = await openTableEngine({});
  await createTables(engine, region, [table]);
  api = await startApiServer({
    port: 0,
    region,
    accountId,
    engineUrl: engine.url,
    ...(engine.ask !== undefined && { askEngine: engine.ask }),
    callerOf: (accessKeyId) => {
      if (!accessKeyId.startsWith('LOCAL')) return { kind: 'owner' };
      if (accessKeyId !== functionKey) return { kind: 'stranger' };
      return {
        kind: 'function',
        accessKeyId,
        functionName: 'S-F',
        roleName: 'S-Role',
        documents,
      };
    },
    kill: async (accessKeyId) => killed.push(accessKeyId) > 0,
    publish: async (publication) => void published.push(publication),
    faults: () => faults,
    chance: seededChance(1),
    observe: (event) => events.push(event),
  });
});

afterEach(() => {
  faults = noFaults;
  events.length = 0;
  killed.length = 0;
  published.length = 0;
  for (const client of clients.splice(0)) client.destroy();
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

const settings = (accessKeyId: string) => ({
  endpoint: api.url,
  region,
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey: 'x' },
});

function tables(accessKeyId = functionKey): DynamoDBClient {
  const client = new DynamoDBClient(settings(accessKeyId));
  clients.push(client);
  return client;
}

function dataPlane(accessKeyId = functionKey): IoTDataPlaneClient {
  const client = new IoTDataPlaneClient(settings(accessKeyId));
  clients.push(client);
  return client;
}

const put = (pk: string) => new PutItemCommand({ TableName: 'Table', Item: { pk: { S: pk } } });

async function holds(pk: string): Promise<boolean> {
  const get = new GetItemCommand({
    TableName: 'Table',
    Key: { pk: { S: pk } },
    ConsistentRead: true,
  });
  return (await tables('operator').send(get)).Item !== undefined;
}

describe('DynamoDB', () => {
  it('takes the requests of the SDK, from functions and from operators', async () => {
    await tables().send(put('function'));
    await tables('operator').send(put('operator'));
    expect([await holds('function'), await holds('operator')]).toEqual([true, true]);
  });

  it('gives a function no more than its role allows, in the words of AWS', async () => {
    await expect(
      tables().send(new DescribeTableCommand({ TableName: 'Table' })),
    ).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:sts::${accountId}:assumed-role/S-Role/S-F is not authorized to perform: dynamodb:DescribeTable on resource: ${tableArn} because no identity-based policy allows the dynamodb:DescribeTable action`,
    });
    const query = {
      TableName: 'Table',
      IndexName: 'index',
      KeyConditionExpression: 'pk = :p',
      ExpressionAttributeValues: { ':p': { S: 'a' } },
    };
    await expect(tables().send(new QueryCommand(query))).rejects.toThrow(`${tableArn}/index/index`);
    expect((await tables('operator').send(new QueryCommand(query))).Count).toBe(0);
  });

  it('does not take a key of another run for an operator', async () => {
    await expect(tables('LOCAL000000000000009').send(put('x'))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
  });

  it('throttles functions, never operators, under the fault throttle', async () => {
    faults = { ...noFaults, throttle: 1 };
    await expect(tables().send(put('throttled'))).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    });
    await tables('operator').send(put('not-throttled'));
    expect([await holds('throttled'), await holds('not-throttled')]).toEqual([false, true]);
    expect(events).toEqual([{ kind: 'fault', fault: 'throttle', where: 'S-F PutItem' }]);
  });

  it.each([
    ['crashBeforeWrite', false, [functionKey]],
    ['crashAfterWrite', true, [functionKey]],
    ['loseAnswer', true, []],
  ] as const)(
    'under the fault %s the write is there: %s, and the caller gets no answer',
    async (fault, isThere, ended) => {
      faults = { ...noFaults, [fault]: 1 };
      await expect(tables().send(put(fault))).rejects.toThrow();
      faults = noFaults;
      expect(await holds(fault)).toBe(isThere);
      expect(killed).toEqual(ended);
      const landed = { kind: 'table', functionName: 'S-F', operation: 'PutItem', status: 200 };
      expect(events).toEqual([
        ...(isThere ? [expect.objectContaining(landed)] : []),
        { kind: 'fault', fault, where: 'S-F PutItem' },
      ]);
    },
  );

  it('lets reads and refused writes pass the faults that befall writes', async () => {
    await tables().send(put('there'));
    faults = { ...noFaults, crashAfterWrite: 1, loseAnswer: 1 };
    await tables().send(new GetItemCommand({ TableName: 'Table', Key: { pk: { S: 'there' } } }));
    const conditional = new PutItemCommand({
      TableName: 'Table',
      Item: { pk: { S: 'there' } },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await expect(tables().send(conditional)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
    expect(killed).toEqual([]);
  });
});

describe('a request for DynamoDB that is no JSON object', () => {
  it.each(['null', '[]', '5', '"x"', '{{{', ''])(
    'is refused when it says %j, and ends nothing',
    async (body) => {
      const answer = await fetch(`${api.url}/`, {
        method: 'POST',
        body,
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=operator/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-date': '20260101T000000Z',
          'x-amz-target': 'DynamoDB_20120810.ListTables',
        },
      });
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('SerializationException');
      await tables('operator').send(put('still there'));
      expect(await holds('still there')).toBe(true);
    },
  );
});

describe('the IoT data plane', () => {
  const topic = 'tollbridge/d1/receipts';

  it('hands a publication on with its bytes, QoS, retain flag and user properties', async () => {
    await dataPlane().send(new PublishCommand({ topic, payload: Buffer.from([0, 255]), qos: 1 }));
    await dataPlane('operator').send(
      new PublishCommand({
        topic: 'any thing/ü/%2F',
        payload: Buffer.from('x'),
        retain: true,
        userProperties: JSON.stringify([{ 'tollbridge-id': 'a' }, { b: 'c' }]),
      }),
    );
    expect(published).toEqual([
      { topic, payload: Buffer.from([0, 255]), qos: 1, retain: false, userProperties: [] },
      {
        topic: 'any thing/ü/%2F',
        payload: Buffer.from('x'),
        qos: 0,
        retain: true,
        userProperties: [
          ['tollbridge-id', 'a'],
          ['b', 'c'],
        ],
      },
    ]);
  });

  it.each([
    ['a wildcard', 'a/+/b', 1, 'InvalidRequestException'],
    ['more than eight levels', 'a/b/c/d/e/f/g/h/i', 1, 'InvalidRequestException'],
    ['more than 256 bytes', 'x'.repeat(257), 1, 'InvalidRequestException'],
    ['a payload over 128 KB', 'a', 131_073, 'RequestEntityTooLargeException'],
  ])('refuses %s', async (_name, badTopic, bytes, name) => {
    const publish = new PublishCommand({ topic: badTopic, payload: Buffer.alloc(bytes) });
    await expect(dataPlane('operator').send(publish)).rejects.toMatchObject({ name });
    expect(published).toEqual([]);
  });

  it('lets a function publish where its role allows it, and retain only with that right', async () => {
    const elsewhere = new PublishCommand({ topic: 'booked/d1', payload: Buffer.from('x') });
    await expect(dataPlane().send(elsewhere)).rejects.toMatchObject({
      name: 'ForbiddenException',
      message: expect.stringContaining('iot:Publish'),
    });
    const retained = new PublishCommand({ topic, payload: Buffer.from('x'), retain: true });
    await expect(dataPlane().send(retained)).rejects.toThrow(/iot:RetainPublish/);
    expect(published).toEqual([]);
  });
});

/** A request as a browser or a curious person would send it. */
async function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number | undefined; body: string }> {
  return await new Promise((resolve, reject) => {
    const outgoing = httpRequest(api.url + path, { method, headers, agent: false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

describe('the local API', () => {
  it('answers a name of its own on loopback only', async () => {
    expect(await raw('GET', '/', { host: 'evil.example' })).toMatchObject({ status: 403 });
    expect(await raw('GET', '/', { host: '127.0.0.1.evil.example' })).toMatchObject({
      status: 403,
    });
    expect(await raw('GET', '/', { host: `localhost:${api.port}` })).toMatchObject({ status: 404 });
    expect(await raw('GET', '/', { host: '[::1]' })).toMatchObject({ status: 404 });
  });

  it('says in a sentence what it knows when it is asked for something else', async () => {
    const answer = await raw('POST', '/', { 'x-amz-target': 'AmazonSQS.SendMessage' });
    expect(answer).toMatchObject({
      status: 404,
      body: expect.stringContaining('AmazonSQS.SendMessage'),
    });
  });

  it('refuses what nobody signed', async () => {
    expect(await raw('POST', '/topics/a', {})).toMatchObject({ status: 403 });
    const target = { 'x-amz-target': 'DynamoDB_20120810.ListTables' };
    expect(await raw('POST', '/', target)).toMatchObject({ status: 400 });
    expect(published).toEqual([]);
  });
});
