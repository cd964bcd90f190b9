/**
 * An MQTT 5 broker outside in place of the embedded one, which speaks 3.1.1 only. Owns the one
 * connection to it, under a fixed client id whose session the broker keeps while nobody is here.
 *
 * Invariants: a PUBACK goes out only after `accept` has resolved, and only on the connection that
 * the message came on, so the broker gives whatever was not taken over again; a message that IoT
 * Core would not take is not handed to `accept`. Nothing that the bridge publishes is handed to
 * `accept` from here: what a rule listens to comes back by subscription, as on AWS.
 *
 * Such a broker does not say who has published. The client id is read off the topic, and
 * `principal()` is undefined: who may publish where is for the outside broker's own access list.
 */
import { Socket } from 'node:net';
import type { MqttClient } from 'mqtt';
import type { IPublishPacket, UserProperties } from 'mqtt-packet';
import type { Clock } from '../../core/base/time.ts';
import { levelOf } from '../../core/message/topics.ts';
import type { Chance, Faults, InboundMessage, Observer } from '../contracts.ts';
import { visibleTopic } from './basic-ingest.ts';
import type { BridgePublication, IotBroker } from './broker.ts';
import { publicationFault } from './connection-rules.ts';
import { attach, brokerAddress, outsideClient } from './outside-connection.ts';

export interface OutsideBrokerOptions {
  /** `mqtt://host:port` or `mqtts://…`; may hold a user name and a password. */
  readonly url: string;
  /** The FROM filters of the rules. */
  readonly filters: readonly string[];
  /** Which level of such a topic names the device, from 1; undefined where no rule knows. */
  readonly deviceLevelOf: (topic: string) => number | undefined;
  /** Takes a message over; while it has not resolved, the broker has no PUBACK. */
  readonly accept: (message: InboundMessage) => Promise<void>;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly faults: () => Faults;
  readonly chance: Chance;
  /** Names the session that the broker keeps; two local clouds on one broker need two names. */
  readonly clientId?: string;
}

const outsideClientId = 'tollbridge-local-cloud';

/** MQTT 5 §4.13: the reason of a DISCONNECT when another client has come with the same client id. */
const SESSION_TAKEN_OVER = 0x8e;
/** Mosquitto 2.0 sends no DISCONNECT then: the reason can only be guessed. */
const ENDED =
  'the outside broker has ended the connection, as it does when a second local cloud comes to it; trying again';
/** How long `close` waits for publications that the broker has not acknowledged. */
const CLOSE_PATIENCE_MILLIS = 2_000;

/** What the handlers share. */
interface Outside {
  readonly options: OutsideBrokerOptions;
  readonly client: MqttClient;
  readonly clientId: string;
  /** Messages and publications under way. */
  readonly accepting: Set<Promise<void>>;
  readonly publishing: Set<Promise<unknown>>;
  state: 'open' | 'taken-over' | 'closing';
}

/** Attaches to the broker; rejects with what to do when it is not there or cannot do what is needed. */
export async function createOutsideBroker(options: OutsideBrokerOptions): Promise<IotBroker> {
  const { url, filters, clientId = outsideClientId } = options;
  const address = brokerAddress(url);
  const outside: Outside = {
    options,
    client: outsideClient(url, clientId),
    clientId,
    accepting: new Set(),
    publishing: new Set(),
    state: 'open',
  };
  // Before the first byte: the broker sends what it has kept as soon as it knows the session.
  receiveMessages(outside);
  const { basicIngest } = await attach(outside.client, address.name, filters);
  observeConnection(outside);
  let closed: Promise<void> | undefined;
  return {
    port: address.port,
    basicIngest,
    publish: (publication) => publishForBridge(outside, publication),
    // MQTT has no way to ask a broker who is connected to it.
    connectedClients: () => [],
    close() {
      closed ??= close(outside);
      return closed;
    },
  };
}

/** MQTT.js calls `handleMessage` for one message after the other and acknowledges behind it. */
function receiveMessages(outside: Outside): void {
  const { client } = outside;
  client.handleMessage = (packet, callback) => {
    const cameOn = client.stream;
    const work = receive(outside, packet).then(
      () => {
        // An acknowledgement on a later connection could meet another message of the same number.
        if (client.stream === cameOn && client.connected) return callback();
        callback(new Error('the connection that the message came on is gone'));
      },
      (error: unknown) => {
        callback(error instanceof Error ? error : new Error(String(error)));
        if (outside.state !== 'open') return;
        tellOfEnd(outside, `a message was not taken over: ${error}`);
        // The broker gives a message without a PUBACK again on the next connection, not sooner.
        if (client.stream === cameOn) cameOn.destroy();
      },
    );
    outside.accepting.add(work);
    work.finally(() => outside.accepting.delete(work)).catch(() => undefined);
  };
}

