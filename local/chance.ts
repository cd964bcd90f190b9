/**
 * The seeded source of chance. Owns one generator; the same seed and the same calls in the same
 * order give the same numbers, which is what makes a run with faults repeatable.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Chance } from './contracts.ts';

/** A source of chance that is the same for the same seed. */
export function seededChance(seed: number): Chance {
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`The seed is ${seed}; it must be a whole number.`);
  }
  const generator = xoroshiro128plus(seed);
  return {
    happens(probability) {
      if (!(probability >= 0 && probability <= 1)) {
        throw new RangeError(`A probability is ${probability}; it must be a number from 0 to 1.`);
      }
      // A fault that is off must not move the generator, or switching it off would change the rest.
      if (probability === 0 || probability === 1) return probability === 1;
      return uniformFloat64(generator) < probability;
    },
    below(below) {
      if (!Number.isSafeInteger(below) || below < 1) {
        throw new RangeError(`A bound is ${below}; it must be a whole number from 1.`);
      }
      return uniformInt(generator, 0, below - 1);
    },
  };
}
