/** Clients that others have made, and the project's own, each as a device that sends messages. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type IClientOptions } from 'mqtt';
import { connect } from '../../../device/index.ts';
import { type Program, run, startProgram } from '../../../tools/programs.ts';
import { python } from '../python-station.ts';
import type { DeviceMessages, Heard } from '../reconcile.ts';
import { createSender, hashOf, type Message } from './unreceipted.ts';

export type MqttVersion = '3.1.1' | '5';

/** Where a device connects, as whom, and what it is to send. */
export interface Link extends DeviceMessages {
  readonly mqtt: MqttVersion;
  readonly port: number;
  /** Paths of PEM files; no TLS without them. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** Sends every message until it has a receipt. */
export type Driver = (link: Link) => Promise<Heard>;
/** Publishes the messages once where the broker refuses them; says what the client says of that. */
export type Probe = (link: Link) => Promise<string>;

/** The name in the brokers' certificates; the proxies listen on 127.0.0.1 alone. */
const HOST = 'localhost';
/** A program that hangs is ended, and the run fails. */
const PROGRAM_MILLIS_MAX = 100_000;
/** How long a first request waits; each further one waits twice as long. */
const RR_SECONDS = 2;
/** Status of mosquitto_rr when no answer came in time. */
const MOSQUITTO_TIMEOUT = 27;

const receiptsTopic = (device: string) => `tollbridge/${device}/receipts`;

/** Runs a child to its end or its time limit; gives back what it printed behind this word. */
async function linesOf(program: Program, word: string): Promise<readonly string[]> {
  const timer = setTimeout(() => void program.end('SIGKILL'), PROGRAM_MILLIS_MAX);
  const status = await program.ended;
  clearTimeout(timer);
  if (status !== 0) throw new Error(`the client ended with ${status}:\n${program.printed()}`);
  const lines = program.printed().split('\n');
  return lines.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length + 1));
}

function inputOf(messages: readonly Message[]): string {
  const path = join(mkdtempSync(join(tmpdir(), 'tollbridge-client-')), 'messages.json');
  writeFileSync(path, JSON.stringify(messages));
  return path;
}

function mqttJsOptions({ mqtt: version, port, device }: Link): IClientOptions {
  const protocolVersion = version === '5' ? 5 : 4;
  return { host: '127.0.0.1', port, protocolVersion, clientId: device, reconnectPeriod: 100 };
}

export const driveMqttJs: Driver = async (link) => {
  const receipts: string[] = [];
  const client = await mqtt.connectAsync(mqttJsOptions(link));
  const sender = createSender(link.messages, ({ topic, body }) =>
    client.publish(topic, body, { qos: 1 }),
  );
  client.on('message', (_topic, payload) => {
    receipts.push(String(payload));
    sender.take(String(payload));
  });
  await client.subscribeAsync(receiptsTopic(link.device), { qos: 1 });
  sender.start();
  await sender.done;
  await client.endAsync(true);
  return { receipts };
};

export const probeMqttJs: Probe = async (link) => {
  const client = await mqtt.connectAsync(mqttJsOptions(link));
  const [message] = link.messages;
  const said = await client
    .publishAsync(message?.topic ?? '', message?.body ?? '', { qos: 1 })
    .then(
      () => 'the promise resolves',
      (error) => `the promise rejects: ${error.message}`,
    );
  await client.endAsync(true);
  return said;
};

async function connectDevice({ mqtt: mqttVersion, port, tls, device }: Link) {
  const outbox = mkdtempSync(join(tmpdir(), 'tollbridge-outbox-'));
  return connect({
    url: tls === undefined ? `mqtt://127.0.0.1:${port}` : `mqtts://${HOST}:${port}`,
    deviceId: device,
    outbox,
    routes: { charges: { topic: `billing/${device}/charges`, idField: 'id' } },
    mqttVersion,
    inFlightMax: 10,
    retry: { firstMillis: 1_500 },
    reconnect: { firstMillis: 100, maxMillis: 500 },
    ...(tls && { tls }),
  });
}

export const driveDevice: Driver = async (link) => {
  const device = await connectDevice(link);
  const receipts = await Promise.all(
    link.messages.map(({ body }) => device.publish('charges', JSON.parse(body))),
  );
  await device.close();
  return { receipts: [JSON.stringify({ receipts })] };
};

export const probeDevice: Probe = async (link) => {
  const device = await connectDevice(link);
  const told = new Promise<number>((resolve) => {
    device.once('not-delivered', ({ reasonCode }) => resolve(reasonCode));
  });
  const [message] = link.messages;
  await device.enqueue('charges', JSON.parse(message?.body ?? ''));
  const reasonCode = await told;
  const held = device.pending().length;
  await device.close();
  return `the event \`not-delivered\` with reason code ${reasonCode}; ${held} message stays in the outbox`;
};

