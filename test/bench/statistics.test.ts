/** The figures of the benches: what they say of repeated runs. */
import { describe, expect, test } from 'vitest';
import { flatGoal } from '../../bench/growth/slope.ts';
import { figure, percentText, spreadText } from '../../bench/harness/figures.ts';
import { interleaved } from '../../bench/harness/interleave.ts';
import { isFlat, percentileOf, slopeOf, spreadOf } from '../../bench/harness/statistics.ts';

describe('spread and percentile', () => {
  test('the median of an odd number of runs is the middle one, however they are ordered', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
  });

  test('the median of an even number of runs lies between the two in the middle', () => {
    expect(spreadOf([4, 1, 10, 2])).toEqual({ median: 3, min: 1, max: 10 });
  });

  test('numbers are ordered as numbers, not as texts', () => {
    expect(spreadOf([10, 9, 100]).median).toBe(10);
  });

  test('nothing measured is an error, not a zero', () => {
    expect(() => spreadOf([])).toThrow('no values were measured');
    expect(() => percentileOf([], 0.5)).toThrow('no values were measured');
  });

  test('a percentile is a value that was measured: p99 of a hundred is the last but one', () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(percentileOf(values, 0.99)).toBe(99);
    expect(percentileOf(values, 0.5)).toBe(50);
    expect(percentileOf(values, 1)).toBe(100);
    expect(percentileOf([7], 0.99)).toBe(7);
  });
});

describe('slope', () => {
  test('a straight line has its slope and no noise', () => {
    const slope = slopeOf([
      [1, 12],
      [2, 14],
      [3, 16],
      [4, 18],
    ]);
    expect(slope.perStep).toBeCloseTo(2);
    expect(slope.noise).toBeCloseTo(0);
    expect(slope.mean).toBe(15);
  });

  test('a rise beyond noise is not flat', () => {
    const rises = [1, 2, 3, 4].flatMap((x) => [-0.5, 0.5].map((off) => [x, 10 * x + off] as const));
    expect(isFlat(slopeOf(rises))).toBe(false);
  });

  test('a rise within noise is flat, and so is a fall', () => {
    const noisy: [number, number][] = [
      [1, 40],
      [1, 60],
      [2, 45],
      [2, 58],
      [3, 41],
      [3, 64],
    ];
    expect(isFlat(slopeOf(noisy))).toBe(true);
    expect(isFlat({ perStep: -5, noise: 0, mean: 50 })).toBe(true);
  });

  test('a certain rise of less than a thirtieth of the cost does not matter', () => {
    expect(isFlat({ perStep: 1, noise: 0.1, mean: 50 })).toBe(true);
    expect(isFlat({ perStep: 2, noise: 0.1, mean: 50 })).toBe(false);
  });

  test('too few points, or one size alone, have no slope', () => {
    expect(() => slopeOf([[1, 1]])).toThrow('1 points have no slope');
    expect(() =>
      slopeOf([
        [1, 1],
        [1, 2],
        [1, 3],
      ]),
    ).toThrow('one x');
  });

  test('growth is judged by tenfold steps, all runs together', () => {
    const flat = flatGoal('cost', [
      { size: 10, micros: [50, 52] },
      { size: 100, micros: [51, 49] },
      { size: 1_000, micros: [50, 51] },
    ]);
    expect(flat.isMet).toBe(true);
    const grows = flatGoal('cost', [
      { size: 10, micros: [50, 52] },
      { size: 100, micros: [71, 69] },
      { size: 1_000, micros: [90, 91] },
    ]);
    expect(grows.isMet).toBe(false);
    expect(grows.got).toContain('µs for each tenfold');
  });
});

test('candidates take turns, and each gets its own results', async () => {
  const order: string[] = [];
  const candidate = (name: string) => ({
    name,
    measure: async (run: number) => {
      order.push(name);
      return `${name}${run}`;
    },
  });
  const results = await interleaved([candidate('a'), candidate('b')], 2);
  expect(order).toEqual(['a', 'b', 'a', 'b']);
  expect(results).toEqual([
    ['a0', 'a1'],
    ['b0', 'b1'],
  ]);
});

describe('figures', () => {
  test('three digits that count, and no digit of a large number is lost', () => {
    expect([0, 0.012345, 1.2345, 12.345, 123.45, 1234.5].map(figure)).toEqual([
      '0',
      '0.0123',
      '1.23',
      '12.3',
      '123',
      '1,235',
    ]);
  });

  test('a spread without spread is the figure alone', () => {
    expect(spreadText({ median: 3, min: 3, max: 3 })).toBe('3');
    expect(spreadText({ median: 3, min: 2, max: 5 })).toBe('3 (2 – 5)');
    expect(percentText(0.2)).toBe('20 %');
  });
});
