/**
 * The local stand-in for IoT Core's message broker: aedes, held to what IoT Core does. Owns the
 * listening sockets and every connection; `sessions.ts` keeps who is connected.
 *
 * Invariants: a PUBACK goes out only after `accept` has resolved; nothing is handed to `accept` or
 * to a subscriber that the limits or the policies refuse; no subscriber sees a Basic Ingest topic;
 * at most one connection has a client id; whatever bytes come, only their connection ends.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Aedes, type AuthenticateError, type Client, type PublishPacket } from 'aedes';
import type { Clock } from '../../core/base/time.ts';
import { createTlsListener, type TlsOptions } from '../certificates/tls-listener.ts';
import type { Chance, Faults, InboundMessage, Observer, PolicyDocument } from '../contracts.ts';
import { listenOn } from '../listen.ts';
import { basicIngestOf } from './basic-ingest.ts';
import {
  type ConnectionRules,
  createConnectionRules,
  type Publication,
  principalOf,
  publicationFault,
  type Requester,
} from './connection-rules.ts';
import { assertSupported } from './policy.ts';
import { createSessions, type Sessions } from './sessions.ts';

export interface IotBrokerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  readonly policies: readonly PolicyDocument[];
  /** Takes a message over; while it has not resolved, the client has no PUBACK. */
  readonly accept: (message: InboundMessage) => Promise<void>;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly faults: () => Faults;
  readonly chance: Chance;
  readonly region: string;
  readonly accountId: string;
  /** A second listener on the same host, for devices with certificates. */
  readonly tls?: TlsOptions;
}

/** What the bridge publishes over the data plane. */
export interface BridgePublication {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain?: boolean;
  /** MQTT 5 user properties, in order. The embedded broker speaks 3.1.1 and drops them. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}

export interface IotBroker {
  /** Where clients connect. */
  readonly port: number;
  /** Where clients with certificates connect; absent without such a listener. */
  readonly tlsPort?: number;
  /** Whether `$aws/rules/NAME/…` reaches the rules; an outside broker may refuse it. */
  readonly basicIngest: boolean;
  /** The data plane's Publish. Resolves when the broker has taken it, and says no more than that. */
  publish(publication: BridgePublication): Promise<void>;
  /** The client ids that are connected, sorted. */
  connectedClients(): readonly string[];
  /** Ends every connection and resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** What the hooks of aedes share. */
interface Broker {
  readonly options: IotBrokerOptions;
  readonly rules: ConnectionRules;
  readonly sessions: Sessions;
  readonly aedes: Aedes;
  /** Calls of `accept` that have not ended. */
  readonly accepting: Set<Promise<void>>;
  closing: boolean;
}

/** Starts the broker; rejects when the port is taken or a policy is not supported. */
export async function createIotBroker(options: IotBrokerOptions): Promise<IotBroker> {
  for (const policy of options.policies) assertSupported(policy);
  const aedes = await Aedes.createBroker();
  const broker: Broker = {
    options,
    rules: createConnectionRules(options),
    sessions: createSessions(options.observe),
    aedes,
    accepting: new Set(),
    closing: false,
  };
  installHooks(broker);
  const listeners: Listener[] = [];
  try {
    const host = options.host ?? '127.0.0.1';
    const plain = listenerOf(createServer((socket) => serve(broker, socket)));
    listeners.push(plain);
    const port = await listenOn(plain.server, options.port, host, 'the broker');
    const tlsPort = await listenWithTls(broker, listeners, host);
    let closed: Promise<void> | undefined;
    return {
      port,
      ...(tlsPort !== undefined && { tlsPort }),
      basicIngest: true,
      publish: (publication) => publishForBridge(broker, publication),
      connectedClients: () => broker.sessions.clientIds(),
      close() {
        closed ??= close(broker, listeners);
        return closed;
      },
    };
  } catch (error) {
    await close(broker, listeners);
    throw error;
  }
}

/** A server and its sockets, also those on which no client has said anything yet. */
interface Listener {
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

function listenerOf(server: Server): Listener {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // Receipts are small packets: with Nagle's algorithm each would wait for the client's ACK.
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
  });
  return { server, sockets };
}

