/** A broker for one test: it does as it is told, and says what no bridge would. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type PublishPacket } from 'aedes';
import { ownTopic } from '../../core/wire/topics.ts';
import { listenOn } from '../../local/listen.ts';

export interface Sent {
  readonly topic: string;
  readonly payload: Buffer;
}

export interface ScriptedBroker {
  readonly port: number;
  /** What devices have sent, in order. */
  readonly sent: readonly Sent[];
  /** How often a device has subscribed to its receipts. */
  subscriptions(): number;
  /** Publishes to the device, in order. */
  tell(device: string, ...payloads: readonly (string | Buffer)[]): void;
  /** From now on, as AWS IoT does where no policy allows them. */
  refuseSubscriptions(): void;
  /** Ends every connection, as a network does. */
  cut(): void;
  close(): Promise<void>;
}

/** A broker that does as it is told, with `take` for every message of a device. */
export async function startScriptedBroker(
  take: (sent: Sent, broker: ScriptedBroker) => void,
  tls?: Parameters<typeof createTlsServer>[0],
): Promise<ScriptedBroker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const sent: Sent[] = [];
  let subscriptions = 0;
  aedes.on('subscribe', () => {
    subscriptions += 1;
  });
  const connected = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    aedes.handle(socket);
  };
  const server = tls === undefined ? createServer(connected) : createTlsServer(tls, connected);
  const broker: ScriptedBroker = {
    port: await listenOn(server, 0, '127.0.0.1'),
    sent,
    subscriptions: () => subscriptions,
    tell(device, ...payloads) {
      for (const payload of payloads) {
        const packet = {
          topic: ownTopic(device, 'receipts'),
          payload,
          qos: 0,
          retain: false,
        } as const;
        aedes.publish({ cmd: 'publish', dup: false, ...packet }, () => {});
      }
    },
    refuseSubscriptions() {
      aedes.authorizeSubscribe = (_client, _subscription, callback) => callback(null, null);
    },
    cut() {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    async close() {
      broker.cut();
      await new Promise<void>((resolve) => aedes.close(resolve));
      server.close();
      await once(server, 'close');
    },
  };
  aedes.on('publish', ({ topic, payload }: PublishPacket, client) => {
    if (client === null) return;
    const message = { topic, payload: Buffer.from(payload) };
    sent.push(message);
    take(message, broker);
  });
  return broker;
}
