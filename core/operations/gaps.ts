/**
 * Ids that a device counts: `sequence('seq', { epoch: 'boot' })`. Inside an epoch the numbers
 * follow one another, so what never came can be told from what did. That proves a loss only for a
 * device that counts by one, and only once its outbox is empty: until then it is a question.
 */

/** A number that arrived. */
export interface SequenceRow {
  readonly epoch: string;
  readonly sequence: bigint;
}

/** Numbers from one to the other, both included. */
export interface SequenceRange {
  readonly from: bigint;
  readonly to: bigint;
}

export interface EpochGaps {
  readonly epoch: string;
  /** The lowest number that arrived. */
  readonly first: bigint;
  /** The highest number that arrived. */
  readonly last: bigint;
  /** How many different numbers arrived. */
  readonly received: number;
  /** The numbers that never came, in ascending ranges that do not touch. */
  readonly missing: readonly SequenceRange[];
}

export interface GapOptions {
  /**
   * The number that every epoch begins with: from here to the first that arrived, all are missing.
   * A number below it that arrived all the same is treated like the rest.
   */
  readonly startsAt?: bigint;
}

/**
 * What is missing in each epoch, in the order in which the epochs first appear. The rows may come
 * in any order, and repeats do no harm. What follows the highest number that arrived cannot be
 * known. Memory grows with the rows, never with the width of a gap.
 */
export function gapsOf(
  rows: Iterable<SequenceRow>,
  options: GapOptions = {},
): readonly EpochGaps[] {
  // Lists, not sets: a set tells integers apart by their low 64 bits first, and a device that
  // counts in steps of 2^64 would make every look-up a search.
  const arrived = new Map<string, bigint[]>();
  for (const { epoch, sequence } of rows) {
    const numbers = arrived.get(epoch);
    if (numbers === undefined) arrived.set(epoch, [sequence]);
    else numbers.push(sequence);
  }
  return [...arrived].map(([epoch, numbers]) => gapsOfEpoch(epoch, numbers, options.startsAt));
}

function gapsOfEpoch(
  epoch: string,
  numbers: readonly bigint[],
  startsAt: bigint | undefined,
): EpochGaps {
  const ascending = numbers.toSorted(compare);
  const first = ascending[0] ?? 0n;
  const missing: SequenceRange[] = [];
  let received = 0;
  // The number before the first that is due, so that the first is compared like those after it.
  let last = startsAt !== undefined && startsAt < first ? startsAt - 1n : first - 1n;
  for (const number of ascending) {
    if (number === last) continue;
    if (number > last + 1n) missing.push({ from: last + 1n, to: number - 1n });
    last = number;
    received++;
  }
  return { epoch, first, last, received, missing };
}

function compare(one: bigint, other: bigint): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