async function listenWithTls(
  broker: Broker,
  listeners: Listener[],
  host: string,
): Promise<number | undefined> {
  const { tls, clock, observe } = broker.options;
  if (tls === undefined) return undefined;
  tls.registry.onDeactivated((id) =>
    broker.sessions.endAllOf(id, `the certificate ${id} is not active any more`),
  );
  const listener = listenerOf(
    createTlsListener({
      ...tls,
      clock,
      accepted: (socket, certificateId) => serve(broker, socket, certificateId),
      refused: (reason) => observe({ kind: 'disconnect', clientId: '', reason }),
    }),
  );
  listeners.push(listener);
  return await listenOn(listener.server, tls.port, host, 'the broker with TLS');
}

function serve(broker: Broker, socket: Socket | TLSSocket, certificateId?: string): void {
  const client = broker.aedes.handle(socket);
  broker.sessions.opened(client, certificateId);
  socket.once('close', () => broker.sessions.ended(client));
}

/** The client with the rights that its certificate gives at this moment. */
function requesterOf({ sessions, options }: Broker, client: Client, clientId: string): Requester {
  const id = sessions.certificateIdOf(client);
  if (id === undefined) return { clientId, certificate: undefined };
  return { clientId, certificate: options.tls?.registry.rightsOf(id) ?? 'inactive' };
}

function installHooks(broker: Broker): void {
  const { aedes, rules, sessions } = broker;
  aedes.preConnect = (client, packet, callback) => {
    const { clientId, will } = packet;
    sessions.arriving(client, { clientId, will: will && publicationOf(will) });
    callback(null, true);
  };
  aedes.authenticate = (client, _user, _password, callback) => {
    const { clientId, will } = sessions.requestOf(client) ?? { clientId: '', will: undefined };
    const fault = rules.connectFault({ ...requesterOf(broker, client, clientId), will });
    if (fault === undefined) {
      sessions.takeOver(client);
      callback(null, true);
      return;
    }
    sessions.endsBecause(client, fault.reason);
    const error: AuthenticateError = Object.assign(new Error(fault.reason), {
      returnCode: fault.returnCode,
    });
    callback(error, false);
  };
  aedes.authorizePublish = (client, packet, callback) => {
    // Without a client aedes asks for the wills of other brokers; there are none.
    if (client === null) return callback(new Error('there is no client'));
    // A client that vanishes leaves its will behind; one that `close` ends must not.
    const reason = broker.closing
      ? 'the broker is closing'
      : rules.publishFault(requesterOf(broker, client, client.id), publicationOf(packet));
    if (reason !== undefined) {
      sessions.endsBecause(client, reason);
      callback(new Error(reason));
      return;
    }
    acceptThenAcknowledge(broker, client, packet, callback);
  };
  aedes.authorizeSubscribe = (client, subscription, callback) => {
    // AWS's engineers say that an unauthorized SUBSCRIBE drops the connection and that the client
    // is told no reason (github.com/aws/aws-iot-device-sdk-js, issues 125 and 191).
    const { topic, qos } = subscription;
    const reason = rules.subscribeFault(requesterOf(broker, client, client.id), topic, qos);
    if (reason === undefined) return callback(null, subscription);
    sessions.endsBecause(client, reason);
    callback(new Error(reason));
  };
  aedes.authorizeForward = (client, packet) => {
    // Also asked for what waits in a persistent session, which a filter `#` would let in.
    if (packet.topic.startsWith('$')) return null;
    return rules.mayReceive(requesterOf(broker, client, client.id), packet.topic) ? packet : null;
  };
  aedes.on('client', (client) => sessions.connected(client));
  aedes.on('keepaliveTimeout', (client) => sessions.endsBecause(client, 'keep-alive time-out'));
  aedes.on('clientError', (client, error) => sessions.endsBecause(client, error.message));
  aedes.on('connectionError', (client, error) => sessions.endsBecause(client, error.message));
  // aedes emits `error` when its store fails; without a listener that would end the process.
  aedes.addListener('error', (error: unknown) => {
    broker.options.observe({ kind: 'lost', where: 'broker', topic: '', reason: String(error) });
  });
}

