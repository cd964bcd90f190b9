/**
 * What the packets of one line were for, counted. Pure.
 *
 * A PUBLISH is known by its topic and, for what the bridge says, by its payload; an acknowledgement
 * by the packet id of the PUBLISH that it belongs to.
 */
import type { Packet } from 'mqtt-packet';
import { type Direction, opposite, type Sighting } from './counting-proxy.ts';

/**
 * `connection` is CONNECT, CONNACK, SUBSCRIBE, SUBACK and DISCONNECT: once for a connection, however
 * many messages follow. `ping` is PINGREQ and PINGRESP: by the clock.
 */
export type Purpose = 'message' | 'receipts' | 'release' | 'completed' | 'connection' | 'ping';

/** Packets of one kind. */
export interface Part {
  readonly purpose: Purpose;
  readonly cmd: Packet['cmd'];
  readonly direction: Direction;
  readonly packets: number;
  readonly bytes: number;
}

export interface Tally {
  /** In the order in which each kind came first. */
  readonly parts: readonly Part[];
  /** How many receipts the publications of receipts held, those that say `completed` aside. */
  readonly receipts: number;
  /** How many ids the releases named. */
  readonly released: number;
  /** The sizes of the messages' bodies in bytes, each once. */
  readonly bodyBytes: readonly number[];
}

/** @throws Error for a packet that no exchange of the protocol holds */
export function tallyOf(sightings: readonly Sighting[]): Tally {
  const parts = new Map<string, Part>();
  const open = { up: new Map<number, Purpose>(), down: new Map<number, Purpose>() };
  const bodyBytes = new Set<number>();
  let receipts = 0;
  let released = 0;
  for (const { direction, packet, bytes } of sightings) {
    const purpose = purposeOf(packet, direction, open);
    const { cmd } = packet;
    if (cmd === 'publish') {
      if (packet.qos > 0) open[direction].set(packet.messageId ?? 0, purpose);
      if (purpose === 'message') bodyBytes.add(Buffer.byteLength(packet.payload));
      if (purpose === 'receipts') receipts += listIn(packet.payload, 'receipts').length;
      if (purpose === 'release') released += listIn(packet.payload, 'ids').length;
    }
    const key = `${purpose} ${cmd} ${direction}`;
    const before = parts.get(key) ?? { purpose, cmd, direction, packets: 0, bytes: 0 };
    parts.set(key, { ...before, packets: before.packets + 1, bytes: before.bytes + bytes });
  }
  return { parts: [...parts.values()], receipts, released, bodyBytes: [...bodyBytes] };
}

/** Purposes of what is not wholly acknowledged, by direction and packet id of its PUBLISH. */
type Open = Readonly<Record<Direction, ReadonlyMap<number, Purpose>>>;

function purposeOf(packet: Packet, direction: Direction, open: Open): Purpose {
  const { cmd, messageId = 0 } = packet;
  switch (cmd) {
    case 'connect':
    case 'connack':
    case 'subscribe':
    case 'suback':
    case 'disconnect':
      return 'connection';
    case 'pingreq':
    case 'pingresp':
      return 'ping';
    case 'publish':
      return direction === 'up' ? sentPurpose(packet.topic) : heardPurpose(packet);
    case 'puback':
    case 'pubrec':
    case 'pubcomp':
      return known(open[opposite(direction)].get(messageId), cmd);
    case 'pubrel':
      return known(open[direction].get(messageId), cmd);
    case 'unsubscribe':
    case 'unsuback':
    case 'auth':
      throw new Error(`a packet ${cmd}, which belongs to no exchange that is counted here`);
  }
}

const OF_THE_BRIDGE = /^tollbridge\/[^/]+\/(receipts|release|query)$/;

function sentPurpose(topic: string): Purpose {
  const [, name] = OF_THE_BRIDGE.exec(topic) ?? [];
  if (name === undefined) return 'message';
  if (name === 'release') return 'release';
  throw new Error(`a PUBLISH on ${topic}, which belongs to no exchange that is counted here`);
}

function heardPurpose({ topic, payload }: { topic: string; payload: string | Buffer }): Purpose {
  if (!OF_THE_BRIDGE.test(topic)) return 'message';
  const outcomes = listIn(payload, 'receipts').map(({ outcome }) => outcome);
  return outcomes.every((outcome) => outcome === 'completed') ? 'completed' : 'receipts';
}

function listIn(payload: string | Buffer, name: 'receipts' | 'ids') {
  const said = JSON.parse(payload.toString()) as Record<string, { outcome?: string }[]>;
  return said[name] ?? [];
}

function known(purpose: Purpose | undefined, cmd: string): Purpose {
  if (purpose === undefined) throw new Error(`a ${cmd} of a packet id that is not under way`);
  return purpose;
}

/** What is needed for each message: all but the connection and its pings. */
export function exchangeOf({ parts }: Tally): readonly Part[] {
  return parts.filter(({ purpose }) => purpose !== 'connection' && purpose !== 'ping');
}

export function packetsOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { packets }) => sum + packets, 0);
}

export function bytesOf(parts: readonly Part[], direction?: Direction): number {
  return parts
    .filter((part) => direction === undefined || part.direction === direction)
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Publications of this purpose. */
export function publicationsOf({ parts }: Tally, purpose: Purpose): number {
  return packetsOf(parts.filter((part) => part.purpose === purpose && part.cmd === 'publish'));
}
