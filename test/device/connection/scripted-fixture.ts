/** A device against a scripted MQTT 5 broker that keeps every packet. */
import { afterEach } from 'vitest';
import { type ConnectOptions, connect, type Device } from '../../../device/index.ts';
import {
  type FakeBroker,
  type FakeBrokerAnswers,
  startFakeBroker,
} from '../../local/iot/fake-mqtt5-broker.ts';
import { newOutbox } from '../folders.ts';

export const TOPIC = 'billing/m/charges';
/** What is ended after each test, last first. */
export const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

export async function startBroker(answers: Partial<FakeBrokerAnswers> = {}): Promise<FakeBroker> {
  const broker = await startFakeBroker(answers);
  ends.push(() => broker.close());
  return broker;
}

export async function connectTo(
  port: number,
  options: Partial<ConnectOptions> = {},
): Promise<Device> {
  const device = await connect({
    url: `mqtt://127.0.0.1:${port}`,
    deviceId: 'm',
    outbox: newOutbox(),
    routes: { charges: { topic: TOPIC, idField: 'id' } },
    mqttVersion: '5',
    reconnect: { firstMillis: 5, maxMillis: 5 },
    ...options,
  });
  ends.push(() => device.close());
  return device;
}

/** The bridge's answer to a message, as the broker hands it on. */
export function receiptOf(id: string, bodyHash: string) {
  const receipt = { id, bodyHash, outcome: 'accepted', bookedAt: 5 };
  return {
    cmd: 'publish' as const,
    topic: 'tollbridge/m/receipts',
    payload: JSON.stringify({ v: 1, route: 'charges', receipts: [receipt] }),
    qos: 0 as const,
    dup: false,
    retain: false,
  };
}
