/** Costs at sizes that grow tenfold, and whether they grow with them. Pure. */
import { figure, spreadText } from '../harness/figures.ts';
import { isFlat, slopeOf, spreadOf } from '../harness/statistics.ts';
import type { Goal } from '../harness/table.ts';

export interface Costs {
  /** Rows or devices. */
  readonly size: number;
  /** Of each run, in microseconds of CPU for a message. */
  readonly micros: readonly number[];
}

export function costCells({ size, micros }: Costs): readonly [size: string, cost: string] {
  return [size.toLocaleString('en-US'), spreadText(spreadOf(micros))];
}

/** Flat, when the line through all runs over the logarithm of the size does not rise above noise. */
export function flatGoal(what: string, all: readonly Costs[]): Goal {
  const points = all.flatMap(({ size, micros }) =>
    micros.map((cost) => [Math.log10(size), cost] as const),
  );
  const slope = slopeOf(points);
  const { perStep, noise, mean } = slope;
  return {
    goal: `${what}: flat`,
    got: `${figure(perStep)} µs for each tenfold, noise ±${figure(noise)} µs, ${figure((100 * perStep) / mean)} % of ${figure(mean)} µs`,
    isMet: isFlat(slope),
  };
}
