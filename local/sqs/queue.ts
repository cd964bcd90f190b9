/**
 * A standard SQS queue.
 *
 * Owns its messages. Keeps these invariants: a message is in exactly one of three places (visible,
 * in flight, gone); it leaves only by a delete with the handle of its current receive, by a move to
 * the dead-letter queue, or when its retention is over; a message that moves there keeps its id,
 * body, attributes and first sent time; nobody is handed a message that somebody else holds.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { EpochMillis } from '../../core/base/time.ts';
import type { Chance, Faults, Observer } from '../contracts.ts';
import type { CancelTimer, Scheduler } from '../timers.ts';

/** An attribute of a message, as SQS knows them. */
interface MessageAttribute {
  readonly dataType: 'String' | 'Number';
  readonly stringValue: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** A message as a receiver gets it. */
export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly sentAt: EpochMillis;
  readonly firstReceivedAt: EpochMillis;
  readonly receiveCount: number;
  readonly messageAttributes: MessageAttributes;
  /** ARN of the queue that this message was moved from, if it was. */
  readonly deadLetterSourceArn: string | undefined;
}

/** A message as an onlooker sees it: looking changes nothing. */
export interface MessageView {
  readonly messageId: string;
  readonly body: string;
  readonly sentAt: EpochMillis;
  readonly receiveCount: number;
  readonly messageAttributes: MessageAttributes;
  readonly state: 'visible' | 'in-flight';
}

export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
}

/** What a queue needs of the rest of the cloud. */
export interface QueueOptions {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly visibilityMillis: number;
  readonly retentionMillis: number;
  readonly maximumBytes: number;
  /** Found when it is needed, because queues may be made in any order. */
  readonly redrive: { readonly target: () => Queue; readonly maxReceiveCount: number } | undefined;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: () => Faults;
  readonly observe: Observer;
  /** Told after every change of what the queue holds. */
  readonly changed: () => void;
}

export class QueueError extends Error {
  override readonly name = 'QueueError';
}

interface Message {
  readonly order: number;
  readonly messageId: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly attributes: MessageAttributes;
  readonly sentAt: EpochMillis;
  readonly deadLetterSourceArn: string | undefined;
  readonly cancelRetention: CancelTimer;
  firstReceivedAt: EpochMillis | undefined;
  receiveCount: number;
  state: { readonly kind: 'visible' } | InFlight | { readonly kind: 'gone' };
}

interface InFlight {
  readonly kind: 'in-flight';
  readonly receiptHandle: string;
  readonly cancelVisibility: CancelTimer;
}

export function createQueue(options: QueueOptions): Queue {
  return new Queue(options);
}

/** What of a message stays the same when it moves to another queue. */
type MovedMessage = Pick<
  Message,
  'messageId' | 'body' | 'md5OfBody' | 'attributes' | 'sentAt' | 'deadLetterSourceArn'
>;

