import type { IPublishPacket } from 'mqtt';
import type { Inbound } from '../ports.ts';

function bytesOf(payload: string | Buffer): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}

/** A PUBLISH of MQTT.js as receivers see it. */
export function inboundOf({ topic, payload, qos, retain, properties }: IPublishPacket): Inbound {
  const named = Object.entries(properties?.userProperties ?? {});
  return {
    topic,
    payload: bytesOf(payload),
    qos,
    retain,
    userProperties: named.flatMap(([name, value]) =>
      [value].flat().map((text): readonly [string, string] => [name, text]),
    ),
  };
}
