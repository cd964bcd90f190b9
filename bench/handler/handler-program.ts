/** The handler as deployed, its clients stubbed at the port: CPU and allocation of each delivery. */
import { setFlagsFromString } from 'node:v8';
import type { SQSEvent } from 'aws-lambda';
import { systemClock } from '../../core/base/time.ts';
import { checkConfig } from '../../core/config/check.ts';
import { exactlyOnceDeduplicator } from '../../core/guarantees/exactly-once/deduplicator.ts';
import { createTelemetry } from '../../lambda/adapters/telemetry.ts';
import { createHandler } from '../../lambda/ingest/handler.ts';
import config from '../../tollbridge.config.ts';
import { createLoad } from '../harness/deliveries.ts';
import { say, taskOf } from '../harness/program.ts';
import { createStubLedger, prefill } from './stub-ledger.ts';

export interface HandlerTask {
  readonly batch: number;
  readonly copies: number;
  readonly devices: number;
  /** Deliveries that are measured; half as many go before them. */
  readonly deliveries: number;
  /** Rows that the ledger holds from the start. */
  readonly rows: number;
}

export interface HandlerCost {
  /** User and system time of the process, the garbage collector's threads included. */
  readonly cpuMicros: number;
  /** Undefined when the garbage collector ran meanwhile: what it freed would be missing. */
  readonly allocatedBytes: number | undefined;
  /** Of the process at its end. */
  readonly residentBytes: number;
  readonly published: number;
}

/** Enough for every copy to find its message. */
const ROWS_REMEMBERED = 10_000;

const task = taskOf<HandlerTask>();
const route = checkConfig(config).routes.find(({ name }) => name === 'charges');
if (route?.guarantee !== 'exactly-once') throw new Error('the route charges has no ledger');
const ledger = createStubLedger(task.rows + ROWS_REMEMBERED);
await prefill(ledger, task.rows);
let publishedBytes = 0;
let published = 0;
const handler = createHandler({
  route,
  deduplicator: exactlyOnceDeduplicator(route, ledger, systemClock),
  quarantine: { put: () => Promise.reject(new Error('nothing here is to be quarantined')) },
  publisher: {
    async publish({ payload, topic }) {
      published += 1;
      publishedBytes += payload.length + topic.length;
    },
  },
  telemetry: createTelemetry(route.name),
  clock: systemClock,
});

/** At a time; a batch that is larger counts as one. */
const SLICE_DELIVERIES = 1_000;

const load = createLoad(task);
const batchesPerSlice = Math.max(1, Math.round(SLICE_DELIVERIES / task.batch));
await handleSlices(task.deliveries / 2);
const allocatedBytes = await allocation(load(batchesPerSlice));
const cpuMicros = await handleSlices(task.deliveries);
if (publishedBytes === 0) throw new Error('nothing was published, so nothing was measured');
await say({
  cpuMicros,
  allocatedBytes,
  residentBytes: process.memoryUsage.rss(),
  published,
} satisfies HandlerCost);
process.disconnect?.();

/** CPU of each delivery in microseconds, that of making the events left out. */
async function handleSlices(deliveries: number): Promise<number> {
  let micros = 0;
  let handled = 0;
  while (handled < deliveries) {
    const events = load(batchesPerSlice);
    const before = process.cpuUsage();
    await handleAll(events);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
    handled += countOf(events);
  }
  return micros / handled;
}

async function handleAll(all: readonly SQSEvent[]): Promise<void> {
  for (const event of all) {
    const answer = await handler(event, {
      awsRequestId: 'bench',
      getRemainingTimeInMillis: () => 30_000,
    });
    if (answer?.batchItemFailures.length !== 0) throw new Error('a delivery has failed');
  }
}

function countOf(all: readonly SQSEvent[]): number {
  return all.reduce((sum, { Records }) => sum + Records.length, 0);
}

/** Growth of the heap while nothing is collected, per delivery. */
async function allocation(all: readonly SQSEvent[]): Promise<number | undefined> {
  setFlagsFromString('--expose-gc');
  const { runInNewContext } = await import('node:vm');
  const { PerformanceObserver } = await import('node:perf_hooks');
  const collect = runInNewContext('gc') as () => void;
  collect();
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  // What was collected before is told late; it does not belong to the deliveries.
  await new Promise((resolve) => setTimeout(resolve, 20));
  observer.observe({ entryTypes: ['gc'] });
  const before = heapBytes();
  await handleAll(all);
  const grown = heapBytes() - before;
  await new Promise((resolve) => setTimeout(resolve, 20));
  observer.disconnect();
  return collections === 0 ? grown / countOf(all) : undefined;
}

function heapBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
