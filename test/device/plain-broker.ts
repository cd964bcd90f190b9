/** aedes alone, with the sessions it keeps in memory: a broker that knows nothing of Tollbridge. */
import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import type { Inbound } from '../../device/ports.ts';
import { listenOn } from '../../local/listen.ts';

export interface PlainBroker {
  readonly port: number;
  publish(message: Pick<Inbound, 'topic' | 'payload' | 'qos'>): Promise<void>;
  /** Cuts every connection, as a network does. */
  cut(): void;
  /** PUBACKs that clients have sent. */
  readonly acknowledged: number;
  close(): Promise<void>;
}

export async function startPlainBroker(): Promise<PlainBroker> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  let acknowledged = 0;
  aedes.on('ack', (packet) => {
    if (packet !== undefined) acknowledged += 1;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const port = await listenOn(server, 0, '127.0.0.1');
  return {
    port,
    get acknowledged() {
      return acknowledged;
    },
    publish: ({ topic, payload, qos }) =>
      new Promise((resolve, reject) => {
        const packet = { cmd: 'publish', topic, payload: Buffer.from(payload), qos } as const;
        aedes.publish({ ...packet, dup: false, retain: false }, (error) =>
          error ? reject(error) : resolve(),
        );
      }),
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => aedes.close(resolve));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
