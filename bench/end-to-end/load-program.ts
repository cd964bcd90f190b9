/**
 * Devices that report charges and wait until each is booked: a receipt tells them so, or, behind
 * native QoS 2, the consumer's word that it is committed.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { chargeBody } from '../harness/deliveries.ts';
import { say, taskOf } from '../harness/program.ts';
import { percentileOf } from '../harness/statistics.ts';

export interface LoadTask {
  readonly port: number;
  readonly devices: number;
  /** Those that are measured. */
  readonly messages: number;
  /** Sent before them: the devices' process has to be compiled first, and a consumer that is new. */
  readonly messagesBefore?: number;
  /**
   * Sent after them, so that the last of those that are measured wait for nobody: a batch that is
   * not filled any more would wait for its window.
   */
  readonly messagesAfter?: number;
  /** Charges that wait for an answer, all devices together; a device has 100 at most. */
  readonly underWay: number;
  /** Share of deliveries that are copies: the device sends the same bytes again. */
  readonly copies: number;
  /** Last level of the topic. */
  readonly route: string;
  readonly qos: 1 | 2;
  /** Without an answer for so long, a charge is sent again; never, when it is left out. */
  readonly patienceMillis?: number;
  /** Charges a second; as many as can be, when it is left out. */
  readonly perSecond?: number;
  /** The load ends so long after the last charge was sent, whatever is still unanswered. */
  readonly quietMillis?: number;
}

export interface LoadResult {
  /** Between the answers to the first and to the last of those that are measured. */
  readonly seconds: number;
  /** Of all that were sent. */
  readonly cpuMicros: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly answered: number;
  /** Ids of all charges, where they are asked for. */
  readonly ids: readonly string[];
}

/** IoT Core's own bound for a connection. */
const PER_DEVICE_MAX = 100;
/** A copy follows its message at once, or after up to so many others of the same device. */
const COPY_LAG_MAX = 10;
const CONNECTIONS_AT_ONCE = 100;

interface Device {
  readonly client: MqttClient;
  readonly topic: string;
  readonly name: string;
  underWay: number;
  due: number;
  readonly recent: string[];
}

const task = taskOf<LoadTask>();
const { messagesBefore = 0, messagesAfter = 0 } = task;
const measuredUntil = messagesBefore + task.messages;
const messagesInAll = measuredUntil + messagesAfter;
const perDevice = Math.min(PER_DEVICE_MAX, Math.max(1, Math.round(task.underWay / task.devices)));
const sentAt = new Map<string, { at: number; nth: number; device: Device; body: string }>();
const ids: string[] = [];
const latencies: number[] = [];
let copies = 0;
let answers = 0;
let measuredFrom = 0;
let seconds = 0;
let done: () => void = () => {};
const finished = new Promise<void>((resolve) => {
  done = resolve;
});

const commits = task.qos === 2 ? await listenForCommits() : undefined;
await say({ kind: 'listening', commitPort: commits?.port });
await new Promise((resolve) => process.once('message', resolve));
const devices = await connectAll();
await say({ kind: 'connected' });
await new Promise((resolve) => process.once('message', resolve));

measuredFrom = performance.now();
const cpuBefore = process.cpuUsage();
const resends =
  task.patienceMillis === undefined
    ? undefined
    : setInterval(resendAll, task.patienceMillis / 4, task.patienceMillis);
if (task.perSecond === undefined) for (const device of devices) fill(device);
else pace(task.perSecond);
await finished;
clearInterval(resends);
if (seconds === 0) seconds = secondsNow();
const { user, system } = process.cpuUsage(cpuBefore);
await say({
  seconds,
  cpuMicros: user + system,
  p50Millis: latencies.length === 0 ? 0 : percentileOf(latencies, 0.5),
  p99Millis: latencies.length === 0 ? 0 : percentileOf(latencies, 0.99),
  answered: answers,
  ids: task.perSecond === undefined ? [] : ids,
} satisfies LoadResult);
for (const { client } of devices) client.end(true);
process.exit(0);

