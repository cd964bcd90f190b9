/**
 * Amazon SQS (AWS JSON 1.0) as far as operators need it: attributes, receive, send, delete. The
 * queues are those that rules and functions use, so whoever receives here hides a message there.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import {
  type MessageAttributes,
  type Queue,
  QueueError,
  type ReceivedMessage,
} from '../sqs/queue.ts';
import type { ApiAnswer } from './answers.ts';
import { type ApiCaller, denialOf } from './caller.ts';

export const queueTargetPrefix = 'AmazonSQS.';

/** API reference: entries of a batch, messages of a receive. */
const BATCH_MAX = 10;
/** API reference, SendMessageBatch: all bodies and attributes together. */
const BATCH_BYTES_MAX = 1_048_576;
const VISIBILITY_SECONDS_MAX = 43_200;

export interface QueueRequest {
  readonly accountId: string;
  readonly caller: ApiCaller;
  readonly operation: string;
  readonly body: Buffer;
}

/** Answers a request to one of these queues, by their names. */
export function handleQueues(queues: ReadonlyMap<string, Queue>, request: QueueRequest): ApiAnswer {
  try {
    const { operation } = request;
    const run = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (run === undefined) {
      const known = Object.keys(OPERATIONS).join(', ');
      throw new Fault(
        'UnknownOperationException',
        `The local cloud knows ${known} of Amazon SQS, not ${operation}.`,
      );
    }
    const input: unknown = readJson(request.body);
    return answered(run(queueOf(queues, input, request), input));
  } catch (error) {
    if (error instanceof Fault) return refused(error.type, error.message);
    if (error instanceof z.ZodError) {
      const message = `The request is not as it must be: ${z.prettifyError(error)}`;
      return refused('InvalidParameterValue', message);
    }
    throw error;
  }
}

class Fault extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Fault('SerializationException', 'The body of the request is not JSON.');
  }
}

function answered(value: object, status = 200): ApiAnswer {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return { status, headers, body: Buffer.from(JSON.stringify(value)) };
}

function refused(type: string, message: string): ApiAnswer {
  return answered({ __type: `com.amazonaws.sqs#${type}`, message }, 400);
}

/** The queue that the request names, if its caller may do this there. */
function queueOf(
  queues: ReadonlyMap<string, Queue>,
  input: unknown,
  { caller, accountId, operation }: QueueRequest,
): Queue {
  const { QueueUrl } = z.looseObject({ QueueUrl: z.string() }).parse(input);
  const queue = [...queues.values()].find(({ url }) => url === QueueUrl);
  if (queue === undefined) {
    const known = [...queues.values()].map(({ url }) => url).join(', ');
    throw new Fault('QueueDoesNotExist', `There is no queue ${QueueUrl}. There are: ${known}.`);
  }
  // A batch needs the right of its single action (service authorization reference).
  const action = `sqs:${operation.replace(/Batch$/, '')}`;
  const denial = denialOf(caller, accountId, [{ action, resource: queue.arn }]);
  if (denial !== undefined) throw new Fault('AccessDeniedException', denial);
  return queue;
}

type Operation = (queue: Queue, input: unknown) => object;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  GetQueueAttributes: (queue, input) => ({ Attributes: queueAttributes(queue, input) }),
  ReceiveMessage: receive,
  SendMessage: (queue, input) => sent(queue, entrySchema.parse(input)),
  SendMessageBatch: sendBatch,
  DeleteMessage: (queue, input) => {
    queue.delete(z.looseObject({ ReceiptHandle: z.string() }).parse(input).ReceiptHandle);
    return {};
  },
  DeleteMessageBatch: deleteBatch,
};

function queueAttributes(queue: Queue, input: unknown): Readonly<Record<string, string>> {
  const schema = z.looseObject({ AttributeNames: z.array(z.string()).default([]) });
  const { AttributeNames: names } = schema.parse(input);
  const { visible, inFlight } = queue.depth();
  const known: Readonly<Record<string, string>> = {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: '0',
    MessageRetentionPeriod: String(queue.retentionSeconds),
    VisibilityTimeout: String(queue.visibilitySeconds),
  };
  const isWanted = (name: string) => names.includes('All') || names.includes(name);
  return Object.fromEntries(Object.entries(known).filter(([name]) => isWanted(name)));
}

const receiveSchema = z.looseObject({
  MaxNumberOfMessages: z.int().min(1).max(BATCH_MAX).default(1),
  VisibilityTimeout: z.int().min(0).max(VISIBILITY_SECONDS_MAX).optional(),
  // What waits is not waited for: all that was sent is there at once.
  WaitTimeSeconds: z.int().min(0).max(20).optional(),
  AttributeNames: z.array(z.string()).default([]),
  MessageSystemAttributeNames: z.array(z.string()).default([]),
  MessageAttributeNames: z.array(z.string()).default([]),
});

function receive(queue: Queue, input: unknown): object {
  const wanted = receiveSchema.parse(input);
  const messages = queue.receive(
    wanted.MaxNumberOfMessages,
    wanted.VisibilityTimeout === undefined ? undefined : wanted.VisibilityTimeout * 1_000,
  );
  if (messages.length === 0) return {};
  const system = [...wanted.AttributeNames, ...wanted.MessageSystemAttributeNames];
  return { Messages: messages.map((each) => shown(each, system, wanted.MessageAttributeNames)) };
}