export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly #options: QueueOptions;
  /** Visible messages, by the order in which they were sent. */
  readonly #visible: Message[] = [];
  readonly #inFlight = new Map<string, Message>();
  readonly #listeners = new Set<() => void>();
  #order = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.name = options.name;
    this.arn = options.arn;
    this.url = options.url;
  }

  /** Takes a message and gives its id. Throws `QueueError` when it is too long or empty. */
  send(body: string, attributes: MessageAttributes = {}): string {
    checkSize(this.#options, body, attributes);
    const messageId = randomUUID();
    const md5OfBody = createHash('md5').update(body, 'utf8').digest('hex');
    const sentAt = this.#options.scheduler.now();
    const deadLetterSourceArn = undefined;
    this.#arrive({ messageId, body, md5OfBody, attributes, sentAt, deadLetterSourceArn });
    return messageId;
  }

  /** What a receiver that says nothing hides a message for. */
  get visibilitySeconds(): number {
    return this.#options.visibilityMillis / 1_000;
  }

  get retentionSeconds(): number {
    return this.#options.retentionMillis / 1_000;
  }

  /** Hands out up to `max` messages, oldest first, and hides them for the visibility time-out. */
  receive(
    max: number,
    visibilityMillis = this.#options.visibilityMillis,
  ): readonly ReceivedMessage[] {
    const { redrive, observe } = this.#options;
    const received: ReceivedMessage[] = [];
    while (received.length < max) {
      const message = this.#choose();
      if (message === undefined) break;
      if (redrive === undefined || message.receiveCount < redrive.maxReceiveCount) {
        received.push(this.#hide(message, visibilityMillis));
        continue;
      }
      const target = redrive.target();
      this.#move(message, target, this.arn);
      const reason = `message ${message.messageId} of ${this.name} was received ${message.receiveCount} times without being deleted`;
      observe({ kind: 'dead-letter', queueName: target.name, reason });
    }
    if (received.length > 0) this.#options.changed();
    return received;
  }

  /** True if the handle was that of the message's current receive; it is gone then. */
  delete(receiptHandle: string): boolean {
    const message = this.#inFlight.get(receiptHandle);
    if (message === undefined) return false;
    this.#remove(message);
    return true;
  }

  depth(): QueueDepth {
    return { visible: this.#visible.length, inFlight: this.#inFlight.size };
  }

  /** All messages, in the order in which they were sent. Looking changes nothing. */
  peek(): readonly MessageView[] {
    return this.#all()
      .sort((a, b) => a.order - b.order)
      .map(viewOf);
  }

  /**
   * Sends every visible message to `target` and deletes it here, as an operator's redrive does;
   * says how many. To SQS such a message is a new one: only body and attributes come along.
   */
  redriveTo(
    target: Queue,
    attributesOf: (message: MessageView) => MessageAttributes = (message) =>
      message.messageAttributes,
  ): number {
    const moving = [...this.#visible];
    for (const message of moving) {
      target.send(message.body, attributesOf(viewOf(message)));
      this.#remove(message);
    }
    return moving.length;
  }

  /** Calls `listener` whenever a message has become visible; the answer ends that. */
  onVisible(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends all waits and forgets the messages. */
  close(): void {
    this.#listeners.clear();
    for (const message of this.#all()) this.#remove(message);
  }

  #all(): Message[] {
    return [...this.#visible, ...this.#inFlight.values()];
  }

  #arrive(moved: MovedMessage): void {
    const { scheduler, retentionMillis, observe } = this.#options;
    this.#order += 1;
    // A standard queue counts retention from the first send, also after a move.
    const left = retentionMillis - scheduler.since(moved.sentAt);
    const message: Message = {
      ...moved,
      order: this.#order,
      firstReceivedAt: undefined,
      receiveCount: 0,
      state: { kind: 'gone' },
      cancelRetention: scheduler.after(left, () => {
        this.#remove(message);
        const reason = `the retention of ${this.name} is over; message ${message.messageId} is gone`;
        observe({ kind: 'lost', where: this.name, topic: '', reason });
      }),
    };
    this.#show(message);
  }

  #show(message: Message): void {
    message.state = { kind: 'visible' };
    insertInOrder(this.#visible, message);
    this.#options.changed();
    for (const listener of [...this.#listeners]) listener();
  }

  /** The message to be handed out next; it stays where it is. */
  #choose(): Message | undefined {
    const { chance, faults, observe } = this.#options;
    const count = this.#visible.length;
    if (count < 2 || !chance.happens(faults().reorder)) return this.#visible[0];
    observe({ kind: 'fault', fault: 'reorder', where: this.name });
    return this.#visible[1 + chance.below(count - 1)];
  }

  #hide(message: Message, visibilityMillis: number): ReceivedMessage {
    const { scheduler } = this.#options;
    const receiptHandle = randomUUID();
    const firstReceivedAt = message.firstReceivedAt ?? scheduler.now();
    message.firstReceivedAt = firstReceivedAt;
    message.receiveCount += 1;
    this.#visible.splice(this.#visible.indexOf(message), 1);
    this.#inFlight.set(receiptHandle, message);
    const cancelVisibility = scheduler.after(visibilityMillis, () => {
      this.#inFlight.delete(receiptHandle);
      this.#show(message);
    });
    message.state = { kind: 'in-flight', receiptHandle, cancelVisibility };
    const { messageId, body, md5OfBody, sentAt, receiveCount, attributes } = message;
    return {
      messageId,
      receiptHandle,
      body,
      md5OfBody,
      sentAt,
      firstReceivedAt,
      receiveCount,
      messageAttributes: attributes,
      deadLetterSourceArn: message.deadLetterSourceArn,
    };
  }

  #move(message: Message, target: Queue, deadLetterSourceArn: string | undefined): void {
    this.#remove(message);
    const { messageId, body, md5OfBody, attributes, sentAt } = message;
    target.#arrive({ messageId, body, md5OfBody, attributes, sentAt, deadLetterSourceArn });
  }

  #remove(message: Message): void {
    const { state } = message;
    if (state.kind === 'visible') this.#visible.splice(this.#visible.indexOf(message), 1);
    if (state.kind === 'in-flight') {
      state.cancelVisibility();
      this.#inFlight.delete(state.receiptHandle);
    }
    message.state = { kind: 'gone' };
    message.cancelRetention();
    this.#options.changed();
  }
}

function viewOf(message: Message): MessageView {
  const { messageId, body, sentAt, receiveCount, attributes, state } = message;
  return {
    messageId,
    body,
    sentAt,
    receiveCount,
    messageAttributes: attributes,
    state: state.kind === 'in-flight' ? 'in-flight' : 'visible',
  };
}

/** Messages come back after their visibility time-out; the oldest still goes first. */
function insertInOrder(visible: Message[], message: Message): void {
  let low = 0;
  let high = visible.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((visible[middle]?.order ?? 0) < message.order) low = middle + 1;
    else high = middle;
  }
  visible.splice(low, 0, message);
}

/** The limit counts body and attributes together. */
function checkSize(options: QueueOptions, body: string, attributes: MessageAttributes): void {
  if (body.length === 0) throw new QueueError(`${options.name}: an empty message is not allowed.`);
  let bytes = Buffer.byteLength(body, 'utf8');
  for (const [name, { dataType, stringValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name + dataType + stringValue, 'utf8');
  }
  if (bytes <= options.maximumBytes) return;
  throw new QueueError(
    `${options.name}: the message has ${bytes} bytes, allowed are ${options.maximumBytes}. Send less, or raise MaximumMessageSize (1 MiB at most).`,
  );
}
