/**
 * From the broker to the functions: the rules with their error actions, the queues, and Lambda's own
 * queue. Owns the names of arrivals, by which the harness knows a delivery whatever carries it.
 */
import type { Route } from '../../../core/config/route.ts';
import { RECEIVED_AT_ATTRIBUTE } from '../../../core/message/envelope.ts';
import { topicMatches } from '../../../core/message/topics.ts';
import { ownTopic } from '../../../core/wire/topics.ts';
import { addressOf, routes } from '../routes.ts';
import type { Functions } from './functions.ts';
import { type QueuedMessage, type QueueLimits, SimulatedQueue } from './queue.ts';
import type { Arrival, Shared } from './shared.ts';

/** A PUBLISH, as the broker has it. */
export interface Packet {
  readonly topic: string;
  readonly payload: Buffer;
  readonly client: string;
  /** Of the message in it; none in a request. */
  readonly serial: number | undefined;
  readonly isCopy: boolean;
}

interface Carried extends Arrival {
  /** The rule's clock; undefined on the error-action path. */
  readonly ruleAt: number | undefined;
  readonly as: string;
}

const REQUESTS = [ownTopic('+', 'release'), ownTopic('+', 'query')];
const CLOCKS_APART_MILLIS_MAX = 300;
/** Lambda tries an event again after one minute and after two more. */
const EVENT_WAITS_MILLIS = [60_000, 120_000];

export class Paths {
  readonly #shared: Shared;
  readonly #functions: Functions;
  readonly #queues: ReadonlyMap<string, SimulatedQueue>;
  readonly #carried: Carried[] = [];
  readonly #skew: number;

  constructor(shared: Shared, functions: Functions, limits: QueueLimits) {
    this.#shared = shared;
    this.#functions = functions;
    this.#skew = shared.chance.int(-CLOCKS_APART_MILLIS_MAX, CLOCKS_APART_MILLIS_MAX);
    this.#queues = new Map(
      [...routes].map(([name, route]) => [
        name,
        new SimulatedQueue(shared, limits, (messages) => this.#invokeBatch(route, messages)),
      ]),
    );
  }

  /** The rules take a publication, each whose filter it matches. */
  take(packet: Packet): void {
    if (REQUESTS.some((filter) => topicMatches(filter, packet.topic))) {
      this.#request(packet);
      return;
    }
    const { rule, visible } = addressOf(packet.topic);
    for (const route of routes.values()) {
      const isTaken = rule === undefined ? topicMatches(route.topic, visible) : route.name === rule;
      if (isTaken) this.#deliver(route, packet);
    }
  }

  redrive(): void {
    for (const queue of this.#queues.values()) queue.redrive();
  }

  /** Deliveries that are in a queue or dead. */
  left(): readonly Arrival[] {
    return [...this.#queues.values()].flatMap((queue) => queue.left());
  }

  #deliver(route: Route, packet: Packet): void {
    const { faults, clock } = this.#shared;
    const isFailed = faults.strike('action-failed') !== undefined;
    const arrival = this.#carried.length;
    const receivedAt = clock() + this.#skew;
    const carried: Carried = {
      arrival,
      serial: packet.serial ?? -1,
      ruleAt: isFailed ? undefined : receivedAt,
      as: addressOf(packet.topic).visible.split('/')[1] ?? '',
    };
    this.#carried.push(carried);
    const envelope = isFailed
      ? errorEnvelope(route, packet, arrival)
      : ruleEnvelope(packet, arrival, receivedAt);
    // The error action takes the other path.
    const isQueued = (route.feed === 'queue') !== isFailed;
    const path = isQueued ? 'queue' : 'event';
    this.#shared.history.add({ kind: 'entered', arrival, serial: carried.serial, path });
    if (isQueued) this.#queueOf(route).send(carried, JSON.stringify(envelope));
    else this.#sendEvent(route, carried, envelope);
  }

  #queueOf({ name }: Route): SimulatedQueue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new Error(`there is no queue of ${name}`);
    return queue;
  }

