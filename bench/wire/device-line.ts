/** The line of a device that reports to the bridge with the library of this project. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Device, type Handshake } from '../../device/index.ts';
import { topicOf } from './bridge.ts';
import { chargeWithoutId } from './charge.ts';
import { createCountingProxy } from './counting-proxy.ts';
import { type Tally, tallyOf } from './tally.ts';

/** What is varied. */
export interface DeviceCase {
  readonly mqtt: '3.1.1' | '5';
  readonly handshake: Handshake;
  /** Of the PUBLISH. */
  readonly qos: 0 | 1;
  readonly receiptsQos: 0 | 1;
  readonly basicIngest: boolean;
  /** Messages that are published together; all of them are answered before the next ones. */
  readonly atOnce: number;
  /** Whether the queue has a batching window, which the bridge as delivered does not set. */
  readonly hasWindow: boolean;
}

const DEVICE = 'meter-17';
const ANSWER_MILLIS = 60_000;

/**
 * Publishes `rounds` times `atOnce` messages on a new connection with a new outbox.
 * @throws Error when the connection was made again: the counts would not be those of one
 */
export async function measureDevice(
  brokerPort: number,
  each: DeviceCase,
  rounds: number,
): Promise<Tally> {
  const proxy = await createCountingProxy(brokerPort);
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-wire-outbox-'));
  try {
    const device = await connect({
      url: `mqtt://127.0.0.1:${proxy.port}`,
      deviceId: DEVICE,
      outbox: join(folder, 'outbox'),
      mqttVersion: each.mqtt,
      waitMillis: ANSWER_MILLIS,
      // Alone, an id has no others to wait for; the packets are the same, a second later.
      ...(each.atOnce === 1 ? { releaseLingerMillis: 0 } : {}),
      routes: { [routeOf(each)]: profileOf(each) },
    });
    try {
      await publishAll(device, each, rounds);
      await proxy.acknowledged();
    } finally {
      await device.close();
    }
    await proxy.ended();
    if (proxy.connections !== 1) {
      throw new Error(`the device connected ${proxy.connections} times; run it again`);
    }
    return tallyOf(proxy.sightings);
  } finally {
    await proxy.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function routeOf({ receiptsQos, hasWindow }: DeviceCase) {
  if (hasWindow) return 'gathers';
  return receiptsQos === 1 ? 'charged' : 'charges';
}

function profileOf(each: DeviceCase) {
  const { handshake, qos, basicIngest } = each;
  return { topic: topicOf(routeOf(each), DEVICE, basicIngest), idField: 'id', handshake, qos };
}

async function publishAll(device: Device, each: DeviceCase, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const publishing = Array.from({ length: each.atOnce }, () =>
      device.publish(routeOf(each), chargeWithoutId()),
    );
    await Promise.all(publishing);
    // In a full handshake a message is done when its id is completed.
    await device.drain({ timeoutMillis: ANSWER_MILLIS });
  }
}