async function receive({ options, state }: Outside, packet: IPublishPacket): Promise<void> {
  if (state === 'closing') throw new Error('the local cloud is closing');
  const { topic, properties } = packet;
  const payload = Buffer.from(packet.payload);
  const fault = publicationFault({ topic, payload, qos: packet.qos, retain: packet.retain });
  if (fault !== undefined) {
    const reason = `the outside broker took what IoT Core refuses: ${fault}`;
    options.observe({ kind: 'lost', where: 'outside broker', topic, reason });
    return;
  }
  const level = options.deviceLevelOf(topic);
  await options.accept({
    topic,
    payload,
    clientId: level === undefined ? undefined : levelOf(visibleTopic(topic), level),
    principal: undefined,
    receivedAt: options.clock(),
    userProperties: pairsOf(properties?.userProperties),
    correlationData: properties?.correlationData && Buffer.from(properties.correlationData),
  });
}

/**
 * MQTT.js gathers the values of one name: names come in the order of their first appearance, and
 * the values of a name in theirs. `a=1, b=2, a=3` reads `a=1, a=3, b=2`.
 */
function pairsOf(properties: UserProperties | undefined): InboundMessage['userProperties'] {
  return Object.entries(properties ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const),
  );
}

/** The other way; without a prototype, so that a property may be called `__proto__`. */
function gathered(pairs: NonNullable<BridgePublication['userProperties']>): UserProperties {
  const properties: Record<string, string[]> = Object.create(null);
  for (const [name, value] of pairs) properties[name] = [...(properties[name] ?? []), value];
  return properties;
}

async function publishForBridge(outside: Outside, publication: BridgePublication): Promise<void> {
  const { options, client, publishing } = outside;
  const { topic, payload, qos, retain = false, userProperties = [] } = publication;
  const fault = publicationFault({ topic, payload, qos, retain }) ?? absence(outside);
  if (fault !== undefined) throw new Error(`The bridge's publication is refused: ${fault}.`);
  if (options.chance.happens(options.faults().drop)) {
    options.observe({ kind: 'fault', fault: 'drop', where: topic });
    return;
  }
  const properties =
    userProperties.length === 0 ? {} : { properties: { userProperties: gathered(userProperties) } };
  const published = client.publishAsync(topic, payload, { qos, retain, ...properties });
  publishing.add(published);
  try {
    await published;
  } finally {
    publishing.delete(published);
  }
  options.observe({ kind: 'published', topic, payload, qos });
}

/** Why nothing can be published now. MQTT.js would keep it in memory, and a function would hang. */
function absence({ client, state }: Outside): string | undefined {
  switch (state) {
    case 'closing':
      return 'the local cloud is closing';
    case 'taken-over':
      return 'another client has taken the session over';
    case 'open':
      return client.connected ? undefined : 'the outside broker is not connected';
  }
}

function tellOfEnd({ options, clientId }: Outside, reason: string): void {
  options.observe({ kind: 'disconnect', clientId, reason });
}

/** Tells of every end of the connection once, however often it is tried again. */
function observeConnection(outside: Outside): void {
  const { client } = outside;
  let reason = ENDED;
  let connected = true;
  setNoDelay(client);
  client.on('error', (error) => {
    reason = `${error.message}; trying again`;
  });
  client.on('disconnect', ({ reasonCode }) => {
    if (reasonCode !== SESSION_TAKEN_OVER || outside.state !== 'open') return;
    // Coming back would oust the other one, which would come back, and so on.
    outside.state = 'taken-over';
    reason =
      'another client has connected under this client id, often a second local cloud; ' +
      'this one stays off until it is started again';
    client.end(true);
  });
  client.on('close', () => {
    if (connected && outside.state !== 'closing') tellOfEnd(outside, reason);
    connected = false;
  });
  client.on('connect', ({ sessionPresent }) => {
    connected = true;
    reason = ENDED;
    setNoDelay(client);
    if (sessionPresent) return;
    tellOfEnd(
      outside,
      'the outside broker has lost the session, and with it what it still held; connected anew',
    );
  });
}

/** Receipts are small packets: with Nagle's algorithm each would wait for the broker's ACK. */
function setNoDelay({ stream }: MqttClient): void {
  if (stream instanceof Socket) stream.setNoDelay(true);
}

/** Takes nothing more, and lets go of the connection while the broker keeps the session. */
async function close(outside: Outside): Promise<void> {
  const { client, accepting, publishing } = outside;
  const wasOpen = outside.state === 'open';
  outside.state = 'closing';
  await Promise.all(accepting);
  if (wasOpen && client.connected) await settledWithin(publishing, CLOSE_PATIENCE_MILLIS);
  if (!wasOpen) return;
  // By force where the broker owes an answer: a polite end would wait for it.
  const ended = client.endAsync(!client.connected || publishing.size > 0);
  await settledWithin([ended], CLOSE_PATIENCE_MILLIS);
  client.stream.destroy();
  await ended;
}

async function settledWithin(work: Iterable<Promise<unknown>>, millis: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, millis);
  });
  await Promise.race([Promise.allSettled(work), timeout]);
  clearTimeout(timer);
}
