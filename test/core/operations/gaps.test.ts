import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EpochGaps, gapsOf, type SequenceRow } from '../../../core/operations/gaps.ts';

const SEED = 20261120;

function rowsOf(epoch: string, ...numbers: readonly (number | bigint)[]): readonly SequenceRow[] {
  return numbers.map((number) => ({ epoch, sequence: BigInt(number) }));
}

/** The ranges of one epoch as text, e.g. `2-3`. */
function missingOf(rows: Iterable<SequenceRow>, startsAt?: bigint): readonly string[] {
  const gaps = gapsOf(rows, startsAt === undefined ? {} : { startsAt });
  return gaps.flatMap(({ missing }) => missing.map(({ from, to }) => `${from}-${to}`));
}

/** What is missing, by asking for every number in turn. */
function bruteForce(rows: readonly SequenceRow[], startsAt?: bigint): readonly EpochGaps[] {
  return [...new Set(rows.map(({ epoch }) => epoch))].map((epoch) => {
    const came = new Set(rows.filter((row) => row.epoch === epoch).map((row) => row.sequence));
    const [first = 0n, last = 0n] = [Math.min, Math.max].map((end) =>
      BigInt(end(...[...came].map(Number))),
    );
    const missing: { from: bigint; to: bigint }[] = [];
    for (let at = startsAt !== undefined && startsAt < first ? startsAt : first; at < last; at++) {
      if (came.has(at)) continue;
      const open = missing.at(-1);
      if (open?.to === at - 1n) open.to = at;
      else missing.push({ from: at, to: at });
    }
    return { epoch, first, last, received: came.size, missing };
  });
}

describe('the gaps of a sequence', () => {
  it('are the ranges between the lowest and the highest number that never came', () => {
    expect(gapsOf(rowsOf('boot-1', 3, 4, 7, 12))).toEqual([
      {
        epoch: 'boot-1',
        first: 3n,
        last: 12n,
        received: 4,
        missing: [
          { from: 5n, to: 6n },
          { from: 8n, to: 11n },
        ],
      },
    ]);
  });

  it('are none when every number came, or one, or nothing at all', () => {
    expect(missingOf(rowsOf('e', 5, 6, 7))).toEqual([]);
    expect(missingOf(rowsOf('e', 5))).toEqual([]);
    expect(gapsOf([])).toEqual([]);
  });

  it('do not run from one epoch into another, and come in the order epochs appeared', () => {
    const rows = [...rowsOf('b', 1), ...rowsOf('a', 10), ...rowsOf('b', 3), ...rowsOf('a', 12)];
    expect(gapsOf(rows).map(({ epoch, missing }) => [epoch, missing])).toEqual([
      ['b', [{ from: 2n, to: 2n }]],
      ['a', [{ from: 11n, to: 11n }]],
    ]);
  });

  it('know the epoch __proto__ like every other', () => {
    expect(gapsOf(rowsOf('__proto__', 1, 3)).map(({ epoch }) => epoch)).toEqual(['__proto__']);
  });

  it('begin where the device begins to count, when that is said', () => {
    expect(missingOf(rowsOf('e', 4, 5), 1n)).toEqual(['1-3']);
    expect(missingOf(rowsOf('e', 1, 2), 1n)).toEqual([]);
    expect(gapsOf(rowsOf('e', 4), { startsAt: 1n })[0]).toMatchObject({ first: 4n, received: 1 });
  });

  it('are found below the number a device should begin with, when one came there', () => {
    expect(missingOf(rowsOf('e', -2, 2), 1n)).toEqual(['-1-1']);
  });

  it('of any width are one range', () => {
    expect(gapsOf(rowsOf('e', 0, 10n ** 30n))).toEqual([
      {
        epoch: 'e',
        first: 0n,
        last: 10n ** 30n,
        received: 2,
        missing: [{ from: 1n, to: 10n ** 30n - 1n }],
      },
    ]);
    expect(missingOf(rowsOf('e', 10n ** 30n), 0n)).toEqual([`0-${10n ** 30n - 1n}`]);
  });

  it('tell neighbours beyond the integers of a float apart', () => {
    expect(missingOf(rowsOf('e', 2n ** 53n, 2n ** 53n + 2n))).toEqual([
      '9007199254740993-9007199254740993',
    ]);
  });

  it('of numbers that are alike in their low 64 bits are found all the same', () => {
    const numbers = Array.from({ length: 100_000 }, (_, n) => BigInt(n) * 2n ** 64n);
    const [gaps] = gapsOf(rowsOf('e', ...numbers));
    expect(gaps?.received).toBe(100_000);
    expect(gaps?.missing).toHaveLength(99_999);
  });

  it('are read from rows as they come, in one pass', () => {
    function* stream() {
      yield* rowsOf('e', 3, 1);
    }
    expect(missingOf(stream())).toEqual(['2-2']);
  });
});

describe('the gaps of any rows', () => {
  const row = fc.record({
    epoch: fc.constantFrom('a', 'b', '__proto__'),
    sequence: fc.bigInt({ min: -20n, max: 40n }),
  });
  const rows = fc.array(row, { maxLength: 60 });
  const startsAt = fc.option(fc.bigInt({ min: -25n, max: 25n }), { nil: undefined });

  it('are those that asking for every number finds', () => {
    fc.assert(
      fc.property(rows, startsAt, (some, start) => {
        const options = start === undefined ? {} : { startsAt: start };
        expect(gapsOf(some, options)).toEqual(bruteForce(some, start));
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('are the same in every order and however often a row repeats', () => {
    const again = rows.chain((some) =>
      fc.tuple(
        fc.constant(some),
        fc.shuffledSubarray([...some, ...some, ...some], { minLength: some.length * 3 }),
      ),
    );
    const byEpoch = (gaps: readonly EpochGaps[]) =>
      new Map(gaps.map((each) => [each.epoch, each] as const));
    fc.assert(
      fc.property(again, ([some, shuffled]) => {
        expect(byEpoch(gapsOf(shuffled))).toEqual(byEpoch(gapsOf(some)));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('are fewer than the rows, however wide they are', () => {
    const wide = fc.array(
      fc.record({ epoch: fc.constant('e'), sequence: fc.bigInt({ min: 0n, max: 10n ** 60n }) }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(wide, (some) => {
        const [gaps] = gapsOf(some);
        const sorted = [...new Set(some.map(({ sequence }) => sequence))];
        expect(gaps?.received).toBe(sorted.length);
        expect(gaps?.missing.length).toBeLessThan(some.length);
        const absent = gaps?.missing.reduce((sum, { from, to }) => sum + to - from + 1n, 0n) ?? 0n;
        const span = (gaps?.last ?? 0n) - (gaps?.first ?? 0n) + 1n;
        expect(absent + BigInt(sorted.length)).toBe(span);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});
