/**
 * Schedules that once failed, as plans and as the histories that they made: a seed brings a schedule
 * back only while the generator draws the same numbers, and a plan only while the world takes the
 * same time for each step.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check } from './check/check.ts';
import type { Past } from './check/history.ts';
import type { Plan } from './plan.ts';
import { runPlan } from './world/world.ts';

interface Recorded {
  /** Where it was found. */
  readonly from: string;
  readonly plan: Plan;
  readonly history: readonly Past[];
}

const recorded = JSON.parse(
  readFileSync(new URL('recorded.json', import.meta.url), 'utf8'),
) as readonly Recorded[];

/**
 * In both, a long outage of the store brings the copies of a message without a time of its own into
 * two invocations: one books it, the other books it again after the window. What the first settles
 * after that had not pushed the end out yet.
 */
describe.each(recorded)('the recorded schedule of $from', ({ plan, history }) => {
  it('made a history that keeps I1 to I7', () => {
    expect(history.length).toBeGreaterThan(60);
    expect(check([...history], plan.receiver)).toBeUndefined();
  });

  it('keeps I1 to I7 when it is run again', async () => {
    expect((await runPlan(plan)).finding).toBeUndefined();
  });
});
