/** What `connect` takes, its defaults, and what is refused before anything is opened. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { IClientOptions } from 'mqtt';
import { DEVICE_BYTES_MAX } from '../core/base/limits.ts';
import { printable, quoted } from '../core/base/printable.ts';
import { systemClock } from '../core/base/time.ts';
import { stripBasicIngest } from '../core/message/topics.ts';
import { InvalidOptionsError } from './errors.ts';
import type { DeviceEvents } from './events.ts';
import type { OutboxLimits } from './outbox/outbox.ts';
import type { Clock, Random, Timers } from './ports.ts';
import { checkRoutes, type DeviceRoute, type Routes } from './publish/profile.ts';
import type { RetryPolicy } from './publish/schedule.ts';

/** Certificates and keys: a path, or the PEM itself. */
export interface TlsOptions {
  /** Who signed the broker's certificate. @default - the authorities that Node.js knows */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  /** For AWS IoT Core on port 443: `['x-amzn-mqtt-ca']`. */
  readonly alpn?: readonly string[];
  /** The name in the broker's certificate, where it is not the host of the url. */
  readonly servername?: string;
}

export interface ConnectOptions {
  /** `mqtts://host:8883`, `mqtt://…`, `wss://…` or `ws://…`. */
  readonly url: string;
  /** The thing's name; also the client id. */
  readonly deviceId: string;
  /** A folder for this device alone, made when it is not there. */
  readonly outbox: string;
  readonly routes: Routes;
  readonly tls?: TlsOptions;
  readonly username?: string;
  readonly password?: string;
  /** @default '3.1.1' */
  readonly mqttVersion?: '3.1.1' | '5';
  /** @default 60 */
  readonly keepAliveSeconds?: number;
  /**
   * The broker keeps what it forwards to `receive` while the device is away.
   * @default false - receipts do not need it: what gets none is sent again
   */
  readonly persistentSession?: boolean;
  /**
   * How long a broker is asked to keep a persistent session while the device is away; for MQTT 5,
   * where a broker may have a limit of its own (AWS IoT Core: seven days).
   * @default 86,400
   */
  readonly sessionExpirySeconds?: number;
  /** When it is full, `publish` rejects. @default 100,000 messages and 256 MiB */
  readonly limits?: Partial<OutboxLimits>;
  /** The wait for a receipt. @default 30 s, doubled up to 10 minutes */
  readonly retry?: Partial<RetryPolicy>;
  /** The wait before the next connection. @default 1 s, doubled up to one minute */
  readonly reconnect?: Partial<RetryPolicy>;
  /** Messages without a receipt at a time. @default 100 */
  readonly inFlightMax?: number;
  /** Publications a second on one connection. @default 100 */
  readonly perSecondMax?: number;
  /** A connection that leaves a PUBLISH unacknowledged for so long is ended. @default 30,000 */
  readonly pubackMillis?: number;
  /** How long ids are gathered before they are released together. @default 1,000 */
  readonly releaseLingerMillis?: number;
  /**
   * Asks the bridge what became of messages that may have been sent before a start or a
   * reconnection, and sends only those it does not know. It pays for large bodies on a dear line;
   * the route's bridge has to answer queries. What gets no answer in time is sent.
   * @default false
   */
  readonly queryBeforeResend?: boolean;
  /**
   * `connect` waits so long for the first connection, and rejects when the device is refused
   * meanwhile. Without a network it resolves all the same: `publish` works offline.
   * @default 0
   */
  readonly waitMillis?: number;
  /** Listeners that miss nothing: added before anything happens. */
  readonly on?: Listeners;
  /** For tests and simulations. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly timers?: Timers;
}

export type Listeners = {
  readonly [Name in keyof DeviceEvents]?: (...args: DeviceEvents[Name]) => void;
};

export interface Settings {
  readonly url: string;
  readonly deviceId: string;
  readonly outbox: string;
  readonly routes: ReadonlyMap<string, DeviceRoute>;
  readonly client: IClientOptions;
  readonly mqttVersion: '3.1.1' | '5';
  readonly persistentSession: boolean;
  readonly sessionExpirySeconds: number;
  readonly limits: OutboxLimits;
  readonly retry: RetryPolicy;
  readonly reconnect: RetryPolicy;
  readonly inFlightMax: number;
  readonly perSecondMax: number;
  readonly pubackMillis: number;
  readonly releaseLingerMillis: number;
  readonly queryBeforeResend: boolean;
  readonly waitMillis: number;
  readonly on: Listeners;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
}

const PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];
const MINUTE_MILLIS = 60_000;
const DAY_MILLIS = 86_400_000;
/** MQTT 5 §3.1.2.11.2: four bytes, all of them set for a session that never ends. */
const SESSION_EXPIRY_SECONDS_MAX = 0xffff_ffff;
const ALPN_BYTES_MAX = 255;

/** @throws InvalidOptionsError with every problem */
export async function checkOptions(options: ConnectOptions): Promise<Settings> {
  const problems: string[] = [];
  const url = checkUrl(options, problems);
  checkDevice(options.deviceId, problems);
  if (typeof options.outbox !== 'string' || options.outbox === '') {
    problems.push('outbox is empty; name a folder for this device alone');
  }
  const { mqttVersion = '3.1.1' } = options;
  if (mqttVersion !== '3.1.1' && mqttVersion !== '5') {
    problems.push(`mqttVersion is ${String(mqttVersion)}; allowed are '3.1.1' and '5'`);
  }
  const numbers = checkNumbers(options, problems);
  const { routes: given, persistentSession, sessionExpirySeconds } = options;
  if (sessionExpirySeconds !== undefined && (persistentSession !== true || mqttVersion !== '5')) {
    problems.push("sessionExpirySeconds needs persistentSession: true and mqttVersion: '5'");
  }
  // Whoever only receives has nothing to publish.
  const isReceiver = persistentSession === true && Object.keys(given ?? {}).length === 0;
  const routes = isReceiver ? new Map() : checkRoutes(given, problems);
  checkTopics(routes, options.deviceId, problems);
  const client = await clientOptions(options, problems);
  if (problems.length > 0) throw new InvalidOptionsError(problems);
  return {
    url,
    deviceId: options.deviceId,
    outbox: options.outbox,
    routes,
    client,
    mqttVersion,
    persistentSession: options.persistentSession ?? false,
    ...numbers,
    queryBeforeResend: options.queryBeforeResend ?? false,
    on: options.on ?? {},
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    timers: options.timers ?? systemTimers,
  };
}

/**
 * A broker ends the connection at a PUBLISH that the device's policy does not allow, and what is in
 * the outbox by then would be sent to that topic for ever: so it is refused before anything is kept.
 */
function checkTopics(
  routes: ReadonlyMap<string, DeviceRoute>,
  deviceId: unknown,
  problems: string[],
): void {
  for (const { name, topic } of routes.values()) {
    if (typeof deviceId !== 'string' || stripBasicIngest(topic).split('/').includes(deviceId)) {
      continue;
    }
    problems.push(
      `routes.${name}.topic ${quoted(topic, 256)} has no level ${quoted(deviceId, 128)}: a device ` +
        "publishes on its own topics, as 'tollbridge device-profile' prints them",
    );
  }
}

function checkUrl({ url, tls }: ConnectOptions, problems: string[]): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !PROTOCOLS.includes(parsed.protocol)) {
    problems.push('url is no address of a broker; give one such as mqtts://host:8883');
    return '';
  }
  if (parsed.username !== '' || parsed.password !== '') {
    problems.push('url holds credentials; give username and password as options');
  }
  if (parsed.searchParams.has('clientId')) {
    problems.push('url holds a clientId; the client id is the deviceId');
  }
  const isSecure = parsed.protocol === 'mqtts:' || parsed.protocol === 'wss:';
  if (tls !== undefined && !isSecure) {
    problems.push(
      `tls is given, but ${parsed.protocol}// is not encrypted; use mqtts:// or wss://`,
    );
  }
  return url;
}

