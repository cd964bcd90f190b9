/** Memory of function, local cloud and device with many messages pending. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../tools/programs.ts';
import { type Cloud, startBenchCloud } from '../end-to-end/cloud.ts';
import type { CloudCost } from '../end-to-end/cloud-program.ts';
import { startLoad } from '../end-to-end/load.ts';
import { figure, mebibytes } from '../harness/figures.ts';
import { runProgram } from '../harness/program.ts';
import type { BenchOptions, Table } from '../harness/table.ts';
import type { Place } from '../harness/workshop.ts';
import type { DeviceMemory, DeviceTask } from './device-program.ts';

const PENDING = 100_000;
const PENDING_QUICK = 20_000;
/** What a message may take where it waits: a few times its own bytes. */
const BYTES_PER_MESSAGE_MAX = 10_000;
const PER_SECOND = 3_000;
/** A function holds a batch, not a queue: it may not grow with what waits. */
const FUNCTION_GROWTH_MAX = 1.5;

export async function memoryTable(
  { workshop, assembly }: Place,
  { isQuick, note }: BenchOptions,
): Promise<Table> {
  const pending = isQuick ? PENDING_QUICK : PENDING;
  note(`growth, memory of a device with ${pending} charges in its outbox`);
  const device = await deviceMemory(workshop, pending);
  note(`growth, memory of the local cloud with ${pending} deliveries in its queue`);
  const { empty, full } = await cloudMemory(assembly, pending);
  const row = (who: string, before: number, after: number, count: number) => [
    who,
    figure(mebibytes(before)),
    figure(mebibytes(after)),
    count.toLocaleString('en-US'),
    figure(Math.max(0, after - before) / count),
  ];
  const perMessage = Math.max(
    (device.pendingBytes - device.emptyBytes) / device.pending,
    (full.cloudBytes - empty.cloudBytes) / full.queued,
  );
  const growth = full.functionBytes / empty.functionBytes;
  return {
    name: 'growth',
    title: 'Memory with messages pending',
    columns: ['process', 'MiB before', 'MiB with all pending', 'pending', 'bytes for each'],
    rows: [
      row('device, outbox on disk', device.emptyBytes, device.pendingBytes, device.pending),
      row('local cloud, in its queue', empty.cloudBytes, full.cloudBytes, full.queued),
      row('function', empty.functionBytes, full.functionBytes, full.queued),
    ],
    notes: [
      'Resident memory. The device has no broker to reach; its outbox holds 100,000 messages unless told otherwise. The queue fills because the tables refuse every request, so that the function tries and fails all the while.',
    ],
    goals: [
      {
        goal: `bounded: at most ${BYTES_PER_MESSAGE_MAX.toLocaleString('en-US')} bytes for a message that waits`,
        got: `${figure(perMessage)} bytes`,
        isMet: perMessage <= BYTES_PER_MESSAGE_MAX,
      },
      {
        goal: `bounded: the function grows by less than ${FUNCTION_GROWTH_MAX} × while all that waits`,
        got: `${figure(growth)} ×`,
        isMet: growth < FUNCTION_GROWTH_MAX,
      },
    ],
  };
}

async function deviceMemory(workshop: string, pending: number): Promise<DeviceMemory> {
  const outbox = join(workshop, 'outbox');
  mkdirSync(outbox);
  const task: DeviceTask = { outbox, pending, port: await freePort() };
  const program = fileURLToPath(new URL('device-program.ts', import.meta.url));
  return runProgram<DeviceMemory>(program, task, { flags: ['--import', 'tsx'] });
}

async function cloudMemory(assembly: string, pending: number) {
  const cloud = await startBenchCloud({ assembly, speed: 1 });
  try {
    await sendAll(cloud, 500);
    await cloud.idle();
    const empty = await cloud.cost();
    await cloud.throttle(1);
    await sendAll(cloud, pending, 1_000);
    const full = await largest(cloud);
    return { empty, full };
  } finally {
    await cloud.close();
  }
}

async function sendAll(cloud: Cloud, messages: number, quietMillis = 5_000): Promise<void> {
  const load = await startLoad({
    port: cloud.port,
    devices: 100,
    messages,
    underWay: messages,
    copies: 0,
    route: 'charges',
    qos: 1,
    perSecond: PER_SECOND,
    quietMillis,
  });
  try {
    await load.connect();
    await load.run();
  } finally {
    await load.end();
  }
}

const LOOKS = 5;

/** The most that is seen in a few seconds, while the function tries and fails. */
async function largest(cloud: Cloud): Promise<CloudCost> {
  let most = await cloud.cost();
  for (let look = 0; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await cloud.cost();
    most = {
      ...now,
      cloudBytes: Math.max(most.cloudBytes, now.cloudBytes),
      functionBytes: Math.max(most.functionBytes, now.functionBytes),
    };
  }
  return most;
}
