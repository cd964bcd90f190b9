/** Schedules by the thousand, each from a seed of its own that brings it back. */
import fc from 'fast-check';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Coverage, FAULTS, type Fault } from './faults.ts';
import { type Plan, plans } from './plan.ts';
import { described, shrunk } from './shrink.ts';
import { type Ran, runPlan } from './world/world.ts';

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7';

export interface Failure {
  /** Of this one schedule. */
  readonly seed: number;
  readonly invariant: Invariant;
  readonly what: string;
  /** Its steps and faults, for a person. */
  readonly schedule: string;
}

export interface RunOptions {
  readonly seed: number;
  readonly schedules: number;
  readonly onProgress?: (done: number) => void;
}

export interface RunResult {
  /** Schedules that were run, the failed one included. */
  readonly schedules: number;
  readonly failures: readonly Failure[];
  /** How often each fault struck. */
  readonly coverage: ReadonlyMap<Fault, number>;
}

/** Runs schedules until one fails. */
export function runSchedules({ seed, schedules, onProgress }: RunOptions): Promise<RunResult> {
  return runPart({ seed, from: 0, to: schedules }, onProgress);
}

/** Schedules of a run by their places, from the first to the one before `to`. */
export interface Part {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** Runs a part until a schedule fails; what it finds does not hang on who runs the others. */
export async function runPart(
  { seed, from, to }: Part,
  onProgress?: (done: number) => void,
): Promise<RunResult> {
  const coverage: Coverage = new Map();
  for (let n = from; n < to; n++) {
    const own = seedOf(seed, n);
    const plan = planOf(own).value;
    const ran = await runPlan(plan);
    addTo(coverage, ran.coverage);
    const schedules = n - from + 1;
    onProgress?.(schedules);
    const failure = failureOf(own, plan, ran);
    if (failure !== undefined) return { schedules, failures: [failure], coverage };
  }
  return { schedules: to - from, failures: [], coverage };
}

export function addTo(sum: Coverage, more: Iterable<readonly [Fault, number]>): void {
  for (const [fault, times] of more) sum.set(fault, (sum.get(fault) ?? 0) + times);
}

/** Runs one schedule again, and makes it as short as it can be made and still fail. */
export async function replay(seed: number): Promise<Failure | undefined> {
  const plan = planOf(seed);
  const ran = await runPlan(plan.value);
  if (ran.finding === undefined) return undefined;
  const short = await shrunk(plans, plan, ran.finding.invariant);
  return failureOf(seed, short.plan, short.ran);
}

/** The same for equal seeds: what `replay` must bring back. */
export async function digestOf(seed: number): Promise<string> {
  return (await runPlan(planOf(seed).value)).history.digest();
}

/** The seed of the n-th schedule of a run: another for every one, whoever runs it. */
export function seedOf(seed: number, n: number): number {
  return (Math.imul(seed, 0x9e3779b1) + Math.imul(n + 1, 0x85ebca6b)) >>> 0;
}

export function planOf(seed: number): fc.Value<Plan> {
  return plans.generate(new fc.Random(xoroshiro128plus(seed)), undefined);
}

function failureOf(seed: number, plan: Plan, { finding }: Ran): Failure | undefined {
  return finding && { seed, ...finding, schedule: described(plan) };
}

/** Every fault with how often it struck. */
export function coverageRows(
  coverage: ReadonlyMap<Fault, number>,
): readonly (readonly [fault: Fault, meaning: string, times: number])[] {
  return (Object.keys(FAULTS) as Fault[]).map((fault) => [
    fault,
    FAULTS[fault],
    coverage.get(fault) ?? 0,
  ]);
}