function checkDevice(deviceId: unknown, problems: string[]): void {
  const isName =
    typeof deviceId === 'string' && /^[^/+#\0]+$/.test(deviceId) && deviceId.isWellFormed();
  if (isName && Buffer.byteLength(deviceId) <= DEVICE_BYTES_MAX) return;
  const got = typeof deviceId === 'string' ? quoted(deviceId, 64) : String(deviceId);
  problems.push(
    `deviceId is ${got}; it is a topic level of 1 to ${DEVICE_BYTES_MAX} bytes without / + #`,
  );
}

function checkNumbers(options: ConnectOptions, problems: string[]) {
  const whole = (
    name: string,
    value: number | undefined,
    usual: number,
    min: number,
    max: number,
  ) => {
    const number = value ?? usual;
    if (Number.isSafeInteger(number) && number >= min && number <= max) return number;
    problems.push(`${name} is ${number}; allowed is a whole number from ${min} to ${max}`);
    return usual;
  };
  const policy = (name: string, given: Partial<RetryPolicy> = {}, usual: RetryPolicy) => {
    const firstMillis = whole(
      `${name}.firstMillis`,
      given.firstMillis,
      usual.firstMillis,
      1,
      DAY_MILLIS,
    );
    const least = Math.max(usual.maxMillis, firstMillis);
    const maxMillis = whole(`${name}.maxMillis`, given.maxMillis, least, firstMillis, DAY_MILLIS);
    return { firstMillis, maxMillis };
  };
  const most = Number.MAX_SAFE_INTEGER;
  whole('keepAliveSeconds', options.keepAliveSeconds, 60, 0, 65_535);
  return {
    sessionExpirySeconds: whole(
      'sessionExpirySeconds',
      options.sessionExpirySeconds,
      DAY_MILLIS / 1_000,
      1,
      SESSION_EXPIRY_SECONDS_MAX,
    ),
    limits: {
      messages: whole('limits.messages', options.limits?.messages, 100_000, 1, most),
      bytes: whole('limits.bytes', options.limits?.bytes, 256 * 1024 ** 2, 1, most),
    },
    retry: policy('retry', options.retry, { firstMillis: 30_000, maxMillis: 10 * MINUTE_MILLIS }),
    reconnect: policy('reconnect', options.reconnect, {
      firstMillis: 1_000,
      maxMillis: MINUTE_MILLIS,
    }),
    inFlightMax: whole('inFlightMax', options.inFlightMax, 100, 1, 10_000),
    perSecondMax: whole('perSecondMax', options.perSecondMax, 100, 1, 10_000),
    pubackMillis: whole('pubackMillis', options.pubackMillis, 30_000, 1, DAY_MILLIS),
    releaseLingerMillis: whole(
      'releaseLingerMillis',
      options.releaseLingerMillis,
      1_000,
      0,
      DAY_MILLIS,
    ),
    waitMillis: whole('waitMillis', options.waitMillis, 0, 0, DAY_MILLIS),
  };
}

async function clientOptions(options: ConnectOptions, problems: string[]): Promise<IClientOptions> {
  const { tls, username, password, keepAliveSeconds = 60 } = options;
  if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined)) {
    problems.push('tls has one of cert and key; a client certificate needs both');
  }
  if (tls?.alpn?.some((name) => name === '' || Buffer.byteLength(name) > ALPN_BYTES_MAX)) {
    problems.push(`tls.alpn has a name that is not of 1 to ${ALPN_BYTES_MAX} bytes`);
  }
  const [ca, cert, key] = await Promise.all([
    readPem('tls.ca', tls?.ca, problems),
    readPem('tls.cert', tls?.cert, problems),
    readPem('tls.key', tls?.key, problems),
  ]);
  checkSecrets({ ca, cert, key, passphrase: tls?.passphrase }, problems);
  return {
    keepalive: keepAliveSeconds,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(tls?.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    ...(tls?.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] }),
    ...(tls?.servername === undefined ? {} : { servername: tls.servername }),
  };
}

