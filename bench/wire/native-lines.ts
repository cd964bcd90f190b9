/** MQTT alone on Mosquitto: a publisher and a subscriber, each with its own line to the broker. */
import mqtt, { type MqttClient } from 'mqtt';
import { topicOf } from './bridge.ts';
import { chargeBytes } from './charge.ts';
import { type CountingProxy, createCountingProxy } from './counting-proxy.ts';
import { type Tally, tallyOf } from './tally.ts';

export interface NativeCase {
  readonly mqtt: '3.1.1' | '5';
  /** Of the publisher and of the subscription. */
  readonly qos: 1 | 2;
  readonly atOnce: number;
}

export interface NativeLines {
  readonly publisher: Tally;
  readonly subscriber: Tally;
}

const TOPIC = topicOf('charges', 'meter-17', false);

/** Publishes `rounds` times `atOnce` messages; all have arrived before the next ones. */
export async function measureNative(
  brokerPort: number,
  each: NativeCase,
  rounds: number,
): Promise<NativeLines> {
  const lines = [await createCountingProxy(brokerPort), await createCountingProxy(brokerPort)];
  const [toBroker, toSubscriber] = lines as [CountingProxy, CountingProxy];
  try {
    const subscriber = await clientOn(toSubscriber, each, 'subscriber');
    const publisher = await clientOn(toBroker, each, 'meter-17');
    await subscriber.subscribeAsync(TOPIC, { qos: each.qos });
    for (let round = 0; round < rounds; round++) {
      const arrived = arrivalsOf(subscriber, each.atOnce);
      const { qos } = each;
      const publishing = Array.from({ length: each.atOnce }, () =>
        publisher.publishAsync(TOPIC, chargeBytes(), { qos }),
      );
      await Promise.all([...publishing, arrived]);
    }
    for (const line of lines) await line.acknowledged();
    for (const client of [publisher, subscriber]) await client.endAsync();
    for (const line of lines) await line.ended();
    return { publisher: tallyOf(toBroker.sightings), subscriber: tallyOf(toSubscriber.sightings) };
  } finally {
    for (const line of lines) await line.close();
  }
}

function clientOn(line: CountingProxy, each: NativeCase, clientId: string): Promise<MqttClient> {
  return mqtt.connectAsync({
    host: '127.0.0.1',
    port: line.port,
    protocol: 'mqtt',
    protocolVersion: each.mqtt === '5' ? 5 : 4,
    clientId,
    reconnectPeriod: 0,
  });
}

/** Resolves when so many messages have come. */
function arrivalsOf(client: MqttClient, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const take = () => {
      left -= 1;
      if (left > 0) return;
      client.off('message', take);
      resolve();
    };
    client.on('message', take);
  });
}
