/**
 * PUBACKs by this package in place of MQTT.js, and a DISCONNECT that waits for none of them.
 *
 * MQTT.js acknowledges a PUBLISH by itself and, where it can be made to wait, takes nothing that
 * comes behind it. A receiver needs both: the PUBACK after its work, and the next message meanwhile.
 * So this module goes behind MQTT.js's API: it turns each PUBLISH into one of QoS 0 before MQTT.js
 * handles it, and writes its own bytes to the connection. That holds for the version in
 * package.json; `test/device/connection/manual-ack.test.ts` says what to look at before another.
 */
import type { MqttClient } from 'mqtt';
import type { Inbound } from '../ports.ts';
import { inboundOf } from './inbound.ts';
import { Pubacks } from './pubacks.ts';

export interface Arrival {
  readonly inbound: Inbound;
  /** Gives it its place among the PUBACKs. Returns what sends that, when its turn has come. */
  readonly hold: () => () => void;
}

/** MQTT 3.1.1 §3.14 and §3.4; in MQTT 5 the same bytes say reason 0. */
const DISCONNECT_PACKET = Buffer.from([0xe0, 0]);
const PUBACK = 0x40;

/** Hands over each PUBLISH as it arrives. What nobody holds, and then acknowledges, has no PUBACK. */
export function acknowledgeByHand(client: MqttClient, arrived: (arrival: Arrival) => void): void {
  const pubacks = new Pubacks((messageId) => {
    const { stream } = client;
    if (stream.writable) stream.write(Buffer.from([PUBACK, 2, messageId >> 8, messageId & 0xff]));
  });
  client.on('packetreceive', (packet) => {
    if (packet.cmd !== 'publish') return;
    const inbound = inboundOf(packet);
    const { messageId } = packet;
    packet.qos = 0;
    const isUnacknowledged = inbound.qos === 0 || messageId === undefined;
    arrived({ inbound, hold: () => (isUnacknowledged ? () => {} : pubacks.take(messageId)) });
  });
}

/** Says DISCONNECT and ends the connection, with no regard to what is unacknowledged. */
export function disconnectAtOnce(client: MqttClient): void {
  client.stream.end(DISCONNECT_PACKET);
}
