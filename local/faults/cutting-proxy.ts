/**
 * A TCP proxy between MQTT clients and a broker that loses what a network loses: the PUBACK of a
 * message that arrived, or the PUBLISH itself. Both end the connection, so that the client sends
 * the message again by itself. Owns its listening socket and both sockets of every connection.
 *
 * Invariants: bytes pass unchanged and in order; after a cut nothing passes in either direction;
 * what is no MQTT ends its own connection and nothing else.
 */
import { createConnection, createServer, type Socket } from 'node:net';
import mqttPacket, { type Packet, type Parser } from 'mqtt-packet';
import type { Chance, Observer } from '../contracts.ts';
import { packetFrames } from '../iot/packet-frames.ts';
import { listenOn } from '../listen.ts';

export interface CuttingProxyOptions {
  readonly targetPort: number;
  /** Where the broker listens, and the proxy too. */
  readonly host?: string;
  /** 0, which is the default, takes any free port. */
  readonly port?: number;
  readonly chance: Chance;
  /**
   * The chance, for each QoS 1 PUBLISH, that its PUBACK is lost; half of it is the chance that the
   * PUBLISH itself is.
   */
  readonly loss: number;
  /** Told of each cut by a `disconnect` event. */
  readonly observe?: Observer;
}

export interface CuttingProxy {
  readonly port: number;
  /** How many connections were cut on purpose. */
  cuts(): number;
  close(): Promise<void>;
}

export async function createCuttingProxy(options: CuttingProxyOptions): Promise<CuttingProxy> {
  const { host = '127.0.0.1', port = 0, loss } = options;
  if (!(loss >= 0 && loss <= 1)) {
    throw new RangeError(`The loss is ${loss}; it must be a number from 0 to 1.`);
  }
  const sockets = new Set<Socket>();
  let cuts = 0;
  let closed: Promise<void> | undefined;

  const server = createServer((client) => {
    const broker = createConnection({ host, port: options.targetPort });
    const link = { client, broker };
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // A socket that fails is closed right after, which ends its partner below.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        endLink(link);
      });
    }
    connectLink(link, options, () => {
      cuts += 1;
    });
  });
  const bound = await listenOn(server, port, host, 'the proxy');

  return {
    port: bound,
    cuts: () => cuts,
    close() {
      closed ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      return closed;
    },
  };
}

/** The two sockets of one client's connection. */
interface Link {
  readonly client: Socket;
  readonly broker: Socket;
}

function endLink({ client, broker }: Link): void {
  client.destroy();
  broker.destroy();
}

function connectLink(link: Link, options: CuttingProxyOptions, counted: () => void): void {
  const { chance, loss, observe } = options;
  const reader = packetReader();
  /** Packet ids whose PUBACK is to be lost. */
  const doomed = new Set<number>();
  let clientId = '';

  function cut(reason: string): 'cut' {
    counted();
    observe?.({ kind: 'disconnect', clientId, reason: `cut by the proxy: ${reason}` });
    return 'cut';
  }

  function fromClient(frame: Buffer): 'pass' | 'cut' {
    const packet = reader.read(frame);
    if (packet?.cmd === 'connect') clientId = packet.clientId;
    if (packet?.cmd !== 'publish' || packet.qos !== 1) return 'pass';
    const { messageId = 0 } = packet;
    if (chance.happens(loss)) doomed.add(messageId);
    else if (chance.happens(loss / 2)) return cut(`PUBLISH ${messageId} is lost`);
    return 'pass';
  }

  function fromBroker(frame: Buffer): 'pass' | 'cut' {
    const messageId = pubackOf(frame);
    if (messageId === undefined || !doomed.has(messageId)) return 'pass';
    return cut(`PUBACK ${messageId} is lost`);
  }

  pump(link, link.client, link.broker, fromClient);
  pump(link, link.broker, link.client, fromBroker);
}

/** Passes whole packets on from one socket to the other until one of them is to be cut. */
function pump(
  link: Link,
  from: Socket,
  to: Socket,
  judge: (frame: Buffer) => 'pass' | 'cut',
): void {
  const frames = packetFrames();
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('data', (chunk: Buffer) => {
    try {
      for (const frame of frames.push(chunk)) {
        if (from.destroyed || to.destroyed) return;
        if (judge(frame) === 'cut') return endLink(link);
        if (!to.write(frame)) from.pause();
      }
    } catch {
      // No MQTT: the broker would end the connection for these bytes as well.
      endLink(link);
    }
  });
}

const PUBACK = 4;

/** The packet id that a frame acknowledges when it is a PUBACK; the same in MQTT 3.1.1 and 5. */
function pubackOf(frame: Buffer): number | undefined {
  const isPuback = frame.readUInt8(0) >> 4 === PUBACK;
  return isPuback && frame.length >= 4 ? frame.readUInt16BE(2) : undefined;
}

interface PacketReader {
  /** The packet in a whole frame; throws when there is none. */
  read(frame: Buffer): Packet | undefined;
}

/** Reads a client's packets; the CONNECT among them says which version of MQTT the others speak. */
function packetReader(): PacketReader {
  const packets: Packet[] = [];
  const faults: Error[] = [];
  let parser = newParser();

  function newParser(version?: number): Parser {
    const created = mqttPacket.parser(version === undefined ? {} : { protocolVersion: version });
    created.on('packet', (packet) => packets.push(packet));
    created.on('error', (error: Error) => faults.push(error));
    return created;
  }

  return {
    read(frame) {
      parser.parse(frame);
      const fault = faults.pop();
      if (fault !== undefined) throw fault;
      const packet = packets.pop();
      if (packet?.cmd === 'connect') parser = newParser(packet.protocolVersion);
      return packet;
    },
  };
}
