/** The table `end-to-end`: from the devices to the receipt, on the local cloud, beside peers. */
import { join } from 'node:path';
import { synthesizeBench } from '../harness/assembly.ts';
import { percentText, spreadText, timesText } from '../harness/figures.ts';
import { interleaved } from '../harness/interleave.ts';
import { spreadOf } from '../harness/statistics.ts';
import type { Bench, BenchOptions, Goal, Table } from '../harness/table.ts';
import { inWorkshop, type Place } from '../harness/workshop.ts';
import { isMosquittoInstalled, NO_MOSQUITTO } from '../peers/mosquitto.ts';
import { startBenchCloud } from './cloud.ts';
import {
  type Contender,
  type EndToEnd,
  NATIVE,
  nativeQosTwo,
  onCloud,
  peerOnCloud,
  type RunShape,
  type Started,
  WARM_MESSAGES,
} from './contenders.ts';
import { cpuTable } from './cpu-parts.ts';
import { profileFunction } from './profile.ts';

const OURS = 'the bridge, as delivered';
const LARGE = 'the bridge, batches of 100';
const SINGLE = 'the bridge, one delivery an invocation';
const QUIET = `${OURS}, no forward`;
const QUIET_LARGE = `${LARGE}, no forward`;
const QUIET_SINGLE = `${SINGLE}, no forward`;
const TIMES_SINGLE_MIN = 3;
/** More would only wait in line: all have answered at their best with so many. */
const UNDER_WAY = 200;
/** A whole run has fewer of these than of the others: each takes seconds. */
const RUNS_MAX = 3;

/**
 * A copy that reaches (a) while its message is handled fails, and comes back when the queue's time-out
 * is over: three minutes, which a run would have to wait for. So it is three seconds.
 */
const SPEED_OF_A = 60;

interface Setting {
  readonly devices: number;
  readonly copies: number;
}
const settings: readonly Setting[] = [1, 10, 100].flatMap((devices) =>
  [0, 0.2].map((copies) => ({ devices, copies })),
);

type Measured = readonly {
  readonly title: string;
  readonly setting: Setting;
  readonly runs: readonly EndToEnd[];
}[];

export const bench: Bench = (options) =>
  inWorkshop(async (workshop) => {
    const assembly = synthesizeBench(workshop);
    const tables: Table[] = [];
    const started = await startAll({ assembly, workshop });
    try {
      const contenders = started.map(({ contender }) => contender);
      const measured = await measureAll(contenders, options);
      tables.push(ratesTable(measured), sharesTable(measured));
    } finally {
      for (const one of started) await one.close();
    }
    options.note("end to end, a profile of the function's processes");
    const folder = join(workshop, 'profiled');
    const shape = { ...PROFILED, messages: messagesOf(options.isQuick) };
    tables.push(cpuTable(await profileFunction(assembly, folder, shape)));
    return tables;
  });

const PROFILED = { devices: 10, copies: 0, underWay: UNDER_WAY };

/** Of one run: a second or two of work for all but the slowest. */
function messagesOf(isQuick: boolean): number {
  return isQuick ? 300 : 600;
}

async function startAll(place: Place): Promise<readonly Started[]> {
  const { assembly, workshop } = place;
  const started: Started[] = [];
  try {
    const cloud = await startBenchCloud({ assembly, speed: 1 });
    const stays = async () => {};
    started.push({ contender: onCloud(OURS, cloud, 'charges'), close: () => cloud.close() });
    started.push({ contender: onCloud(LARGE, cloud, 'hundreds'), close: stays });
    started.push({ contender: onCloud(SINGLE, cloud, 'singles'), close: stays });
    started.push({ contender: onCloud(QUIET, cloud, 'quiet'), close: stays });
    started.push({ contender: onCloud(QUIET_LARGE, cloud, 'quietHundreds'), close: stays });
    started.push({ contender: onCloud(QUIET_SINGLE, cloud, 'quietSingles'), close: stays });
    started.push(await peerOnCloud('powertools', place, SPEED_OF_A));
    started.push(await peerOnCloud('get-put', place));
    if (isMosquittoInstalled) started.push(await nativeQosTwo(workshop));
    return started;
  } catch (error) {
    for (const one of started) await one.close();
    throw error;
  }
}

