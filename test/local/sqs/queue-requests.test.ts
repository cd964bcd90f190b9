/** Goal: the local queues speak to the SDK's client for SQS as SQS does. */

import { createHash } from 'node:crypto';
import { GetTopicRuleCommand, IoTClient } from '@aws-sdk/client-iot';
import {
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { type ApiServer, startApiServer } from '../../../local/api/server.ts';
import { seededChance } from '../../../local/chance.ts';
import { noFaults } from '../../../local/contracts.ts';
import { openTableEngine, type TableEngine } from '../../../local/dynamodb/tables.ts';
import { createQueue, type Queue, type QueueOptions } from '../../../local/sqs/queue.ts';
import { manualScheduler } from '../../../local/timers.ts';

const START = epochMillis(1_795_217_651_000);
const [region, accountId] = ['us-east-1', '000000000000'];
const scheduler = manualScheduler(START);

let engine: TableEngine;
let api: ApiServer;
let queue: Queue;
let dead: Queue;
let isStarting = false;

function make(name: string, redrive: QueueOptions['redrive']): Queue {
  return createQueue({
    name,
    arn: `arn:aws:sqs:${region}:${accountId}:${name}`,
    url: `https://sqs.${region}.amazonaws.com/${accountId}/${name}`,
    visibilityMillis: 30_000,
    retentionMillis: 345_600_000,
    maximumBytes: 4_096,
    redrive,
    scheduler,
    chance: seededChance(1),
    faults: () => noFaults,
    observe: () => undefined,
    changed: () => undefined,
  });
}

beforeAll(async () => {
  engine = await openTableEngine({});
  api = await startApiServer({
    port: 0,
    region,
    accountId,
    engineUrl: engine.url,
    callerOf: (accessKeyId) =>
      accessKeyId === 'operator'
        ? { kind: 'owner' }
        : {
            kind: 'function',
            accessKeyId,
            functionName: 'f',
            roleName: 'role',
            documents: [
              { Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queue.arn }] },
            ],
          },
    kill: async () => false,
    publish: async () => {},
    deployed: {
      queues: () => (isStarting ? undefined : new Map([queue, dead].map((one) => [one.name, one]))),
      rules: () => [],
      stacks: [],
    },
    faults: () => noFaults,
    chance: seededChance(1),
    observe: () => {},
  });
});
beforeEach(() => {
  dead = make('dead', undefined);
  queue = make('queue', { target: () => dead, maxReceiveCount: 1 });
  isStarting = false;
});
afterAll(async () => {
  await api.close();
  await engine.close();
});

const settings = (accessKeyId = 'operator') => ({
  endpoint: api.url,
  region,
  maxAttempts: 1,
  credentials: { accessKeyId, secretAccessKey: 'x' },
});
const sqs = (accessKeyId?: string) => new SQSClient(settings(accessKeyId));

const received = async (of: Queue, changes: object = {}) => {
  const answer = await sqs().send(
    new ReceiveMessageCommand({
      QueueUrl: of.url,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
      ...changes,
    }),
  );
  return answer.Messages ?? [];
};

/** By name: lengths in four bytes, the parts, and 1 for what is text (SQS developer guide). */
const MD5_OF_ATTRIBUTES = createHash('md5')
  .update('\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x02é')
  .update('\0\0\0\x01b\0\0\0\x06Number\x01\0\0\0\x017')
  .digest('hex');

describe('a message', () => {
  it('that is sent is received with its attributes, and gone once deleted', async () => {
    const MessageAttributes = {
      b: { DataType: 'Number', StringValue: '7' },
      a: { DataType: 'String', StringValue: 'é' },
    };
    const sent = await sqs().send(
      new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'é', MessageAttributes }),
    );
    const [message] = await received(queue);
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'é',
      MessageAttributes,
      MD5OfMessageAttributes: MD5_OF_ATTRIBUTES,
      Attributes: { SentTimestamp: String(START), ApproximateReceiveCount: '1' },
    });
    expect(sent.MD5OfMessageAttributes).toBe(MD5_OF_ATTRIBUTES);
    await sqs().send(
      new DeleteMessageCommand({
        QueueUrl: queue.url,
        ReceiptHandle: message?.ReceiptHandle ?? '',
      }),
    );
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 0 });
  });

  it('has the attributes that are asked for, and no others', async () => {
    queue.send('x', { 'a.b': { dataType: 'String', stringValue: '1' } });
    const [message] = await received(queue, {
      VisibilityTimeout: 0,
      MessageAttributeNames: ['a.*'],
      MessageSystemAttributeNames: ['SentTimestamp'],
    });
    expect(Object.keys(message?.MessageAttributes ?? {})).toEqual(['a.b']);
    expect(message?.Attributes).toEqual({ SentTimestamp: String(START) });
  });

  it('that the queue has given up says so, and keeps its first time', async () => {
    queue.send('x');
    await received(queue);
    scheduler.advance(30_000);
    expect(await received(queue)).toEqual([]);
    expect(await received(dead)).toMatchObject([
      { Attributes: { DeadLetterQueueSourceArn: queue.arn, SentTimestamp: expect.any(String) } },
    ]);
    const [view] = dead.peek();
    expect(view?.sentAt).toBeLessThan(scheduler.now());
  });

  it('is hidden for as long as the receiver says, and not at all for 0', async () => {
    dead.send('x');
    await received(dead, { VisibilityTimeout: 5 });
    expect(await received(dead)).toEqual([]);
    scheduler.advance(5_000);
    expect(await received(dead, { VisibilityTimeout: 0 })).toHaveLength(1);
    scheduler.advance(0);
    expect(await received(dead)).toHaveLength(1);
  });
});