/** Finds now what every connection would fail at. */
function checkSecrets(
  secrets: SecureContextOptions & { readonly ca: Buffer | undefined },
  problems: string[],
): void {
  try {
    createSecureContext(secrets);
    // An authority that is no certificate would be passed over in silence.
    if (secrets.ca !== undefined) new X509Certificate(secrets.ca);
  } catch (error) {
    const why = error instanceof Error ? printable(error.message, 256) : 'it cannot be read';
    problems.push(`tls cannot be used: ${why}; look at ca, cert, key and passphrase`);
  }
}

async function readPem(
  name: string,
  value: string | Buffer | undefined,
  problems: string[],
): Promise<Buffer | undefined> {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return value;
  if (value.includes('-----BEGIN ')) return Buffer.from(value);
  try {
    return await readFile(value);
  } catch {
    problems.push(`${name} is neither a PEM nor a file that can be read: ${quoted(value, 256)}`);
    return undefined;
  }
}

/** The longest wait that a Node.js timer can hold. */
const TIMER_MILLIS_MAX = 2_147_483_647;

export const systemTimers: Timers = {
  now: () => performance.now(),
  after: (millis, task) => {
    // One more, for a timer may fire within the millisecond before its time.
    const timer = setTimeout(task, Math.min(Math.ceil(millis) + 1, TIMER_MILLIS_MAX));
    return () => clearTimeout(timer);
  },
};
