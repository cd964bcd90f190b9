import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { afterEach, describe, expect, it } from 'vitest';
import { RetryableError, TerminalError } from '../../core/base/errors.ts';
import { systemClock } from '../../core/base/time.ts';
import { quarantineRowOf } from '../../core/tables/quarantine-row.ts';
import type { Publication } from '../../core/wire/forward.ts';
import { integerOf, textOf } from '../../lambda/adapters/attributes.ts';
import { createDataPlane } from '../../lambda/adapters/data-plane.ts';
import { createDedupRecordsTable } from '../../lambda/adapters/deduplicated.ts';
import { variable } from '../../lambda/adapters/environment.ts';
import { createLedgerTable } from '../../lambda/adapters/exactly-once.ts';
import {
  DATA_PLANE_TERMINAL,
  DYNAMODB_TERMINAL,
  failureOf,
} from '../../lambda/adapters/failure.ts';
import { createStateTable } from '../../lambda/adapters/latest.ts';
import { createQuarantineTable } from '../../lambda/adapters/quarantine-table.ts';
import { deliveryOf, stateWrite, windowWrite, writeOf } from '../../tools/handlers/samples.ts';

interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

let server: Server | undefined;

/** A service on the loopback that answers everything alike, and what it was asked. */
async function serviceOf(
  status: number,
  answer: object,
  headers: Readonly<Record<string, string>> = {},
) {
  const asked: Asked[] = [];
  const started = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    asked.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(answer));
  });
  server = started;
  started.listen(0, '127.0.0.1');
  await once(started, 'listening');
  const { port } = started.address() as AddressInfo;
  const settings = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    maxAttempts: 1,
  };
  return { asked, settings };
}

afterEach(async () => {
  const closing = server;
  server = undefined;
  closing?.closeAllConnections();
  await new Promise((resolve) =>
    closing === undefined ? resolve(undefined) : closing.close(resolve),
  );
});

const publication: Publication = {
  topic: 'booked/dev 1/é',
  payload: '{"n":9007199254740993,"s":"é"}',
  qos: 1,
  userProperties: [
    ['tollbridge-id', 'charges#dev-1#a"b\né'],
    ['second', '2'],
  ],
};

describe('a publication', () => {
  it('reaches the data plane with topic, QoS, payload and user properties in order', async () => {
    const { asked, settings } = await serviceOf(200, { message: 'OK' });
    await createDataPlane(new IoTDataPlaneClient(settings)).publish(publication);
    const [request] = asked;
    const url = new URL(request?.path ?? '', 'http://x');
    expect(decodeURIComponent(url.pathname)).toBe('/topics/booked/dev 1/é');
    expect(url.searchParams.get('qos')).toBe('1');
    expect(request?.body.toString()).toBe(publication.payload);
    const header = String(request?.headers['x-amz-mqtt5-user-properties']);
    expect(JSON.parse(Buffer.from(header, 'base64').toString())).toEqual([
      { 'tollbridge-id': 'charges#dev-1#a"b\né' },
      { second: '2' },
    ]);
  });

  it('without user properties sends none', async () => {
    const { asked, settings } = await serviceOf(200, {});
    await createDataPlane(new IoTDataPlaneClient(settings)).publish({
      topic: 't',
      payload: '{}',
      qos: 0,
    });
    expect(asked[0]?.headers).not.toHaveProperty('x-amz-mqtt5-user-properties');
    expect(asked[0]?.path).toContain('qos=0');
  });

  it.each([
    [400, 'InvalidRequestException', TerminalError],
    [413, 'RequestEntityTooLargeException', TerminalError],
    [405, 'MethodNotAllowedException', TerminalError],
    [401, 'UnauthorizedException', RetryableError],
    [403, 'ForbiddenException', RetryableError],
    [429, 'ThrottlingException', RetryableError],
    [500, 'InternalFailureException', RetryableError],
  ])('that is answered %i %s throws accordingly', async (status, name, error) => {
    const { settings } = await serviceOf(status, { message: 'no' }, { 'x-amzn-errortype': name });
    const plane = createDataPlane(new IoTDataPlaneClient(settings));
    const thrown = await plane.publish(publication).catch((reason: unknown) => reason);
    expect(thrown).toBeInstanceOf(error);
    expect((thrown as Error).message).toContain(`publishing failed: ${name}`);
  });

  it('to a service that is not there may be tried again', async () => {
    const client = new IoTDataPlaneClient({
      endpoint: 'http://127.0.0.1:1',
      region: 'eu-central-1',
      credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
      maxAttempts: 1,
    });
    await expect(createDataPlane(client).publish(publication)).rejects.toThrow(RetryableError);
  });
});

