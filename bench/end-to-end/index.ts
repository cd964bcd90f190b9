/** The table `end-to-end`: from the devices to the receipt, on the local cloud, beside peers. */
import { join } from 'node:path';
import { synthesizeBench } from '../harness/assembly.ts';
import { percentText, spreadText } from '../harness/figures.ts';
import { spreadOf } from '../harness/statistics.ts';
import type { Bench, Goal, Table } from '../harness/table.ts';
import { inWorkshop, type Place } from '../harness/workshop.ts';
import { isMosquittoInstalled, NO_MOSQUITTO } from '../peers/mosquitto.ts';
import { NATIVE, nativeQosTwo, peerOnCloud, type Started } from './contenders.ts';
import { cpuTable } from './cpu-parts.ts';
import {
  bridgesOnCloud,
  type Measured,
  measureAll,
  messagesOf,
  OURS,
  rangeText,
  rateRows,
  ratios,
  type Setting,
  singleGoals,
  UNDER_WAY,
} from './measured.ts';
import { profileFunction } from './profile.ts';
import { roundTripsTable } from './round-trips.ts';

/**
 * A copy that reaches (a) while its message is handled fails, and comes back when the queue's time-out
 * is over: three minutes, which a run would have to wait for. So it is three seconds.
 */
const SPEED_OF_A = 60;

const settings: readonly Setting[] = [1, 10, 100].flatMap((devices) =>
  [0, 0.2].map((copies) => ({ devices, copies })),
);

export const bench: Bench = (options) =>
  inWorkshop(async (workshop) => {
    const assembly = synthesizeBench(workshop);
    const tables: Table[] = [];
    const started = await startAll({ assembly, workshop });
    try {
      const contenders = started.map(({ contender }) => contender);
      const chosen = options.isQuick ? settings.filter(({ devices }) => devices === 10) : settings;
      const measured = await measureAll(contenders, chosen, options);
      tables.push(ratesTable(measured), sharesTable(measured));
    } finally {
      for (const one of started) await one.close();
    }
    tables.push(await roundTripsTable(assembly, options));
    options.note("end to end, a profile of the function's processes");
    const folder = join(workshop, 'profiled');
    const shape = { ...PROFILED, messages: messagesOf(options.isQuick) };
    tables.push(cpuTable(await profileFunction(assembly, folder, shape)));
    return tables;
  });

const PROFILED = { devices: 10, copies: 0, underWay: UNDER_WAY };

async function startAll(place: Place): Promise<readonly Started[]> {
  const { assembly, workshop } = place;
  const started: Started[] = [];
  try {
    started.push(...(await bridgesOnCloud({ assembly, speed: 1 })));
    started.push(await peerOnCloud('powertools', place, SPEED_OF_A));
    started.push(await peerOnCloud('get-put', place));
    if (isMosquittoInstalled) started.push(await nativeQosTwo(workshop));
    return started;
  } catch (error) {
    for (const one of started) await one.close();
    throw error;
  }
}

function ratesTable(measured: Measured): Table {
  return {
    name: 'end-to-end',
    title: 'From the devices to the receipt, on the local cloud',
    columns: ['devices', 'copies', 'who', 'messages a second', 'p50, ms', 'p99, ms', 'beside (d)'],
    rows: rateRows(measured, NATIVE),
    notes: [
      `MQTT.js devices without an outbox, up to ${UNDER_WAY} charges under way (100 of one device), each waiting for its receipt; the real template and bundles, tables in memory. (a) and (c) run in the place of the bridge's function. A forward is a publication for each message, which no batch saves: without it, only receipts are published. Messages are counted once, whatever copies there are. A copy that reaches (a) while its message is handled fails there and comes back after the queue’s time-out, three seconds here and three minutes on AWS; the message itself is answered before.`,
      isMosquittoInstalled
        ? '(d) has no receipt: its consumer tells the devices by a socket of its own what is committed, so that as many are under way as with the others. Its table is on disk.'
        : `(d): ${NO_MOSQUITTO}`,
    ],
    goals: goalsOf(measured),
  };
}

function goalsOf(measured: Measured): readonly Goal[] {
  const native = ratios(measured, NATIVE, OURS);
  return [
    ...singleGoals(measured),
    ...(native.length === 0
      ? []
      : [
          {
            goal: 'as many messages a second as (d), which nobody expects',
            got: rangeText(native),
            isMet: Math.min(...native) >= 1,
          },
        ]),
  ];
}

/** Where the time of the machine goes: what holds a contender back is what has the largest share. */
function sharesTable(measured: Measured): Table {
  const chosen = measured.filter(({ setting }) => setting.devices === 10 && setting.copies === 0);
  return {
    name: 'end-to-end',
    title: 'CPU of a message by process, 10 devices, no copies',
    columns: ['who', 'devices, µs', 'cloud or broker, µs', 'function or consumer, µs', 'shares'],
    rows: chosen.map(({ title, runs }) => {
      const [devices, broker, consumer] = (['devices', 'broker', 'consumer'] as const).map((part) =>
        spreadOf(runs.map(({ cpu }) => cpu[part])),
      );
      if (devices === undefined || broker === undefined || consumer === undefined) {
        throw new Error(`${title} was not measured`);
      }
      const whole = devices.median + broker.median + consumer.median;
      const shares = [devices, broker, consumer].map(({ median }) => percentText(median / whole));
      return [title, ...[devices, broker, consumer].map(spreadText), shares.join(' / ')];
    }),
    notes: [
      'The local cloud is broker, rule engine, queues, IAM, the HTTP endpoint of the APIs and the tables, all in one process; on AWS none of it is the function’s. Its CPU and that of the functions add up on two cores, and their sum is what bounds messages a second here.',
    ],
    goals: [],
  };
}