  #sendEvent(route: Route, carried: Carried, envelope: object): void {
    const { clockwork, chance, faults } = this.#shared;
    const again = faults.strike('event-repeated');
    clockwork.after(chance.int(5, 200), () => void this.#invokeEvent(route, carried, envelope));
    if (again === undefined) return;
    clockwork.after(chance.int(5, 200) + again * 20, () => {
      void this.#invokeEvent(route, carried, envelope);
    });
  }

  async #invokeEvent(route: Route, carried: Carried, envelope: object): Promise<void> {
    const { clockwork } = this.#shared;
    for (const wait of [...EVENT_WAITS_MILLIS, undefined]) {
      const invocation = this.#functions.next();
      this.#handled(carried, invocation, carried.ruleAt ?? this.#functions.clock());
      const outcome = await this.#functions.ingest(route, envelope, invocation, 1);
      if (outcome.kind === 'answered') return this.#done(carried, invocation);
      if (wait !== undefined) await clockwork.wait(wait);
    }
    this.#queueOf(route).bury(carried, JSON.stringify(envelope));
  }

  async #invokeBatch(route: Route, messages: readonly QueuedMessage[]) {
    const invocation = this.#functions.next();
    const carried = messages.map(({ arrival }) => this.#carriedOf(arrival));
    for (const message of messages) {
      const kept = message.attributes[RECEIVED_AT_ATTRIBUTE]?.stringValue;
      const { ruleAt } = this.#carriedOf(message.arrival);
      this.#handled(message, invocation, ruleAt ?? Number(kept ?? message.sentAt));
    }
    const devices = new Set(carried.map(({ as }) => as)).size;
    const event = { Records: messages.map(recordOf) };
    const outcome = await this.#functions.ingest(route, event, invocation, devices);
    if (outcome.kind === 'answered') {
      for (const message of messages) {
        if (!outcome.failed.has(message.messageId)) this.#done(message, invocation);
      }
    }
    return outcome;
  }

  #carriedOf(arrival: number): Carried {
    const carried = this.#carried[arrival];
    if (carried === undefined) throw new Error(`there is no arrival ${arrival}`);
    return carried;
  }

  #handled({ arrival, serial }: Arrival, invocation: number, receivedAt: number): void {
    this.#shared.history.add({ kind: 'handled', arrival, serial, invocation, receivedAt });
  }

  #done({ arrival, serial }: Arrival, invocation: number): void {
    this.#shared.history.add({ kind: 'done', arrival, serial, invocation });
  }

  /** Requests are events without a queue before them; what fails is asked again by the device. */
  #request(packet: Packet): void {
    const { clockwork, chance, clock, history } = this.#shared;
    const envelope = ruleEnvelope(packet, -1, clock() + this.#skew);
    const invocation = this.#functions.next();
    const as = packet.topic.split('/')[1] ?? '';
    history.add({ kind: 'asked', by: packet.client, as, invocation });
    clockwork.after(chance.int(5, 200), () => void this.#functions.handshake(envelope, invocation));
  }
}

function ruleEnvelope(packet: Packet, arrival: number, receivedAt: number): object {
  return {
    body: packet.payload.toString('base64'),
    topic: addressOf(packet.topic).visible,
    clientId: packet.client,
    principal: `principal-of-${packet.client}`,
    receivedAt,
    deliveryId: `delivery-${arrival}`,
    // AWS gives a rule no such flag. It is here so that a function that trusts it is found out.
    dup: packet.isCopy,
  };
}

function errorEnvelope({ name }: Route, packet: Packet, arrival: number): object {
  return {
    ruleName: `tollbridge_${name}`,
    topic: packet.topic,
    cloudwatchTraceId: `trace-${arrival}`,
    clientId: packet.client,
    base64OriginalPayload: packet.payload.toString('base64'),
    failures: [{ failedAction: 'SqsAction', errorMessage: 'told to fail' }],
  };
}

function recordOf({ messageId, body, sentAt, attributes, receives }: QueuedMessage): object {
  return {
    messageId,
    receiptHandle: messageId,
    eventSource: 'aws:sqs',
    body,
    attributes: { SentTimestamp: String(sentAt), ApproximateReceiveCount: String(receives) },
    messageAttributes: attributes,
  };
}