function shown(message: ReceivedMessage, system: readonly string[], names: readonly string[]) {
  const { messageId, receiptHandle, body, md5OfBody, deadLetterSourceArn } = message;
  const attributes: Readonly<Record<string, string | undefined>> = {
    SentTimestamp: String(message.sentAt),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ApproximateReceiveCount: String(message.receiveCount),
    DeadLetterQueueSourceArn: deadLetterSourceArn,
  };
  const own = Object.fromEntries(
    Object.entries(message.messageAttributes).filter(([name]) => isNamed(name, names)),
  );
  return {
    MessageId: messageId,
    ReceiptHandle: receiptHandle,
    MD5OfBody: md5OfBody,
    Body: body,
    Attributes: Object.fromEntries(
      Object.entries(attributes).filter(
        ([name, value]) => value !== undefined && isNamed(name, system),
      ),
    ),
    ...(Object.keys(own).length > 0 && {
      MD5OfMessageAttributes: md5OfAttributes(own),
      MessageAttributes: Object.fromEntries(
        Object.entries(own).map(([name, { dataType, stringValue }]) => [
          name,
          { DataType: dataType, StringValue: stringValue },
        ]),
      ),
    }),
  };
}

/** `All`, `.*`, a name, or the beginning of one before `.*`. */
function isNamed(name: string, names: readonly string[]): boolean {
  return names.some(
    (each) =>
      each === 'All' ||
      each === name ||
      (each.endsWith('.*') && name.startsWith(each.slice(0, -2))),
  );
}

const attributeSchema = z.object({
  DataType: z.enum(['String', 'Number'], { error: 'the local cloud takes String and Number' }),
  // SQS refuses an empty value.
  StringValue: z.string().min(1),
});
const entrySchema = z.looseObject({
  MessageBody: z.string().min(1),
  DelaySeconds: z.literal(0, { error: 'only 0: deliveries are not held back' }).optional(),
  MessageAttributes: z.record(z.string(), attributeSchema).default({}),
});
type Entry = z.infer<typeof entrySchema>;

function attributesOf({ MessageAttributes }: Entry): MessageAttributes {
  const entries = Object.entries(MessageAttributes);
  if (entries.length > BATCH_MAX) {
    throw new Fault(
      'InvalidParameterValue',
      `A message has up to ${BATCH_MAX} attributes, not ${entries.length}.`,
    );
  }
  return Object.fromEntries(
    entries.map(([name, { DataType, StringValue }]) => [
      name,
      { dataType: DataType, stringValue: StringValue },
    ]),
  );
}

function sent(queue: Queue, entry: Entry): object {
  const attributes = attributesOf(entry);
  try {
    return {
      MessageId: queue.send(entry.MessageBody, attributes),
      MD5OfMessageBody: createHash('md5').update(entry.MessageBody).digest('hex'),
      ...(Object.keys(attributes).length > 0 && {
        MD5OfMessageAttributes: md5OfAttributes(attributes),
      }),
    };
  } catch (error) {
    if (error instanceof QueueError) throw new Fault('InvalidParameterValue', error.message);
    throw error;
  }
}

function sendBatch(queue: Queue, input: unknown): object {
  const { Entries } = z.looseObject({ Entries: z.array(z.unknown()) }).parse(input);
  const named = batchOf(Entries);
  const bytes = named.reduce((sum, { entry }) => sum + Buffer.byteLength(textOf(entry)), 0);
  if (bytes > BATCH_BYTES_MAX) {
    throw new Fault('BatchRequestTooLong', `The batch has ${bytes} bytes of ${BATCH_BYTES_MAX}.`);
  }
  return eachOf(named, (entry) => sent(queue, entrySchema.parse(entry)));
}

function textOf(entry: object): string {
  return 'MessageBody' in entry && typeof entry.MessageBody === 'string' ? entry.MessageBody : '';
}

function deleteBatch(queue: Queue, input: unknown): object {
  const { Entries } = z.looseObject({ Entries: z.array(z.unknown()) }).parse(input);
  return eachOf(batchOf(Entries), (entry) => {
    queue.delete(z.looseObject({ ReceiptHandle: z.string() }).parse(entry).ReceiptHandle);
    return {};
  });
}

interface Named {
  readonly id: string;
  readonly entry: object;
}

function batchOf(entries: readonly unknown[]): readonly Named[] {
  const named = entries.map((entry) => {
    const { Id } = z.looseObject({ Id: z.string().regex(/^[\w-]{1,80}$/) }).parse(entry);
    return { id: Id, entry: entry as object };
  });
  if (named.length === 0) throw new Fault('EmptyBatchRequest', 'The batch has no entries.');
  if (named.length > BATCH_MAX) {
    throw new Fault('TooManyEntriesInBatchRequest', `A batch has up to ${BATCH_MAX} entries.`);
  }
  if (new Set(named.map(({ id }) => id)).size < named.length) {
    throw new Fault('BatchEntryIdsNotDistinct', 'Two entries of the batch have one Id.');
  }
  return named;
}

/** One bad entry fails no other. */
function eachOf(entries: readonly Named[], run: (entry: object) => object): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const { id, entry } of entries) {
    try {
      Successful.push({ Id: id, ...run(entry) });
    } catch (error) {
      const isKnown = error instanceof Fault || error instanceof z.ZodError;
      if (!isKnown) throw error;
      const Code = error instanceof Fault ? error.type : 'InvalidParameterValue';
      Failed.push({ Id: id, SenderFault: true, Code, Message: error.message });
    }
  }
  return {
    ...(Successful.length > 0 && { Successful }),
    ...(Failed.length > 0 && { Failed }),
  };
}

/**
 * Developer guide, "Calculating the MD5 message digest for message attributes": by name, each part
 * with its length in four bytes, and 1 for what travels as text.
 */
function md5OfAttributes(attributes: MessageAttributes): string {
  const hash = createHash('md5');
  const add = (text: string) => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  const byName = Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [name, { dataType, stringValue }] of byName) {
    add(name);
    add(dataType);
    hash.update(Buffer.from([1]));
    add(stringValue);
  }
  return hash.digest('hex');
}
