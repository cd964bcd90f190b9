/** The adapters with the real AWS clients, against a server that does nothing: CPU of each call. */
import { Agent, request } from 'node:http';
import pLimit from 'p-limit';
import { BATCH_WRITES_CONCURRENT_MAX } from '../../core/base/limits.ts';
import { epochMillis } from '../../core/base/time.ts';
import { checkConfig } from '../../core/config/check.ts';
import { exactlyOnceWriteOf } from '../../core/guarantees/exactly-once/row.ts';
import { readEnvelope } from '../../core/message/envelope.ts';
import { readMessage } from '../../core/message/message.ts';
import { createDataPlaneClient, createStoreClient } from '../../lambda/adapters/clients.ts';
import { createDataPlane } from '../../lambda/adapters/data-plane.ts';
import { createLedgerTable, exactlyOnceUpdate } from '../../lambda/adapters/exactly-once.ts';
import config from '../../tollbridge.config.ts';
import { createLoad } from '../harness/deliveries.ts';
import { say, taskOf } from '../harness/program.ts';

export interface SdkTask {
  readonly call: 'UpdateItem' | 'Publish' | 'bare';
  readonly url: string;
  readonly calls: number;
}

export interface SdkCost {
  readonly cpuMicros: number;
}

const task = taskOf<SdkTask>();
const client = {
  endpoint: task.url,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
};
const write = aWrite();
const call = callOf();
await callAll(task.calls / 2);
const before = process.cpuUsage();
await callAll(task.calls);
const { user, system } = process.cpuUsage(before);
await say({ cpuMicros: (user + system) / task.calls } satisfies SdkCost);
process.exit(0);

function callOf(): () => Promise<unknown> {
  switch (task.call) {
    case 'UpdateItem': {
      const ledger = createLedgerTable(createStoreClient(client), 'Ledger');
      return () => ledger.book(write);
    }
    case 'Publish': {
      const dataPlane = createDataPlane(createDataPlaneClient(client));
      const payload = String(write.first.body);
      return () => dataPlane.publish({ topic: 'booked/meter-17/charges', payload, qos: 1 });
    }
    case 'bare': {
      const agent = new Agent({ keepAlive: true, maxSockets: BATCH_WRITES_CONCURRENT_MAX });
      const body = JSON.stringify({ TableName: 'Ledger', ...exactlyOnceUpdate(write) });
      return () => bareCall(agent, body);
    }
  }
}

async function callAll(calls: number): Promise<void> {
  const limit = pLimit(BATCH_WRITES_CONCURRENT_MAX);
  await Promise.all(Array.from({ length: calls }, () => limit(call)));
}

/** The same bytes without SDK: what sockets and HTTP cost by themselves. */
function bareCall(agent: Agent, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'bare' };
    const sent = request(task.url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function aWrite() {
  const route = checkConfig(config).routes.find(({ name }) => name === 'charges');
  const [event] = createLoad({ batch: 1, copies: 0, devices: 1 })(1);
  const [record] = event?.Records ?? [];
  if (route?.guarantee !== 'exactly-once' || record === undefined) {
    throw new Error('the route charges has no ledger');
  }
  const now = epochMillis(Date.now());
  const envelope = readEnvelope(JSON.parse(record.body), now);
  if (!envelope.ok) throw new Error(envelope.detail);
  const reading = readMessage(route, envelope.delivery);
  if (reading.kind !== 'message') throw new Error('the charge was not read');
  return exactlyOnceWriteOf(route, envelope.delivery, reading.message, 1, now);
}
