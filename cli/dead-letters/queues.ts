/** The queues of a route by the API of SQS, on AWS or at the local cloud. */
import {
  type BatchResultErrorEntry,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { epochMillis } from '../../core/base/time.ts';
import { redrivenAttributes, type TextAttribute } from '../../core/operations/redrive.ts';
import type { BridgeClient } from '../access/access.ts';
import type { DeadLetter, QueuePair } from './mover.ts';

export interface QueuedMessage extends DeadLetter {
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** ARN of the queue that gave it up; undefined for what Lambda itself put there. */
  readonly source: string | undefined;
  readonly receives: number;
}

export interface Depth {
  readonly visible: number;
  readonly inFlight: number;
}

/** Long enough to send and delete a batch with every retry of the client. */
const HIDDEN_SECONDS = 120;
/** Asks all servers of the queue, where an answer at once could miss some. */
const WAIT_SECONDS = 1;
/** SQS: attributes of a message. */
const ATTRIBUTES_MAX = 10;

export function sqsOf(access: BridgeClient): SQSClient {
  return access.client((settings) => new SQSClient(settings));
}

export async function depthOf(sqs: SQSClient, url: string): Promise<Depth> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}

/** Looks at some without hiding them; to SQS each look is a receive all the same. */
export function peek(sqs: SQSClient, url: string, max: number): Promise<readonly QueuedMessage[]> {
  return receive(sqs, url, max, 0);
}

/** From a dead-letter queue to the queue of its route. */
export function waysOf(sqs: SQSClient, from: string, to: string): QueuePair<QueuedMessage> {
  return {
    receive: (max) => receive(sqs, from, max, HIDDEN_SECONDS),
    send: async (messages) => {
      const Entries = messages.map((message, n) => ({
        Id: String(n),
        MessageBody: message.body,
        MessageAttributes: attributesOf(message),
      }));
      const { Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: to, Entries }));
      return failuresOf(messages, Failed);
    },
    remove: async (messages) => {
      const Entries = messages.map(({ handle }, n) => ({ Id: String(n), ReceiptHandle: handle }));
      const { Failed } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: from, Entries }));
      return failuresOf(messages, Failed);
    },
  };
}

async function receive(
  sqs: SQSClient,
  url: string,
  max: number,
  hiddenSeconds: number,
): Promise<readonly QueuedMessage[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: max,
      VisibilityTimeout: hiddenSeconds,
      WaitTimeSeconds: WAIT_SECONDS,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: [
        'SentTimestamp',
        'ApproximateReceiveCount',
        'DeadLetterQueueSourceArn',
      ],
    }),
  );
  return Messages.map(messageOf);
}

function messageOf(message: Message): QueuedMessage {
  const { MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} } = message;
  return {
    messageId: MessageId,
    handle: ReceiptHandle,
    body: Body,
    sentAt: epochMillis(Number(Attributes.SentTimestamp)),
    receives: Number(Attributes.ApproximateReceiveCount ?? 0),
    source: Attributes.DeadLetterQueueSourceArn,
    attributes: message.MessageAttributes ?? {},
  };
}

/** What came along, and when it first arrived. SQS refuses an empty value that it gave out itself. */
function attributesOf({ body, sentAt, attributes }: QueuedMessage) {
  const texts: Record<string, TextAttribute> = {};
  for (const [name, { StringValue = '' }] of Object.entries(attributes)) {
    texts[name] = { dataType: 'String', stringValue: StringValue };
  }
  const kept = Object.entries(attributes).filter(
    ([, { StringValue, BinaryValue }]) =>
      (StringValue !== undefined && StringValue !== '') || (BinaryValue?.length ?? 0) > 0,
  );
  const added = Object.entries(redrivenAttributes(body, sentAt, texts)).flatMap(
    ([name, { dataType, stringValue }]): [string, MessageAttributeValue][] =>
      Object.hasOwn(attributes, name)
        ? []
        : [[name, { DataType: dataType, StringValue: stringValue }]],
  );
  return Object.fromEntries(
    [...added, ...kept]
      .slice(0, ATTRIBUTES_MAX)
      .map(([name, { DataType, StringValue, BinaryValue }]) => [
        name,
        {
          DataType,
          ...(StringValue !== undefined && { StringValue }),
          ...(BinaryValue !== undefined && { BinaryValue }),
        },
      ]),
  );
}

function failuresOf<DeadLetterMessage>(
  messages: readonly DeadLetterMessage[],
  failed: readonly BatchResultErrorEntry[] = [],
): ReadonlyMap<DeadLetterMessage, string> {
  return new Map(
    failed.flatMap(({ Id, Code = '', Message: text = '' }): [DeadLetterMessage, string][] => {
      const message = messages[Number(Id)];
      return message === undefined ? [] : [[message, `${Code}: ${text}`]];
    }),
  );
}
