/**
 * A TCP proxy in front of a broker that counts the MQTT packets of one client. Owns its listening
 * socket, both sockets of every connection, and the record of what has passed.
 *
 * Invariants: bytes pass unchanged and in order; each byte that passes is in one recorded packet,
 * or it is MQTT no more and the connection ends; a packet is recorded before the other side can
 * have it, so whoever knows of its contents finds it in the record.
 */
import { createConnection, createServer, type Socket } from 'node:net';
import mqttPacket, { type Packet } from 'mqtt-packet';
import { packetFrames } from '../../local/iot/packet-frames.ts';
import { listenOn } from '../../local/listen.ts';

/** `up` is from the client to the broker. */
export type Direction = 'up' | 'down';

/** A packet that has passed. */
export interface Sighting {
  readonly direction: Direction;
  readonly packet: Packet;
  /** Of the whole packet: fixed header, variable header and payload. */
  readonly bytes: number;
}

export interface CountingProxy {
  readonly port: number;
  /** In the order in which they passed. */
  readonly sightings: readonly Sighting[];
  /** How many connections were made. */
  readonly connections: number;
  /**
   * Resolves when every PUBLISH at QoS 1 has its PUBACK and every one at QoS 2 its PUBCOMP; rejects
   * when the connection ends before.
   */
  acknowledged(): Promise<void>;
  /** Resolves when the client's connection has ended, and all that it sent is recorded. */
  ended(): Promise<void>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Listens on a free port of loopback, where the broker listens too. */
export async function createCountingProxy(brokerPort: number): Promise<CountingProxy> {
  const record = new Record();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = createConnection({ host: HOST, port: brokerPort });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // A socket that fails is closed right after, which ends its partner below.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        client.destroy();
        broker.destroy();
        if (sockets.size === 0) record.end();
      });
    }
    const note = record.begin();
    tap(client, broker, (frame) => note('up', frame));
    tap(broker, client, (frame) => note('down', frame));
  });
  const port = await listenOn(server, 0, HOST, 'the counting proxy');
  return {
    port,
    sightings: record.sightings,
    get connections() {
      return record.connections;
    },
    acknowledged: () => record.when(() => record.isAcknowledged, 'acknowledged what was under way'),
    ended: () => record.when(() => record.isOver, 'began'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Passes on what comes, each packet noted first. */
function tap(from: Socket, to: Socket, note: (frame: Buffer) => void): void {
  const frames = packetFrames();
  from.on('data', (chunk: Buffer) => {
    try {
      for (const frame of frames.push(chunk)) note(frame);
    } catch {
      from.destroy();
    }
  });
  from.pipe(to);
}

class Record {
  readonly sightings: Sighting[] = [];
  connections = 0;
  isOver = false;
  /** Packet ids of what is not acknowledged yet, by the direction of the PUBLISH. */
  readonly #open = { up: new Set<number>(), down: new Set<number>() };
  #waiting: { isOver: () => boolean; resolve: () => void; reject: () => void }[] = [];

  get isAcknowledged(): boolean {
    return this.#open.up.size + this.#open.down.size === 0;
  }

  /** A new connection; its CONNECT says which version of MQTT the packets after it speak. */
  begin(): (direction: Direction, frame: Buffer) => void {
    this.connections += 1;
    this.isOver = false;
    let version: number | undefined;
    return (direction, frame) => {
      const packet = packetIn(frame, version);
      if (packet.cmd === 'connect') version = packet.protocolVersion ?? 4;
      this.sightings.push({ direction, packet, bytes: frame.length });
      this.#follow(direction, packet);
      this.#look();
    };
  }

  end(): void {
    this.isOver = true;
    this.#look();
    for (const { reject } of this.#waiting.splice(0)) reject();
  }

  /** @param what the connection has to do, in words, for the error when it ends before. */
  when(isOver: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`the connection ended before it ${what}`));
      this.#waiting.push({ isOver, resolve, reject: fail });
      this.#look();
      if (this.isOver && !isOver()) fail();
    });
  }

  #follow(direction: Direction, packet: Packet): void {
    const { messageId = 0 } = packet;
    if (packet.cmd === 'publish' && packet.qos > 0) this.#open[direction].add(messageId);
    const isLast = packet.cmd === 'puback' || packet.cmd === 'pubcomp';
    if (isLast) this.#open[opposite(direction)].delete(messageId);
  }

  #look(): void {
    const over = this.#waiting.filter(({ isOver }) => isOver());
    this.#waiting = this.#waiting.filter((each) => !over.includes(each));
    for (const { resolve } of over) resolve();
  }
}

export function opposite(direction: Direction): Direction {
  return direction === 'up' ? 'down' : 'up';
}

/** @throws Error when the frame holds no packet of MQTT */
function packetIn(frame: Buffer, version: number | undefined): Packet {
  const packets: Packet[] = [];
  const parser = mqttPacket.parser(version === undefined ? {} : { protocolVersion: version });
  parser.on('packet', (packet) => packets.push(packet));
  parser.on('error', (error: Error) => {
    throw error;
  });
  parser.parse(frame);
  const [packet] = packets;
  if (packet === undefined) throw new Error('a frame without a packet');
  return packet;
}