/**
 * aedes sends the PUBACK before it hands a message on, but not before this hook calls back. So the
 * message is the rules engine's first, and a client that hears nothing sends it again.
 */
function acceptThenAcknowledge(
  broker: Broker,
  client: Client,
  packet: PublishPacket,
  callback: (error?: Error | null) => void,
): void {
  const { options, sessions } = broker;
  const { topic, payload } = publicationOf(packet);
  // Reserved topics hold no retained messages.
  if (basicIngestOf(topic) !== undefined) packet.retain = false;
  const clientId = client.id;
  const principal = sessions.certificateIdOf(client) ?? principalOf(clientId);
  accept(broker, { topic, payload, clientId, principal, receivedAt: options.clock() })
    .then(
      () => callback(null),
      (error: unknown) => {
        const reason = `PUBLISH was not taken over: ${error instanceof Error ? error.message : error}`;
        sessions.endsBecause(client, reason);
        callback(new Error(reason));
      },
    )
    // Whatever aedes trips over with this packet costs its client the connection, not the process.
    .catch((error: unknown) => {
      sessions.endsBecause(client, String(error));
      client.conn.destroy();
    });
}

/** The message as its receiver keeps it: the payload is copied, for it may lie in a read buffer. */
async function accept({ options, accepting }: Broker, message: InboundMessage): Promise<void> {
  const accepted = (async () =>
    options.accept({ ...message, payload: Buffer.from(message.payload) }))();
  const settled = accepted.then(
    () => undefined,
    () => undefined,
  );
  accepting.add(settled);
  try {
    await accepted;
  } finally {
    accepting.delete(settled);
  }
}

async function publishForBridge(broker: Broker, publication: BridgePublication): Promise<void> {
  const { options, aedes } = broker;
  const { topic, payload, qos, retain = false } = publication;
  const fault = broker.closing
    ? 'the broker is closing'
    : publicationFault({ topic, payload, qos, retain });
  if (fault !== undefined) throw new Error(`The bridge's publication is refused: ${fault}.`);
  if (options.chance.happens(options.faults().drop)) {
    options.observe({ kind: 'fault', fault: 'drop', where: topic });
    return;
  }
  const receivedAt = options.clock();
  await accept(broker, { topic, payload, clientId: undefined, principal: undefined, receivedAt });
  options.observe({ kind: 'published', topic, payload, qos });
  if (basicIngestOf(topic) !== undefined) return;
  // Not waited for: aedes calls back when every subscriber's socket has taken the packet, and the
  // data plane's answer must not hang on a subscriber that has stopped reading.
  aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, (error) => {
    if (error) options.observe({ kind: 'lost', where: 'broker', topic, reason: error.message });
  });
}

async function close(broker: Broker, listeners: readonly Listener[]): Promise<void> {
  broker.closing = true;
  const closed = listeners.map(
    ({ server }) => new Promise<void>((resolve) => server.close(() => resolve())),
  );
  await new Promise<void>((resolve) => broker.aedes.close(resolve));
  // Those that never sent a CONNECT are unknown to aedes.
  for (const { sockets } of listeners) for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  await Promise.all(broker.accepting);
}

interface PacketParts {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
}

function publicationOf({ topic, payload, qos = 0, retain = false }: PacketParts): Publication {
  return { topic, payload: Buffer.isBuffer(payload) ? payload : Buffer.from(payload), qos, retain };
}