describe('a table that answers with an error', () => {
  const typed = (name: string) => ({
    __type: `com.amazonaws.dynamodb.v20120810#${name}`,
    message: 'no',
  });

  it.each([
    [400, 'ValidationException', TerminalError],
    [400, 'ItemCollectionSizeLimitExceededException', TerminalError],
    [400, 'ResourceNotFoundException', RetryableError],
    [400, 'AccessDeniedException', RetryableError],
    [400, 'ThrottlingException', RetryableError],
    [400, 'ProvisionedThroughputExceededException', RetryableError],
    [500, 'InternalServerError', RetryableError],
  ])('%i %s makes every call throw accordingly', async (status, name, error) => {
    const { settings } = await serviceOf(status, typed(name));
    const client = new DynamoDBClient(settings);
    const ledger = createLedgerTable(client, 'ledger');
    const quarantine = createQuarantineTable(client, 'quarantine', systemClock);
    const write = writeOf();
    const row = quarantineRowOf('charges', deliveryOf(), {
      reason: 'late',
      detail: '',
      bodyHash: 'x',
      device: undefined,
      id: undefined,
      answerTo: undefined,
    });
    const deliveries = createDedupRecordsTable(client, 'deliveries');
    const window = windowWrite();
    const old = { ...window.first, tries: 1, windowEndsAtMillis: window.windowEndsAtMillis };
    for (const call of [
      () => ledger.book(write),
      () => ledger.find(write.key),
      () => ledger.count(write, 'delivery-1'),
      () => deliveries.admit(window),
      () => deliveries.find(window.key),
      () => deliveries.count(window, 'delivery-1'),
      () => deliveries.push(window, 'delivery-1'),
      () => deliveries.renew(window, old),
      () => createStateTable(client, 'state').put(stateWrite()),
      () => quarantine.put(row),
    ]) {
      const thrown = await call().catch((reason: unknown) => reason);
      expect(thrown).toBeInstanceOf(error);
      expect((thrown as Error).message).toContain(name);
    }
  });

  it('that holds a row which is not ours may be asked again: an operator can mend it', async () => {
    const refused = { ...typed('ConditionalCheckFailedException'), Item: { pk: { S: 'x' } } };
    const { settings } = await serviceOf(400, refused);
    const ledger = createLedgerTable(new DynamoDBClient(settings), 'ledger');
    await expect(ledger.book(writeOf())).rejects.toThrow(RetryableError);
    const deliveries = createDedupRecordsTable(new DynamoDBClient(settings), 'deliveries');
    await expect(deliveries.admit(windowWrite())).rejects.toThrow(RetryableError);
    const state = createStateTable(new DynamoDBClient(settings), 'state');
    await expect(state.put(stateWrite())).rejects.toThrow(RetryableError);
  });

  it('that lacks its row in an answer may be asked again, and so may one that is read', async () => {
    const foreign = { pk: { S: 'x' } };
    const { settings } = await serviceOf(200, { Item: foreign, Attributes: foreign });
    const ledger = createLedgerTable(new DynamoDBClient(settings), 'ledger');
    await expect(ledger.book(writeOf())).rejects.toThrow(RetryableError);
    await expect(ledger.find(writeOf().key)).rejects.toThrow(RetryableError);
  });
});

describe('a condition that failed without the old item', () => {
  it('is followed by one consistent read, and a row that is gone is tried again', async () => {
    const { asked, settings } = await serviceOf(400, {
      __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
      message: 'The conditional request failed',
    });
    const ledger = createLedgerTable(new DynamoDBClient(settings), 'ledger');
    await expect(ledger.book(writeOf())).rejects.toThrow(RetryableError);
    expect(asked.map(({ headers }) => headers['x-amz-target'])).toEqual([
      'DynamoDB_20120810.UpdateItem',
      'DynamoDB_20120810.GetItem',
    ]);
    expect(JSON.parse(asked[1]?.body.toString() ?? '')).toMatchObject({ ConsistentRead: true });
  });
});

describe('failureOf', () => {
  it('decides by the name of the error, and keeps it as the cause', () => {
    const cause = Object.assign(new Error('too big'), { name: 'ValidationException' });
    const failure = failureOf('booking', cause, DYNAMODB_TERMINAL);
    expect(failure).toBeInstanceOf(TerminalError);
    expect(failure).toMatchObject({
      message: 'booking failed: ValidationException: too big',
      cause,
    });
    expect(failureOf('publishing', cause, DATA_PLANE_TERMINAL)).toBeInstanceOf(RetryableError);
  });

  it.each(['text', undefined, null, 7])('may try again after %j was thrown', (thrown) => {
    expect(failureOf('booking', thrown, DYNAMODB_TERMINAL)).toBeInstanceOf(RetryableError);
  });
});

describe('a row that is read', () => {
  it('must have its attributes in their types', () => {
    const row = {
      s: { S: 'a' },
      n: { N: '7' },
      big: { N: '9007199254740993' },
      part: { N: '1.5' },
    };
    expect(textOf(row, 's')).toBe('a');
    expect(integerOf(row, 'n')).toBe(7);
    expect(() => textOf(row, 'n')).toThrow(TypeError);
    for (const name of ['s', 'big', 'part', 'missing'])
      expect(() => integerOf(row, name)).toThrow(TypeError);
  });
});

describe('a variable of the environment', () => {
  it('that is missing or empty stops the function with its name', () => {
    process.env.TOLLBRIDGE_TEST_EMPTY = '';
    expect(() => variable('TOLLBRIDGE_TEST_EMPTY')).toThrow('TOLLBRIDGE_TEST_EMPTY');
    expect(() => variable('TOLLBRIDGE_TEST_MISSING')).toThrow('TOLLBRIDGE_TEST_MISSING');
    process.env.TOLLBRIDGE_TEST_EMPTY = 'x';
    expect(variable('TOLLBRIDGE_TEST_EMPTY')).toBe('x');
    delete process.env.TOLLBRIDGE_TEST_EMPTY;
  });
});
