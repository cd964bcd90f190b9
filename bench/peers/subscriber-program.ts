/**
 * (d) The consumer behind native QoS 2: MQTT.js with a session that outlives it, and one SQLite
 * transaction for each message, in WAL mode and synchronous FULL.
 *
 * Told where somebody listens, it says which charges are committed, so that the load can keep as
 * many under way as it does with the bridge. Native QoS 2 itself tells a device nothing of the sort.
 */
import { connect as connectSocket } from 'node:net';
import Database from 'libsql';
import mqtt, { type AckHandler } from 'mqtt';
import { say, taskOf } from '../harness/program.ts';

export interface SubscriberTask {
  readonly port: number;
  readonly file: string;
  /**
   * `before-pubcomp` is what MQTT.js does by itself: it answers PUBREC on its own and keeps the
   * message in memory. `before-pubrec` books first (MQTT 5, `customHandleAcks`).
   */
  readonly booksWhen: 'before-pubcomp' | 'before-pubrec';
  /** Where commits are told; nobody is told without it. */
  readonly commitPort?: number;
}

const task = taskOf<SubscriberTask>();
const database = new Database(task.file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.exec(
  'CREATE TABLE IF NOT EXISTS entries (line INTEGER PRIMARY KEY, device TEXT, id TEXT, account TEXT, amount TEXT, occurred_at TEXT, body TEXT)',
);
const insert = database.prepare(
  'INSERT INTO entries (device, id, account, amount, occurred_at, body) VALUES (?, ?, ?, ?, ?, ?)',
);
const socket = task.commitPort === undefined ? undefined : connectSocket(task.commitPort);
socket?.setNoDelay();
let committed: string[] = [];

const customHandleAcks: AckHandler = (topic, message, _packet, done) => {
  book(topic, message);
  done(0);
};
const isVersion5 = task.booksWhen === 'before-pubrec';
const client = mqtt.connect({
  host: '127.0.0.1',
  port: task.port,
  clientId: 'consumer',
  clean: false,
  protocolVersion: isVersion5 ? 5 : 4,
  reconnectPeriod: 100,
  ...(isVersion5 && {
    properties: { sessionExpiryInterval: 3_600, receiveMaximum: 65_535 },
    customHandleAcks,
  }),
});
if (!isVersion5) {
  client.handleMessage = ({ topic, payload }, callback) => {
    book(topic, Buffer.from(payload));
    callback();
  };
}
client.on('error', () => {});
client.on('connect', () => {
  if ('setNoDelay' in client.stream) (client.stream as { setNoDelay(): void }).setNoDelay();
});
await new Promise<void>((resolve, reject) => {
  client.subscribe('billing/+/charges', { qos: 2 }, (error) => (error ? reject(error) : resolve()));
});
await say({ kind: 'ready' });
process.on('disconnect', () => process.exit(0));

function book(topic: string, payload: Buffer): void {
  const text = payload.toString();
  const { id, account, kWh, at } = JSON.parse(text);
  const [, device] = topic.split('/');
  insert.run(device, id, account, kWh, at, text);
  if (socket === undefined) return;
  // What is committed in one turn of the event loop is told at once.
  if (committed.push(id) === 1) setImmediate(tell);
}

function tell(): void {
  socket?.write(`${committed.join('\n')}\n`);
  committed = [];
}
