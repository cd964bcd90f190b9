/**
 * As much of an MQTT 5 broker as a test needs to see every packet: it answers CONNECT, SUBSCRIBE
 * and PUBLISH as it is told to, and keeps all packets that came, by connection.
 */
import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import mqttPacket, { type IConnackPacket, type IPublishPacket, type Packet } from 'mqtt-packet';
import { listenOn } from '../../../local/listen.ts';

type PacketOf<Cmd extends Packet['cmd']> = Extract<Packet, { cmd: Cmd }>;

export interface FakeBrokerAnswers {
  readonly connack: Partial<IConnackPacket>;
  /** The granted QoS, or a reason code of 128 and more. */
  readonly granted: (filter: string) => number;
  /** The reason code of a PUBACK, or undefined for none at all. */
  readonly puback: (packet: IPublishPacket) => number | undefined;
}

export interface FakeBroker {
  readonly port: number;
  /** May be changed at any time. */
  answers: FakeBrokerAnswers;
  /** Every packet that came on the n-th connection, from 0. */
  packets(connection?: number): readonly Packet[];
  /** The first packet of a kind on a connection, now or later. */
  received<Cmd extends Packet['cmd']>(
    cmd: Cmd,
    connection?: number,
    fits?: (packet: PacketOf<Cmd>) => boolean,
  ): Promise<PacketOf<Cmd>>;
  /** Sends packets on the latest connection, in one piece. */
  send(...packets: readonly Packet[]): void;
  /** Ends the latest connection. */
  cut(): void;
  close(): Promise<void>;
}

export async function startFakeBroker(
  changes: Partial<FakeBrokerAnswers> = {},
): Promise<FakeBroker> {
  const bell = new EventEmitter().setMaxListeners(0);
  const connections: { readonly socket: Socket; readonly packets: Packet[] }[] = [];
  const server = createServer((socket) => {
    const packets: Packet[] = [];
    connections.push({ socket, packets });
    const parser = mqttPacket.parser({ protocolVersion: 5 });
    parser.on('packet', (packet) => {
      packets.push(packet);
      for (const answer of answersTo(packet, fake.answers)) write(socket, answer);
      bell.emit('packet');
    });
    socket.on('data', (chunk) => parser.parse(chunk));
    socket.on('error', () => undefined);
  });
  const port = await listenOn(server, 0, '127.0.0.1');
  const latest = () => {
    const connection = connections.at(-1);
    if (connection === undefined) throw new Error('nobody has connected');
    return connection.socket;
  };
  const fake: FakeBroker = {
    port,
    answers: { connack: {}, granted: () => 1, puback: () => 0, ...changes },
    packets: (connection = 0) => connections[connection]?.packets ?? [],
    async received<Cmd extends Packet['cmd']>(
      cmd: Cmd,
      connection = 0,
      fits: (packet: PacketOf<Cmd>) => boolean = () => true,
    ) {
      for (;;) {
        for (const packet of fake.packets(connection)) {
          if (packet.cmd === cmd && fits(packet as PacketOf<Cmd>)) return packet as PacketOf<Cmd>;
        }
        await once(bell, 'packet');
      }
    },
    send: (...packets) => void latest().write(Buffer.concat(packets.map(encoded))),
    cut: () => void latest().destroy(),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { socket } of connections) socket.destroy();
      await closed;
    },
  };
  return fake;
}

function answersTo(packet: Packet, answers: FakeBrokerAnswers): readonly Packet[] {
  switch (packet.cmd) {
    case 'connect':
      return [{ cmd: 'connack', reasonCode: 0, sessionPresent: false, ...answers.connack }];
    case 'subscribe': {
      const granted = packet.subscriptions.map(({ topic }) => answers.granted(topic));
      return [{ cmd: 'suback', messageId: packet.messageId ?? 0, granted }];
    }
    case 'publish': {
      const reasonCode = packet.qos === 1 ? answers.puback(packet) : undefined;
      if (reasonCode === undefined) return [];
      return [{ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode }];
    }
    case 'pingreq':
      return [{ cmd: 'pingresp' }];
    default:
      return [];
  }
}

function write(socket: Socket, packet: Packet): void {
  if (!socket.destroyed) socket.write(encoded(packet));
}

function encoded(packet: Packet): Buffer {
  return mqttPacket.generate(packet, { protocolVersion: 5 });
}
