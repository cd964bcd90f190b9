/** Who is measured end to end, each set up once and then asked for one run after another. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMicrosOf } from '../../tools/machine.ts';
import { bundleProgram } from '../harness/bundle.ts';
import { endProgram, nextFrom, startProgram } from '../harness/program.ts';
import type { Place } from '../harness/workshop.ts';
import { bundlePeer, type PeerName, peerTitles } from '../peers/bundles.ts';
import { startMosquitto } from '../peers/mosquitto.ts';
import type { SubscriberTask } from '../peers/subscriber-program.ts';
import { type Cloud, startBenchCloud } from './cloud.ts';
import { type Load, startLoad } from './load.ts';
import type { LoadResult } from './load-program.ts';

/** Enough for V8 to have compiled what a consumer runs for each message. */
export const WARM_MESSAGES = 2_500;
/** The same for the devices, whose process is new in every run. */
const WARM_MESSAGES_OF_DEVICES = 200;

export interface RunShape {
  readonly devices: number;
  readonly copies: number;
  readonly messages: number;
  readonly underWay: number;
}

/** CPU in microseconds for each message, by process. */
interface Shares {
  readonly devices: number;
  /** The local cloud, or Mosquitto. */
  readonly broker: number;
  /** The functions, or the subscriber. */
  readonly consumer: number;
}

export interface EndToEnd {
  readonly perSecond: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  readonly cpu: Shares;
}

export interface Contender {
  readonly title: string;
  run(shape: RunShape): Promise<EndToEnd>;
}

/** The bridge on a running cloud, by one of its routes; or a peer that stands in its place. */
export function onCloud(title: string, cloud: Cloud, route: string): Contender {
  return {
    title,
    async run(shape) {
      const load = await startLoad({
        ...loadOf(shape, WARM_MESSAGES_OF_DEVICES),
        port: cloud.port,
        route,
        qos: 1,
      });
      try {
        await load.connect();
        const before = await cloud.cost();
        const result = await load.run();
        const after = await cloud.cost();
        return figuresOf(shape, WARM_MESSAGES_OF_DEVICES, result, {
          broker: after.cloudMicros - before.cloudMicros,
          consumer: after.functionMicros - before.functionMicros,
        });
      } finally {
        await load.end();
        // What is left of this run, e.g. copies, must not be paid for by the next.
        await cloud.idle();
      }
    },
  };
}

export interface Started {
  readonly contender: Contender;
  close(): Promise<void>;
}

/**
 * A peer as a function on a cloud of its own.
 *
 * @param speed divides the waiting times of that cloud, e.g. until a delivery that failed comes back
 */
export async function peerOnCloud(
  name: PeerName,
  { assembly, workshop }: Place,
  speed = 1,
): Promise<Started> {
  const folder = join(workshop, name);
  await bundlePeer(name, folder);
  const cloud = await startBenchCloud({ assembly, charges: folder, speed });
  return { contender: onCloud(peerTitles[name], cloud, 'charges'), close: () => cloud.close() };
}

export const NATIVE = '(d) native QoS 2, Mosquitto and SQLite';

/** Native QoS 2 on a Mosquitto of its own; each run has a new consumer and a new database. */
export async function nativeQosTwo(workshop: string): Promise<Started> {
  const program = await bundleSubscriber(workshop);
  const mosquitto = await startMosquitto();
  const run = async (shape: RunShape): Promise<EndToEnd> => {
    const load = await startLoad({
      ...loadOf(shape, WARM_MESSAGES),
      port: mosquitto.port,
      route: 'charges',
      qos: 2,
    });
    const child = await startSubscriber(program, workshop, mosquitto.port, load);
    try {
      await load.connect();
      const pid = child.pid ?? 0;
      const before = { broker: cpuMicrosOf(mosquitto.pid), consumer: cpuMicrosOf(pid) };
      const result = await load.run();
      return figuresOf(shape, WARM_MESSAGES, result, {
        broker: cpuMicrosOf(mosquitto.pid) - before.broker,
        consumer: cpuMicrosOf(pid) - before.consumer,
      });
    } finally {
      await load.end();
      await endProgram(child);
    }
  };
  return { contender: { title: NATIVE, run }, close: () => mosquitto.end() };
}

/** Native modules and MQTT.js are read where they are installed. */
export async function bundleSubscriber(workshop: string): Promise<string> {
  const { file } = await bundleProgram(
    'bench/peers/subscriber-program.ts',
    join(workshop, 'subscriber.mjs'),
    ['libsql'],
  );
  return file;
}

async function startSubscriber(program: string, workshop: string, port: number, load: Load) {
  const task: SubscriberTask = {
    port,
    file: join(mkdtempSync(join(workshop, 'entries-')), 'entries.db'),
    booksWhen: 'before-pubcomp',
    ...(load.commitPort !== undefined && { commitPort: load.commitPort }),
  };
  const child = startProgram(program, task);
  await nextFrom(child);
  return child;
}

/** Before and after what is measured, as many are under way as meanwhile. */
function loadOf(shape: RunShape, messagesBefore: number) {
  return { ...shape, messagesBefore, messagesAfter: shape.underWay };
}

function figuresOf(
  { messages, underWay }: RunShape,
  messagesBefore: number,
  result: LoadResult,
  { broker, consumer }: Omit<Shares, 'devices'>,
): EndToEnd {
  const sent = messagesBefore + messages + underWay;
  return {
    perSecond: messages / result.seconds,
    p50Millis: result.p50Millis,
    p99Millis: result.p99Millis,
    cpu: {
      devices: result.cpuMicros / sent,
      broker: broker / sent,
      consumer: consumer / sent,
    },
  };
}
