/** A thing for tests: a real MQTT.js client that waits for what it is sent. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { ownTopic } from '../../core/wire/topics.ts';

export interface ReceiptsMessage {
  readonly v: number;
  readonly route: string;
  readonly receipts: readonly {
    readonly id?: string | number;
    readonly bodyHash: string;
    readonly outcome: string;
    readonly bookedAt?: number;
    readonly reason?: string;
    readonly detail?: string;
    readonly fields?: readonly string[];
  }[];
}

export interface Thing {
  readonly client: MqttClient;
  publish(topic: string, body: string | Buffer): Promise<void>;
  /** The next publication of receipts, in order of arrival; none is missed between calls. */
  nextReceipts(): Promise<ReceiptsMessage>;
  end(): Promise<void>;
}

/** Connects under the thing's name and subscribes to its receipts. */
export async function connectThing(
  port: number,
  name: string,
  options: IClientOptions = {},
): Promise<Thing> {
  const client = await mqtt.connectAsync({
    host: '127.0.0.1',
    port,
    protocol: 'mqtt',
    protocolVersion: 4,
    clientId: name,
    reconnectPeriod: 0,
    ...options,
  });
  client.on('error', () => {});
  const arrived: ReceiptsMessage[] = [];
  const waiting: { resolve: (message: ReceiptsMessage) => void; reject: (error: Error) => void }[] =
    [];
  // A test that waits on a dead connection fails at once and says why.
  client.on('close', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`${name} was cut off`));
  });
  client.on('message', (_topic, payload) => {
    const message = JSON.parse(payload.toString()) as ReceiptsMessage;
    const next = waiting.shift();
    if (next === undefined) arrived.push(message);
    else next.resolve(message);
  });
  await client.subscribeAsync(ownTopic(name, 'receipts'), { qos: 1 });
  return {
    client,
    publish: async (topic, body) => {
      await client.publishAsync(topic, body, { qos: 1 });
    },
    nextReceipts: () => {
      const message = arrived.shift();
      if (message !== undefined) return Promise.resolve(message);
      if (!client.connected) return Promise.reject(new Error(`${name} was cut off`));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    end: () => client.endAsync(true),
  };
}

/** Ends when the broker ends the connection. */
export function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => client.once('close', () => resolve()));
}
