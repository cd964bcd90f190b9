/** Figures of repeated runs. Pure. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws RangeError when there is nothing to take a median of */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = sortedOf(values);
  const [upper, lower] = [Math.floor(sorted.length / 2), Math.ceil(sorted.length / 2) - 1];
  return {
    median: (at(sorted, lower) + at(sorted, upper)) / 2,
    min: at(sorted, 0),
    max: at(sorted, sorted.length - 1),
  };
}

/** The smallest value that so large a share of the values does not exceed; `share` is above 0. */
export function percentileOf(values: readonly number[], share: number): number {
  const sorted = sortedOf(values);
  return at(sorted, Math.max(0, Math.ceil(share * sorted.length) - 1));
}

export interface Slope {
  /** What one step of x adds to y. */
  readonly perStep: number;
  /** Twice the standard error: a slope smaller than this is not told apart from none. */
  readonly noise: number;
  /** The mean of y. */
  readonly mean: number;
}

/**
 * The straight line of least squares through all points.
 * @throws RangeError with fewer than three points, or when all have the same x
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope {
  if (points.length < 3) throw new RangeError(`${points.length} points have no slope; three do`);
  const meanX = meanOf(points.map(([x]) => x));
  const meanY = meanOf(points.map(([, y]) => y));
  const spreadX = sumOf(points.map(([x]) => (x - meanX) ** 2));
  if (spreadX === 0) throw new RangeError('points with one x have no slope');
  const perStep = sumOf(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spreadX;
  const rest = sumOf(points.map(([x, y]) => (y - meanY - perStep * (x - meanX)) ** 2));
  const noise = 2 * Math.sqrt(rest / (points.length - 2) / spreadX);
  return { perStep, noise, mean: meanY };
}

/** A slope that grows by less than this share of the mean at each step does not matter. */
const FLAT_SHARE = 0.03;

/** Whether cost does not grow: the slope is within its noise, or too small to matter, or falls. */
export function isFlat({ perStep, noise, mean }: Slope): boolean {
  return perStep <= Math.max(noise, FLAT_SHARE * mean);
}

function sortedOf(values: readonly number[]): readonly number[] {
  if (values.length === 0) throw new RangeError('no values were measured');
  return values.toSorted((one, other) => one - other);
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`there is no value ${index}`);
  return value;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}
