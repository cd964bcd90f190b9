/**
 * What the broker's and the proxy's tests share: a broker, MQTT.js clients and raw sockets. Owns
 * whatever it opens; `closeAll` ends it.
 */
import { EventEmitter, once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { systemClock } from '../../core/base/time.ts';
import { seededChance } from '../../local/chance.ts';
import {
  type CloudEvent,
  type InboundMessage,
  noFaults,
  type PolicyDocument,
} from '../../local/contracts.ts';
import { createIotBroker, type IotBroker, type IotBrokerOptions } from '../../local/iot/broker.ts';

const ARN = 'arn:aws:iot:eu-west-1:123456789012';
const THING = '${iot:Connection.Thing.ThingName}';

/** The shape of the project's device policy: everything of its own, nothing of anyone else's. */
export const devicePolicy: PolicyDocument = {
  Statement: [
    { Effect: 'Allow', Action: 'iot:Connect', Resource: `${ARN}:client/${THING}` },
    {
      Effect: 'Allow',
      Action: 'iot:Publish',
      Resource: [`${ARN}:topic/billing/${THING}/*`, `${ARN}:topic/$aws/rules/*/billing/${THING}/*`],
    },
    {
      Effect: 'Allow',
      Action: 'iot:Subscribe',
      Resource: [`${ARN}:topicfilter/tollbridge/${THING}/*`, `${ARN}:topicfilter/#`],
    },
    { Effect: 'Allow', Action: 'iot:Receive', Resource: `${ARN}:topic/tollbridge/${THING}/*` },
  ],
};

export const anything: PolicyDocument = {
  Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
};

export interface BrokerBench {
  readonly broker: IotBroker;
  readonly accepted: readonly InboundMessage[];
  readonly events: readonly CloudEvent[];
  /** Resolves with why the first connection of this client ended, as soon as it has. */
  disconnected(clientId: string): Promise<string>;
}

type Closeable = () => Promise<unknown>;
let closeables: Closeable[] = [];

export function closeLater(close: Closeable): void {
  closeables.push(close);
}

/** Ends everything that was opened since the last call, clients before servers. */
export async function closeAll(): Promise<void> {
  const closing = closeables.reverse();
  closeables = [];
  for (const close of closing) await close();
}

export async function startBroker(options: Partial<IotBrokerOptions> = {}): Promise<BrokerBench> {
  const accepted: InboundMessage[] = [];
  const events: CloudEvent[] = [];
  const bell = new EventEmitter();
  const broker = await createIotBroker({
    port: 0,
    policies: [devicePolicy],
    accept: async (message) => void accepted.push(message),
    clock: systemClock,
    faults: () => noFaults,
    chance: seededChance(1),
    region: 'eu-west-1',
    accountId: '123456789012',
    ...options,
    observe(event) {
      events.push(event);
      bell.emit('event');
    },
  });
  closeLater(() => broker.close());
  return {
    broker,
    accepted,
    events,
    async disconnected(clientId) {
      for (;;) {
        for (const event of events) {
          if (event.kind === 'disconnect' && event.clientId === clientId) return event.reason;
        }
        await once(bell, 'event');
      }
    },
  };
}

/** A client that does not reconnect by itself, unless the options say so; errors are for the test. */
export function clientOf(port: number, clientId: string, options: IClientOptions = {}): MqttClient {
  const client = mqtt.connect({
    host: '127.0.0.1',
    port,
    clientId,
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...options,
  });
  client.on('error', () => undefined);
  closeLater(() => client.endAsync(true));
  return client;
}

export async function connected(
  port: number,
  clientId: string,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = clientOf(port, clientId, options);
  await new Promise<void>((resolve) => client.once('connect', () => resolve()));
  return client;
}

/** The next message of a client. */
export function nextMessage(client: MqttClient): Promise<{ topic: string; payload: Buffer }> {
  return new Promise((resolve) => {
    client.once('message', (topic, payload) => resolve({ topic, payload }));
  });
}

/** The topics that a client receives, up to and including the given last one. */
export function topicsUpTo(client: MqttClient, last: string): Promise<readonly string[]> {
  const topics: string[] = [];
  return new Promise((resolve) => {
    client.on('message', (topic) => {
      topics.push(topic);
      if (topic === last) resolve(topics);
    });
  });
}

/** A client of which nothing is hidden: packets as they are, and the socket. */
export interface RawClient {
  readonly socket: Socket;
  send(...packets: readonly (Packet | Buffer)[]): void;
  /** The next packet of the broker; rejects when the connection ends without one. */
  next(): Promise<Packet>;
  ended: Promise<void>;
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  closeLater(async () => {
    socket.destroy();
    await ended;
  });
  const packets: Packet[] = [];
  const parser = mqttPacket.parser();
  const bell = new EventEmitter();
  parser.on('packet', (packet) => {
    packets.push(packet);
    bell.emit('packet');
  });
  socket.on('data', (chunk: Buffer) => parser.parse(chunk));
  return {
    socket,
    ended,
    send(...all) {
      socket.write(
        Buffer.concat(
          all.map((each) => (Buffer.isBuffer(each) ? each : mqttPacket.generate(each))),
        ),
      );
    },
    async next() {
      for (;;) {
        const packet = packets.shift();
        if (packet !== undefined) return packet;
        if (socket.closed) throw new Error('the connection ended without a packet');
        await Promise.race([once(bell, 'packet'), ended]);
      }
    },
  };
}

export function connectPacket(clientId: string, changes: object = {}): Packet {
  return {
    cmd: 'connect',
    clientId,
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    ...changes,
  };
}

export function publishPacket(topic: string, messageId: number, payload = 'x'): Packet {
  return { cmd: 'publish', topic, messageId, payload, qos: 1, dup: false, retain: false };
}
