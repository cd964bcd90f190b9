/** Whether the checks of a variant objected, and as they had to. */
import type { SimulatedRun } from './simulated.ts';
import type { TestOutcome } from './tested.ts';
import type { Check, Variant } from './variant.ts';

export interface Finding {
  readonly variant: Variant;
  readonly check: Check;
  /** How far the simulation had to look, in words. */
  readonly after: string;
  /** What it said. */
  readonly said: string;
  /** Why this is no catch; undefined where it is one. */
  readonly fault: string | undefined;
}

/** The simulation has to object within its bound, and under an invariant that the variant names. */
export function judgeSimulated(variant: Variant, check: Check, run: SimulatedRun): Finding {
  const { schedules, failure } = run;
  const after = `${schedules} ${schedules === 1 ? 'schedule' : 'schedules'}`;
  if (failure === undefined) {
    return { variant, check, after, said: '', fault: `survived ${after}` };
  }
  const { invariant, what, seed } = failure;
  const said = `${invariant}, seed ${seed}: ${what}`;
  const isStated = variant.breaks.includes(invariant);
  const fault = isStated
    ? undefined
    : `caught under ${invariant}, and not under ${variant.breaks.join(' or ')}`;
  return { variant, check, after, said, fault };
}

/**
 * A test has to fail, and another one of its file to pass: code that fails in everything is not
 * broken as it says, but does not run at all.
 */
export function judgeTested(
  variant: Variant,
  check: Extract<Check, { by: 'test' }>,
  outcomes: readonly TestOutcome[],
): Finding {
  const ran = outcomes.filter((one) => one.variant === variant.name && one.file === check.file);
  const named = ran.filter(({ title }) => title === check.title);
  const failed = named.find(({ state }) => state === 'failed');
  const found = {
    variant,
    check,
    after: '',
    said: failed?.said ?? '',
  };
  if (named.length === 0) return { ...found, fault: `there is no test “${check.title}”` };
  if (failed === undefined) return { ...found, fault: 'survived the test' };
  const isRunning = ran.some(({ state }) => state === 'passed');
  return { ...found, fault: isRunning ? undefined : 'every test of the file fails' };
}
