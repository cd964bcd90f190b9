/**
 * Goal: what `manual-ack.ts` takes for granted of MQTT.js, behind its API, is so. Method: MQTT.js
 * itself on a scripted broker. Where this fails after an update, compare `lib/client.ts` and
 * `lib/handlers/publish.ts` of both versions, then name the new one here.
 */
import { readFileSync } from 'node:fs';
import mqtt, { type MqttClient } from 'mqtt';
import { describe, expect, it } from 'vitest';
import {
  type Arrival,
  acknowledgeByHand,
  disconnectAtOnce,
} from '../../../device/connection/manual-ack.ts';
import { ends, startBroker } from './scripted-fixture.ts';

const WRITTEN_FOR = '5.16.0';

const next = (client: MqttClient, event: 'connect' | 'close' | 'packetreceive') =>
  new Promise<void>((resolve) => client.once(event, () => resolve()));

async function connected(prepare: (client: MqttClient) => void) {
  const broker = await startBroker();
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  ends.push(() => client.endAsync(true));
  prepare(client);
  await next(client, 'connect');
  const deliver = (...messageIds: readonly number[]) =>
    broker.send(
      ...messageIds.map((messageId) => ({
        ...{ cmd: 'publish' as const, topic: 't', payload: '', qos: 1 as const, messageId },
        ...{ dup: false, retain: false },
      })),
    );
  const acknowledged = () =>
    broker.packets().flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));
  return { broker, client, deliver, acknowledged };
}

describe('MQTT.js, acknowledged by hand', () => {
  it(`is the version ${WRITTEN_FOR}, which this was written for`, () => {
    const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
    expect([
      json('node_modules/mqtt/package.json').version,
      json('package.json').devDependencies.mqtt,
      json('device/package.json').dependencies.mqtt,
    ]).toEqual([WRITTEN_FOR, WRITTEN_FOR, WRITTEN_FOR]);
  });

  it('acknowledges by itself where it is left alone', async () => {
    const { broker, deliver } = await connected(() => {});
    deliver(7);
    expect(await broker.received('puback')).toMatchObject({ messageId: 7 });
  });

  it('sends no PUBACK of its own, and hands over what arrives behind an unacknowledged PUBLISH', async () => {
    const arrivals: Arrival[] = [];
    const { broker, client, deliver, acknowledged } = await connected((each) =>
      acknowledgeByHand(each, (arrival) => arrivals.push(arrival)),
    );
    deliver(1, 0x1234, 3);
    while (arrivals.length < 3) await next(client, 'packetreceive');
    expect(arrivals.map(({ inbound }) => inbound.qos)).toEqual([1, 1, 1]);
    // Whatever MQTT.js would have sent by itself is before this on the connection.
    client.publish('own', '');
    await broker.received('publish');
    expect(acknowledged()).toEqual([]);
    const [first, second, third] = arrivals.map(({ hold }) => hold());
    third?.();
    second?.();
    first?.();
    await broker.received('puback', 0, ({ messageId }) => messageId === 3);
    expect(acknowledged()).toEqual([1, 0x1234, 3]);
  });

  it('ends with a DISCONNECT at once, and an acknowledgement after it writes nothing', async () => {
    const arrivals: Arrival[] = [];
    const errors: Error[] = [];
    const { broker, client, deliver, acknowledged } = await connected((each) => {
      each.on('error', (error) => errors.push(error));
      acknowledgeByHand(each, (arrival) => arrivals.push(arrival));
    });
    deliver(1);
    while (arrivals.length < 1) await next(client, 'packetreceive');
    const closed = next(client, 'close');
    disconnectAtOnce(client);
    arrivals[0]?.hold()();
    await broker.received('disconnect');
    await closed;
    expect([acknowledged(), errors]).toEqual([[], []]);
    expect(broker.packets().at(-1)).toMatchObject({ cmd: 'disconnect' });
  });
});
