import { describe, expect, it } from 'vitest';
import { seededChance } from '../../local/chance.ts';

describe('the seeded chance', () => {
  it('draws nothing for a fault that is off or certain', () => {
    const [one, other] = [seededChance(3), seededChance(3)];
    expect([one.happens(0), one.happens(1)]).toEqual([false, true]);
    expect([one.below(1_000), one.below(1_000)]).toEqual([other.below(1_000), other.below(1_000)]);
  });

  it('happens about as often as it is told to, and stays below its bound', () => {
    const chance = seededChance(5);
    const draws = Array.from({ length: 10_000 }, () => chance.happens(0.2));
    const happened = draws.filter(Boolean).length;
    expect(happened).toBeGreaterThan(1_800);
    expect(happened).toBeLessThan(2_200);
    const numbers = Array.from({ length: 1_000 }, () => chance.below(3));
    expect([...new Set(numbers)].sort()).toEqual([0, 1, 2]);
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses the probability %d', (probability) => {
    expect(() => seededChance(1).happens(probability)).toThrow(/from 0 to 1/);
  });
});
