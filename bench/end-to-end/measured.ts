/** What is measured of each contender in each setting, and what all tables of rates say of it. */
import { percentText, spreadText, timesText } from '../harness/figures.ts';
import { interleaved } from '../harness/interleave.ts';
import { spreadOf } from '../harness/statistics.ts';
import type { BenchOptions, Goal } from '../harness/table.ts';
import { startBenchCloud } from './cloud.ts';
import type { CloudTask } from './cloud-program.ts';
import {
  type Contender,
  type EndToEnd,
  NATIVE,
  onCloud,
  type RunShape,
  type Started,
  WARM_MESSAGES,
} from './contenders.ts';

export const OURS = 'the bridge, as delivered';
const LARGE = 'the bridge, batches of 100';
export const SINGLE = 'the bridge, one delivery an invocation';
const QUIET = `${OURS}, no forward`;
const QUIET_LARGE = `${LARGE}, no forward`;
const QUIET_SINGLE = `${SINGLE}, no forward`;
const TIMES_SINGLE_MIN = 3;
/** More would only wait in line: all have answered at their best with so many. */
export const UNDER_WAY = 200;
/** A whole run has fewer of these than of the others: each takes seconds. */
const RUNS_MAX = 3;

export interface Setting {
  readonly devices: number;
  readonly copies: number;
}
export type Measured = readonly {
  readonly title: string;
  readonly setting: Setting;
  readonly runs: readonly EndToEnd[];
}[];

/** Of one run: a second or two of work for all but the slowest. */
export function messagesOf(isQuick: boolean): number {
  return isQuick ? 300 : 600;
}

/** The bridge in its kinds, on one cloud that the first of them closes. */
export async function bridgesOnCloud(task: CloudTask): Promise<readonly Started[]> {
  const cloud = await startBenchCloud(task);
  const kinds = [
    [OURS, 'charges'],
    [LARGE, 'hundreds'],
    [SINGLE, 'singles'],
    [QUIET, 'quiet'],
    [QUIET_LARGE, 'quietHundreds'],
    [QUIET_SINGLE, 'quietSingles'],
  ] as const;
  return kinds.map(([title, route], at) => ({
    contender: onCloud(title, cloud, route),
    close: () => (at === 0 ? cloud.close() : Promise.resolve()),
  }));
}

export async function measureAll(
  contenders: readonly Contender[],
  settings: readonly Setting[],
  { runs, isQuick, note }: BenchOptions,
): Promise<Measured> {
  const messages = messagesOf(isQuick);
  const warm: RunShape = { devices: 10, copies: 0.2, messages: WARM_MESSAGES, underWay: UNDER_WAY };
  // (d) has a consumer of its own in each run, which is made warm there.
  for (const contender of contenders.filter(({ title }) => title !== NATIVE)) {
    note(`end to end, warming up: ${contender.title}`);
    await contender.run(warm);
  }
  const cases = settings.flatMap((setting) =>
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

/** @param beside whose rate the last column compares with; left out of it where not measured */
export function rateRows(measured: Measured, beside: string): readonly (readonly string[])[] {
  return measured.map(({ setting, title, runs }) => {
    const other = rateOf(measured, beside, setting);
    const rate = spreadOf(runs.map(({ perSecond }) => perSecond));
    return [
      String(setting.devices),
      percentText(setting.copies),
      title,
      spreadText(rate),
      spreadText(spreadOf(runs.map(({ p50Millis }) => p50Millis))),
      spreadText(spreadOf(runs.map(({ p99Millis }) => p99Millis))),
      other === undefined ? '–' : timesText(rate.median / other),
    ];
  });
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

/** Of medians, in each setting where both were measured. */
export function ratios(measured: Measured, base: string, of: string): readonly number[] {
  return measured.flatMap(({ title, setting }) => {
    if (title !== of) return [];
    const [ours, theirs] = [rateOf(measured, of, setting), rateOf(measured, base, setting)];
    return ours === undefined || theirs === undefined ? [] : [ours / theirs];
  });
}

/** @param where said behind each goal, where it is not told of the table without delays */
export function singleGoals(measured: Measured, where = ''): readonly Goal[] {
  const goal = (kind: string, base: string, of: string): Goal => {
    const found = ratios(measured, base, of);
    return {
      goal: `at least ${TIMES_SINGLE_MIN} × the path with one delivery an invocation, in every setting: ${kind}${where}`,
      got: rangeText(found),
      isMet: found.length > 0 && Math.min(...found) >= TIMES_SINGLE_MIN,
    };
  };
  return [
    goal('as delivered', SINGLE, OURS),
    goal('batches of 100', SINGLE, LARGE),
    goal('as delivered, no forward', QUIET_SINGLE, QUIET),
    goal('batches of 100, no forward', QUIET_SINGLE, QUIET_LARGE),
  ];
}

export function rangeText(found: readonly number[]): string {
  return `${timesText(Math.min(...found))} to ${timesText(Math.max(...found))}`;
}