async function connectAll(): Promise<readonly Device[]> {
  const all: Device[] = [];
  while (all.length < task.devices) {
    const count = Math.min(CONNECTIONS_AT_ONCE, task.devices - all.length);
    const from = all.length;
    all.push(...(await Promise.all(Array.from({ length: count }, (_, at) => connect(from + at)))));
  }
  return all;
}

async function connect(index: number): Promise<Device> {
  const name = `meter-${index}`;
  const client = await mqtt.connectAsync({
    host: '127.0.0.1',
    port: task.port,
    protocol: 'mqtt',
    protocolVersion: 4,
    clientId: name,
    clean: false,
    keepalive: 600,
    connectTimeout: 120_000,
  });
  client.on('error', () => {});
  // Nagle's algorithm would hold small packets back for the sake of full ones.
  if ('setNoDelay' in client.stream) (client.stream as { setNoDelay(): void }).setNoDelay();
  if (task.qos === 1) {
    client.on('message', (_topic, payload) => {
      const { receipts } = JSON.parse(payload.toString()) as { receipts: { id: string }[] };
      for (const { id } of receipts) answered(id);
    });
    await client.subscribeAsync(`tollbridge/${name}/receipts`, { qos: 0 });
  }
  const topic = `billing/${name}/${task.route}`;
  return { client, topic, name, underWay: 0, due: 0, recent: [] };
}

function fill(device: Device): void {
  while (device.underWay < perDevice && ids.length < messagesInAll) sendNext(device);
}

function sendNext(device: Device): void {
  const id = randomUUID();
  const body = chargeBody(id, new Date());
  ids.push(id);
  device.underWay += 1;
  sentAt.set(id, { at: performance.now(), nth: ids.length, device, body });
  send(device, body);
  device.recent.push(body);
  if (device.recent.length > COPY_LAG_MAX) device.recent.shift();
  // Of five deliveries one is a copy: a copy for every four messages.
  device.due += task.copies / (1 - task.copies);
  if (device.due < 1) return;
  device.due -= 1;
  // Each lag in turn, so that some copies meet their message under way and others find it booked.
  const old = device.recent.at(-1 - (copies++ % device.recent.length));
  if (old !== undefined) send(device, old);
}

function send({ client, topic }: Device, body: string): void {
  client.publish(topic, body, { qos: task.qos }, () => {});
}

function answered(id: string): void {
  const sent = sentAt.get(id);
  if (sent === undefined) return;
  sentAt.delete(id);
  answers += 1;
  // By the order in which they were sent: one that is answered long after belongs to them, too.
  if (sent.nth > messagesBefore && sent.nth <= measuredUntil) {
    latencies.push(performance.now() - sent.at);
  }
  if (answers === messagesBefore) measuredFrom = performance.now();
  if (answers === measuredUntil) seconds = secondsNow();
  sent.device.underWay -= 1;
  if (answers === messagesInAll) done();
  else if (task.perSecond === undefined) fill(sent.device);
}

function secondsNow(): number {
  return (performance.now() - measuredFrom) / 1_000;
}

function resendAll(olderMillis: number): void {
  const before = performance.now() - olderMillis;
  for (const [, sent] of sentAt) {
    if (sent.at > before) continue;
    sent.at = performance.now();
    send(sent.device, sent.body);
  }
}

/** Sends at a steady rate, whoever answers, and ends when all is answered or long quiet. */
function pace(perSecond: number): void {
  const everyMillis = 20;
  let owed = 0;
  let turn = 0;
  const timer = setInterval(() => {
    owed += (perSecond * everyMillis) / 1_000;
    for (; owed >= 1 && ids.length < messagesInAll; owed--) {
      const device = devices[turn++ % devices.length];
      if (device !== undefined) sendNext(device);
    }
    if (ids.length < messagesInAll) return;
    clearInterval(timer);
    if (task.quietMillis !== undefined) setTimeout(done, task.quietMillis);
  }, everyMillis);
}

/** Where the consumer behind native QoS 2 says what is committed. */
async function listenForCommits(): Promise<{ readonly port: number }> {
  const server = createServer((socket) => {
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const id of lines) answered(id);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port is listened on');
  return { port: address.port };
}