describe('a batch', () => {
  it('is answered entry by entry: one bad entry fails no other', async () => {
    const answer = await sqs().send(
      new SendMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: '0', MessageBody: 'a' },
          { Id: '1', MessageBody: 'x'.repeat(5_000) },
          {
            Id: '2',
            MessageBody: 'b',
            MessageAttributes: { e: { DataType: 'String', StringValue: '' } },
          },
        ],
      }),
    );
    expect(answer.Successful?.map(({ Id }) => Id)).toEqual(['0']);
    expect(answer.Failed).toMatchObject([
      { Id: '1', SenderFault: true, Message: expect.stringMatching(/5000 bytes/) },
      { Id: '2', SenderFault: true },
    ]);
    const [message] = await received(queue);
    const gone = await sqs().send(
      new DeleteMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [{ Id: '0', ReceiptHandle: message?.ReceiptHandle ?? '' }],
      }),
    );
    expect(gone.Successful).toMatchObject([{ Id: '0' }]);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 0 });
  });

  it.each([
    ['EmptyBatchRequest', []],
    [
      'BatchEntryIdsNotDistinct',
      [
        { Id: '0', MessageBody: 'a' },
        { Id: '0', MessageBody: 'b' },
      ],
    ],
    [
      'TooManyEntriesInBatchRequest',
      Array.from({ length: 11 }, (_, n) => ({ Id: String(n), MessageBody: 'a' })),
    ],
  ])('is refused whole as %s', async (name, Entries) => {
    const batch = new SendMessageBatchCommand({ QueueUrl: queue.url, Entries });
    await expect(sqs().send(batch)).rejects.toMatchObject({ name });
    expect(queue.depth().visible).toBe(0);
  });
});

describe('a queue', () => {
  it('says how many it holds, of the attributes that are asked for', async () => {
    queue.send('a');
    queue.send('b');
    await received(queue, { MaxNumberOfMessages: 1 });
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
    const { Attributes } = await sqs().send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: [...names] }),
    );
    expect(Attributes).toEqual({ [names[0]]: '1', [names[1]]: '1' });
  });

  it('that is not there is named with those that are', async () => {
    const QueueUrl = `${queue.url}x`;
    await expect(received(queue, { QueueUrl })).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      message: expect.stringContaining(queue.url),
    });
  });

  it('gives a function what its role allows, and no more', async () => {
    const send = new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'a' });
    await sqs('key').send(send);
    const receive = new ReceiveMessageCommand({ QueueUrl: queue.url });
    await expect(sqs('key').send(receive)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('sqs:ReceiveMessage'),
    });
    expect(queue.depth()).toEqual({ visible: 1, inFlight: 0 });
  });

  it.each([
    ['AmazonSQS.PurgeQueue', '{}', /knows GetQueueAttributes.*not PurgeQueue/],
    ['AmazonSQS.__proto__', '{}', /not __proto__/],
    ['AmazonSQS.ReceiveMessage', '{', /not JSON/],
    ['AmazonSQS.ReceiveMessage', 'null', /not as it must be/],
    ['AmazonSQS.ReceiveMessage', '{"QueueUrl":7}', /QueueUrl/],
  ])('%s with the body %s is refused in words', async (target, body, text) => {
    const answer = await fetch(api.url, {
      method: 'POST',
      body,
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=operator/2026',
        'x-amz-target': target,
      },
    });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(text)]);
  });

  it('answers nothing while the cloud is starting', async () => {
    isStarting = true;
    await expect(received(queue)).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
  });
});

it('a rule that is not there is refused as AWS does, to operators; functions read none', async () => {
  const rule = new GetTopicRuleCommand({ ruleName: 'none' });
  await expect(new IoTClient(settings()).send(rule)).rejects.toMatchObject({
    name: 'UnauthorizedException',
    message: "Access to topic rule 'none' was denied",
  });
  await expect(new IoTClient(settings('key')).send(rule)).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });
});
