/** Thousands of schedules, and that they can be brought back, made shorter and told apart. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runOnWorkers } from './parts.ts';
import { type Plan, plans } from './plan.ts';
import { coverageRows, digestOf, planOf, replay, runSchedules, seedOf } from './run.ts';
import { described, shrunk } from './shrink.ts';
import { type Ran, runPlan } from './world/world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SEED = 7;
const SCHEDULES = 5_000;

describe('the simulation', () => {
  it(`keeps I1 to I7 in ${SCHEDULES} schedules, in which every fault strikes`, async () => {
    const began = performance.now();
    const { schedules, failures, coverage } = await runOnWorkers(
      { seed: SEED, schedules: SCHEDULES },
      2,
    );
    const rate = Math.round((schedules * 1_000) / (performance.now() - began));
    const rows = coverageRows(coverage);
    process.stdout.write(
      `${rows.map(([fault, , times]) => `${fault} ${times}`).join('\n')}\n${schedules} schedules, ${rate} a second\n`,
    );
    expect(failures).toEqual([]);
    expect(schedules).toBe(SCHEDULES);
    expect(rows.filter(([, , times]) => times === 0).map(([fault]) => fault)).toEqual([]);
  });

  it('finds the same whether one process runs it or two', async () => {
    const options = { seed: 11, schedules: 120 };
    const [alone, together] = [await runSchedules(options), await runOnWorkers(options, 2)];
    expect([...together.coverage].toSorted()).toEqual([...alone.coverage].toSorted());
    expect({ ...together, coverage: [] }).toEqual({ ...alone, coverage: [] });
  });
});

describe('a seed', () => {
  const seeds = Array.from({ length: 25 }, (_, n) => seedOf(3, n));

  it('brings back the same history to the last event, here and in another process', async () => {
    const first: string[] = [];
    for (const seed of seeds) first.push(await digestOf(seed));
    const again: string[] = [];
    for (const seed of seeds) again.push(await digestOf(seed));
    const program =
      `import { digestOf } from './proofs/simulation/run.ts';` +
      `for (const seed of ${JSON.stringify(seeds)}) console.log(await digestOf(seed));`;
    const elsewhere = execFileSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { cwd: join(ROOT), encoding: 'utf8' },
    );
    expect(again).toEqual(first);
    expect(elsewhere.trim().split('\n')).toEqual(first);
    expect(new Set(first).size).toBe(seeds.length);
  });

  it('of a schedule that keeps its promises replays to nothing', async () => {
    expect(await replay(seedOf(3, 0))).toBeUndefined();
  });

  it('leaves no trace on time and chance of the process', async () => {
    const { now } = Date;
    const { random } = Math;
    await digestOf(seedOf(3, 1));
    expect([Date.now, Math.random]).toEqual([now, random]);
  });
});

/** The real run, but with a promise that does not hold: that no conflict is ever quarantined. */
async function runPlanted(plan: Plan): Promise<Ran> {
  const ran = await runPlan(plan);
  const isBroken = ran.history.events.some(
    (event) => event.kind === 'quarantined' && event.reason === 'conflict',
  );
  const finding = { invariant: 'I5', what: 'a conflict is quarantined' } as const;
  return { ...ran, finding: isBroken ? finding : undefined };
}

describe('a schedule that fails', () => {
  it('is shortened to the few steps that matter, without a fault that does not', async () => {
    let found = planOf(seedOf(5, 0));
    for (let n = 1; found.value.steps.length < 8 || !(await fails(found.value)); n++) {
      found = planOf(seedOf(5, n));
    }
    const { plan, ran } = await shrunk(plans, found, 'I5', runPlanted);
    expect(ran.finding?.invariant).toBe('I5');
    expect(plan.steps.length).toBe(2);
    expect(plan.clocks).toEqual([0, 0, 0, 0]);
    expect(plan.strikes).toEqual([]);
    expect(described(plan)).toMatch(/1\. after 0 s: (lib|raw)-\d (publishes|sends) on \w+/);
  });
});

async function fails(plan: Plan): Promise<boolean> {
  return (await runPlanted(plan)).finding !== undefined;
}
