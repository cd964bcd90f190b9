/** The way to an outside broker: connects, checks what the broker can do, and subscribes. */
import mqtt, { type IConnackPacket, type MqttClient } from 'mqtt';

/** The outside broker is not there, or cannot do what the bridge needs. */
class OutsideBrokerError extends Error {
  override readonly name = 'OutsideBrokerError';
}

/** How long a broker keeps messages for a local cloud that is away: a week. */
const SESSION_EXPIRY_SECONDS = 7 * 24 * 3_600;
const CONNECT_MILLIS = 10_000;
const RECONNECT_MILLIS = 1_000;
const BASIC_INGEST_FILTER = '$aws/rules/#';
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['mqtt:', 1883],
  ['mqtts:', 8883],
]);

/** The broker's address for people: without user name and password. */
export function brokerAddress(url: string): { readonly port: number; readonly name: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const defaultPort = DEFAULT_PORTS.get(parsed?.protocol ?? '');
  if (parsed === undefined || defaultPort === undefined || parsed.hostname === '') {
    throw new OutsideBrokerError(
      'An outside broker is given as mqtt://host:port, or mqtts://host:port for TLS.',
    );
  }
  const port = parsed.port === '' ? defaultPort : Number(parsed.port);
  return { port, name: `${parsed.protocol}//${parsed.hostname}:${port}` };
}

/** A client on its way to the broker; it comes back by itself whenever the connection ends. */
export function outsideClient(url: string, clientId: string): MqttClient {
  return mqtt.connect(url, {
    protocolVersion: 5,
    clientId,
    clean: false,
    properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS },
    connectTimeout: CONNECT_MILLIS,
    reconnectPeriod: RECONNECT_MILLIS,
    // A broker that starts again may refuse for a while.
    reconnectOnConnackError: true,
  });
}

/**
 * Waits for the connection and subscribes at QoS 1. Says whether Basic Ingest's topics could be
 * subscribed to as well.
 *
 * @throws OutsideBrokerError when the broker is not there or cannot do it; the client is ended then
 */
export async function attach(
  client: MqttClient,
  name: string,
  filters: readonly string[],
): Promise<{ readonly basicIngest: boolean }> {
  try {
    checkAbilities(name, await connected(client, name));
    for (const filter of new Set(filters)) await subscribe(client, name, filter);
    // Not every broker lets topics with $ be subscribed to; all else works without them.
    const basicIngest = await subscribe(client, name, BASIC_INGEST_FILTER).then(
      () => true,
      () => false,
    );
    if (!client.connected) {
      throw new OutsideBrokerError(`${name} ended the connection while it was subscribed to.`);
    }
    return { basicIngest };
  } catch (error) {
    // What still fails behind the first error has nothing to add.
    client.on('error', () => undefined);
    await client.endAsync(true);
    throw error;
  }
}

function connected(client: MqttClient, name: string): Promise<IConnackPacket> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      client.off('connect', succeed);
      client.off('error', fail);
      client.off('close', end);
    };
    const succeed = (packet: IConnackPacket) => {
      settle();
      resolve(packet);
    };
    const fail = (error: Error) => {
      settle();
      // Until the caller has ended the client, more errors may come.
      client.once('error', () => undefined);
      reject(refusal(name, error));
    };
    const end = () => {
      fail(
        new Error(
          'it ended the connection or was silent; a broker without MQTT 5 (aedes) may do so',
        ),
      );
    };
    client.on('connect', succeed);
    client.on('error', fail);
    client.on('close', end);
  });
}

function refusal(name: string, error: Error): OutsideBrokerError {
  const code = 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ECONNREFUSED':
      return new OutsideBrokerError(
        `Nothing listens on ${name}. Bring the broker up first, or name another with --broker.`,
        { cause: error },
      );
    // "Unacceptable protocol version" of MQTT 3.1.1, "Unsupported Protocol Version" of MQTT 5.
    case 1:
    case 0x84:
      return new OutsideBrokerError(
        `${name} does not speak MQTT 5, which user properties need. Take one that does (Mosquitto 2), or the embedded broker: leave --broker out.`,
        { cause: error },
      );
    default:
      return new OutsideBrokerError(`${name} cannot be connected to: ${error.message}.`, {
        cause: error,
      });
  }
}

function checkAbilities(name: string, { properties }: IConnackPacket): void {
  // Left out, it is 2 (MQTT 5 §3.2.2.3.4).
  if ((properties?.maximumQoS ?? 2) < 1) {
    throw new OutsideBrokerError(
      `${name} takes no QoS 1, without which forwards can be lost. Raise its limit (Mosquitto: max_qos 1).`,
    );
  }
  if (properties?.wildcardSubscriptionAvailable === false) {
    throw new OutsideBrokerError(`${name} allows no wildcards, which the rules' filters need.`);
  }
}

async function subscribe(client: MqttClient, name: string, filter: string): Promise<void> {
  let qos: number;
  try {
    // Retained messages are not sent: a rule fires when something is published, not before.
    const [granted] = await client.subscribeAsync(filter, { qos: 1, rh: 2 });
    qos = granted?.qos ?? 0;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OutsideBrokerError(`${name} refuses a subscription to ${filter}: ${why}.`, { cause });
  }
  if (qos === 1) return;
  throw new OutsideBrokerError(
    `${name} grants QoS ${qos} on ${filter}; QoS 1 is needed, or what it hands over can be lost.`,
  );
}