async function measureAll(
  contenders: readonly Contender[],
  { runs, isQuick, note }: BenchOptions,
): Promise<Measured> {
  const messages = messagesOf(isQuick);
  const warm: RunShape = { devices: 10, copies: 0.2, messages: WARM_MESSAGES, underWay: UNDER_WAY };
  // (d) has a consumer of its own in each run, which is made warm there.
  for (const contender of contenders.filter(({ title }) => title !== NATIVE)) {
    note(`end to end, warming up: ${contender.title}`);
    await contender.run(warm);
  }
  const chosen = isQuick ? settings.filter(({ devices }) => devices === 10) : settings;
  const cases = chosen.flatMap((setting) =>
    contenders.map((contender) => ({ contender, setting, title: contender.title })),
  );
  const results = await interleaved(
    cases.map(({ contender, setting, title }) => ({
      name: `end to end, ${setting.devices} devices, ${percentText(setting.copies)} copies, ${title}`,
      measure: () => contender.run({ ...setting, messages, underWay: UNDER_WAY }),
    })),
    Math.min(runs, isQuick ? 1 : RUNS_MAX),
    note,
  );
  return cases.map(({ setting, title }, index) => ({ setting, title, runs: results[index] ?? [] }));
}

function ratesTable(measured: Measured): Table {
  return {
    name: 'end-to-end',
    title: 'From the devices to the receipt, on the local cloud',
    columns: ['devices', 'copies', 'who', 'messages a second', 'p50, ms', 'p99, ms', 'beside (d)'],
    rows: measured.map(({ setting, title, runs }) => {
      const native = rateOf(measured, NATIVE, setting);
      const rate = spreadOf(runs.map(({ perSecond }) => perSecond));
      return [
        String(setting.devices),
        percentText(setting.copies),
        title,
        spreadText(rate),
        spreadText(spreadOf(runs.map(({ p50Millis }) => p50Millis))),
        spreadText(spreadOf(runs.map(({ p99Millis }) => p99Millis))),
        native === undefined ? '–' : timesText(rate.median / native),
      ];
    }),
    notes: [
      `MQTT.js devices without an outbox, up to ${UNDER_WAY} charges under way (100 of one device), each waiting for its receipt; the real template and bundles, tables in memory. (a) and (c) run in the place of the bridge's function. A forward is a publication for each message, which no batch saves: without it, only receipts are published. Messages are counted once, whatever copies there are. A copy that reaches (a) while its message is handled fails there and comes back after the queue’s time-out, three seconds here and three minutes on AWS; the message itself is answered before.`,
      isMosquittoInstalled
        ? '(d) has no receipt: its consumer tells the devices by a socket of its own what is committed, so that as many are under way as with the others. Its table is on disk.'
        : `(d): ${NO_MOSQUITTO}`,
    ],
    goals: goalsOf(measured),
  };
}

function rateOf(measured: Measured, title: string, setting: Setting): number | undefined {
  const found = measured.find(
    (one) =>
      one.title === title &&
      one.setting.devices === setting.devices &&
      one.setting.copies === setting.copies,
  );
  return found && spreadOf(found.runs.map(({ perSecond }) => perSecond)).median;
}

function goalsOf(measured: Measured): readonly Goal[] {
  const ratios = (base: string, of: string) =>
    measured.flatMap(({ title, setting }) => {
      if (title !== of) return [];
      const [ours, theirs] = [rateOf(measured, of, setting), rateOf(measured, base, setting)];
      return ours === undefined || theirs === undefined ? [] : [ours / theirs];
    });
  const native = ratios(NATIVE, OURS);
  return [
    singleGoal('as delivered', ratios(SINGLE, OURS)),
    singleGoal('batches of 100', ratios(SINGLE, LARGE)),
    singleGoal('as delivered, no forward', ratios(QUIET_SINGLE, QUIET)),
    singleGoal('batches of 100, no forward', ratios(QUIET_SINGLE, QUIET_LARGE)),
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

function singleGoal(kind: string, ratios: readonly number[]): Goal {
  return {
    goal: `at least ${TIMES_SINGLE_MIN} × the path with one delivery an invocation, in every setting: ${kind}`,
    got: rangeText(ratios),
    isMet: Math.min(...ratios) >= TIMES_SINGLE_MIN,
  };
}

function rangeText(ratios: readonly number[]): string {
  return `${timesText(Math.min(...ratios))} to ${timesText(Math.max(...ratios))}`;
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
