/** Makes a failing schedule shorter, and shows it to a person. */
import type fc from 'fast-check';
import { LIBRARY_DEVICES, type Plan, RAW_DEVICES, routeIn, type Step } from './plan.ts';
import { type Ran, runPlan } from './world/world.ts';

/** Shorter schedules that are tried before the shortest so far is shown. */
const TRIES_MAX = 2_000;

export interface Shrunk {
  readonly plan: Plan;
  readonly ran: Ran;
  readonly tries: number;
}

/**
 * The shortest that still breaks the same invariant. First fast-check says what is shorter, in great
 * steps; it never takes the last item of a list away, so then whatever can go alone is taken out.
 */
export async function shrunk(
  plans: fc.Arbitrary<Plan>,
  found: fc.Value<Plan>,
  invariant: string,
  run: (plan: Plan) => Promise<Ran> = runPlan,
): Promise<Shrunk> {
  const search = new Search(invariant, run);
  let best = found;
  for (let next: typeof best | undefined = found; next !== undefined; ) {
    best = next;
    next = await search.first(plans.shrink(best.value, best.context), ({ value }) => value);
  }
  let plan = best.value;
  for (let next: Plan | undefined = plan; next !== undefined; ) {
    plan = next;
    next = await search.first(simplerThan(plan), (simpler) => simpler);
  }
  return { plan, ran: search.ran ?? (await run(plan)), tries: search.tries };
}

/** Owns the runs of one search: how many there were, and the last that failed as the first did. */
class Search {
  readonly #invariant: string;
  readonly #run: (plan: Plan) => Promise<Ran>;
  tries = 0;
  ran: Ran | undefined;

  constructor(invariant: string, run: (plan: Plan) => Promise<Ran>) {
    this.#invariant = invariant;
    this.#run = run;
  }

  /** The first of the candidates that still fails. */
  async first<T>(candidates: Iterable<T>, planOf: (one: T) => Plan): Promise<T | undefined> {
    for (const candidate of candidates) {
      if (this.tries++ >= TRIES_MAX) return undefined;
      const ran = await this.#run(planOf(candidate));
      if (ran.finding?.invariant !== this.#invariant) continue;
      this.ran = ran;
      return candidate;
    }
    return undefined;
  }
}

function* simplerThan(plan: Plan): Iterable<Plan> {
  const { steps, strikes, clocks } = plan;
  for (const n of steps.keys()) yield { ...plan, steps: steps.toSpliced(n, 1) };
  for (const n of strikes.keys()) yield { ...plan, strikes: strikes.toSpliced(n, 1) };
  for (const [n, hours] of clocks.entries()) {
    if (hours !== 0) yield { ...plan, clocks: clocks.with(n, 0) };
  }
  for (const [n, step] of steps.entries()) {
    if (step.wait !== 0) yield { ...plan, steps: steps.with(n, { ...step, wait: 0 }) };
  }
  for (const [n, step] of steps.entries()) {
    if (step.do === 'copy' && step.times > 1) {
      yield { ...plan, steps: steps.with(n, { ...step, times: 1 }) };
    }
    if (step.do === 'publish' && step.againMillis !== undefined) {
      yield { ...plan, steps: steps.with(n, { ...step, againMillis: undefined }) };
    }
  }
  for (const [n, strike] of strikes.entries()) {
    if (strike.size !== 0) yield { ...plan, strikes: strikes.with(n, { ...strike, size: 0 }) };
  }
}

/** A schedule in lines. */
export function described(plan: Plan): string {
  const clocks = [...LIBRARY_DEVICES, ...RAW_DEVICES].flatMap((name, n) => {
    const hours = plan.clocks[n] ?? 0;
    return hours === 0 ? [] : `${name}'s clock stands ${hours} h ahead`;
  });
  return [
    `rows are swept ${plan.sweep}; dead after ${plan.receivesMax} tries; receiver ${plan.receiver}` +
      `${plan.queryBeforeResend ? '; devices ask first' : ''}; batches gather ${plan.gatherMillis} ms; ` +
      `jitter ${plan.jitter}`,
    ...clocks,
    ...plan.steps.map(
      (step, n) => `${n + 1}. after ${timeText(step.wait)}: ${stepText(plan, step)}`,
    ),
    ...plan.strikes.map(
      ({ fault, nth, size }) => `fault ${fault}, opportunity ${nth}, size ${size}`,
    ),
  ].join('\n');
}

function stepText(plan: Plan, step: Step): string {
  switch (step.do) {
    case 'publish': {
      const id = step.id === undefined ? 'a new id' : `id k${step.id % plan.ids}`;
      const again = step.againMillis;
      const twice =
        id === 'a new id' || again === undefined ? '' : `, and again ${timeText(again)} later`;
      return `${LIBRARY_DEVICES[step.device]} publishes on ${routeIn(plan, step) ?? 'nothing'} under ${id}${twice}`;
    }
    case 'send': {
      const form = step.form === 'good' ? '' : ` (${step.form})`;
      return `${RAW_DEVICES[step.device]} sends on ${routeIn(plan, step) ?? 'nothing'}, id ${step.id % plan.ids}${form}`;
    }
    case 'copy':
      return `the raw message ${step.which} is sent again ${timesText(step)}`;
    case 'reboot':
      return `${LIBRARY_DEVICES[step.device]} starts again${step.isWiped ? ' without its outbox' : ''}`;
    case 'cut':
      return `${LIBRARY_DEVICES[step.device]} is cut off for ${step.minutes} min`;
    case 'release':
      return `${RAW_DEVICES[step.device]} releases id ${step.id % plan.ids} of charges${foreignText(step)}`;
    case 'query':
      return `the raw message ${step.which} is asked for${foreignText(step)}`;
    case 'store-down':
      return `the store is down for ${step.hours} h`;
    case 'receiver-reboot':
      return 'the receiver starts again';
  }
}

function timesText({ times, apartMillis }: Extract<Step, { do: 'copy' }>): string {
  return times === 1 ? 'once' : `${times} times, ${timeText(apartMillis)} apart`;
}

function foreignText({ isForeign }: { readonly isForeign: boolean }): string {
  return isForeign ? ' in the name of the other' : '';
}

function timeText(millis: number): string {
  if (millis < 60_000) return `${millis / 1_000} s`;
  if (millis < 3_600_000) return `${(millis / 60_000).toFixed(1)} min`;
  return `${(millis / 3_600_000).toFixed(1)} h`;
}