function startPaho({ mqtt: version, port, device, messages }: Link, ...flags: readonly string[]) {
  const where = ['--host', '127.0.0.1', '--port', `${port}`, '--mqtt', version];
  const what = ['--device', device, '--input', inputOf(messages)];
  return startProgram(python, [
    'proofs/interop/clients/paho-device.py',
    ...where,
    ...what,
    ...flags,
  ]);
}

export const drivePaho: Driver = async (link) => ({
  receipts: await linesOf(startPaho(link), 'receipts'),
});

export const probePaho: Probe = async (link) => {
  const [said = ''] = await linesOf(startPaho(link, '--once'), 'puback');
  return `\`${said}\`, as after any PUBACK`;
};

function startSdk({ mqtt: version, port, device, messages, tls }: Link, isOnce: boolean) {
  const options = { mqtt: version, host: HOST, port, device, ...tls, once: isOnce };
  const argument = JSON.stringify({ ...options, input: inputOf(messages) });
  const script = 'proofs/interop/aws-device-sdk/client.mjs';
  return startProgram(process.execPath, ['--import', 'tsx', script, argument]);
}

export const driveSdk: Driver = async (link) => ({
  receipts: await linesOf(startSdk(link, false), 'receipts'),
});

export const probeSdk: Probe = async (link) => {
  const [said = ''] = await linesOf(startSdk(link, true), 'puback');
  return `the promise resolves: \`${said}\``;
};

function mosquittoFlags({ mqtt: version, port }: Link, clientId: string): readonly string[] {
  return ['-V', version.replaceAll('.', ''), '-h', '127.0.0.1', '-p', `${port}`, '-i', clientId];
}

/** `mosquitto_pub` gives up when its connection is lost: it is run again until it succeeds. */
async function publishUntilTaken(link: Link, { topic, body }: Message): Promise<void> {
  const flags = [...mosquittoFlags(link, link.device), '-q', '1', '-t', topic, '-m', body];
  for (;;) if ((await run('mosquitto_pub', flags)).status === 0) return;
}

/** One process for each message, and one of `mosquitto_sub` that reads receipts and forwards. */
export const driveMosquittoPub: Driver = async (link) => {
  const { device, messages } = link;
  const receipts: string[] = [];
  const forwards: string[] = [];
  const filters = ['-t', receiptsTopic(device), '-t', `booked/${device}/charges`];
  const flags = [...mosquittoFlags(link, `${device}-ear`), '-q', '1', ...filters];
  let last = Promise.resolve();
  const sender = createSender(messages, (message) => {
    last = last.then(() => publishUntilTaken(link, message));
  });
  const bell = { ring: () => {} };
  // With -d it says when it has subscribed; written to a pipe it would keep that to itself.
  const command = ['-oL', 'mosquitto_sub', '-d', ...flags, '-F', '%t %p'];
  const ear = startProgram('stdbuf', command, (line) => {
    const [, topic, payload = ''] = /^(booked|tollbridge)\S+ (.*)$/.exec(line) ?? [];
    if (topic === 'booked') forwards.push(payload);
    if (topic === 'tollbridge') {
      receipts.push(payload);
      sender.take(payload);
    }
    bell.ring();
  });
  await ear.prints(/Subscribed/);
  sender.start();
  await sender.done;
  await last;
  const forwardIds = () => new Set(forwards.map((text) => JSON.parse(text)['tollbridge-id']));
  while (forwardIds().size < messages.length) {
    await new Promise<void>((resolve) => {
      bell.ring = resolve;
    });
  }
  await ear.end('SIGTERM');
  return { receipts, forwards };
};

export const probeMosquittoPub: Probe = async (link) => {
  const [message] = link.messages;
  const flags = [...mosquittoFlags(link, link.device), '-q', '1', '-t', message?.topic ?? ''];
  const { status, printed } = await run('mosquitto_pub', [...flags, '-m', message?.body ?? '']);
  return `prints \`${printed.trim()}\`, ends with status ${status}`;
};

/** A request whose answer is the receipt; asked again until the receipt of this body comes. */
export const driveMosquittoRr: Driver = async (link) => {
  const receipts: string[] = [];
  for (const message of link.messages) {
    const topics = ['-t', message.topic, '-e', receiptsTopic(link.device)];
    const flags = [...mosquittoFlags(link, link.device), '-q', '1', ...topics];
    let isBooked = false;
    for (let seconds = RR_SECONDS; !isBooked; ) {
      const wait = ['-W', `${seconds}`, '-m', message.body];
      const { status, printed } = await run('mosquitto_rr', [...flags, ...wait]);
      if (status === MOSQUITTO_TIMEOUT) seconds *= 2;
      if (status !== 0) continue;
      receipts.push(printed);
      isBooked = printed.includes(hashOf(message));
    }
  }
  return { receipts };
};
