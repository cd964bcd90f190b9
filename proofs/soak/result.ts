/** What a soak found, and the figures of it. */
import { type Books, countOf, type Differences, type Tables } from './books.ts';
import type { Meter } from './meter.ts';
import type { Cloud } from './processes/cloud.ts';
import type { ForwardReceiver } from './processes/receiver.ts';

export interface SoakResult {
  readonly figures: Readonly<Record<string, number>>;
  readonly differences: Differences;
  /** Missing forwards that no lost publication explains, before any was sent again. */
  readonly unexplainedForwards: readonly string[];
  readonly failed: readonly string[];
  readonly meter: Meter;
  readonly isClean: boolean;
}

export function resultOf(
  parts: {
    readonly books: Books;
    readonly cloud: Cloud;
    readonly receiver: ForwardReceiver;
    readonly meter: Meter;
  },
  figures: Readonly<Record<string, number>>,
  tables: Tables,
  unexplainedForwards: readonly string[],
): SoakResult {
  const { books, cloud, receiver, meter } = parts;
  const { ledger, dedupRecords, state, quarantine, effects } = tables;
  const differences = books.compare(tables);
  const lost = [...cloud.counts].filter(([name]) => name.startsWith('lost'));
  const failed = [
    ...books.failed,
    ...receiver.troubles,
    ...lost.map(([name, count]) => `${name} (${count} times)`),
  ];
  return {
    figures: {
      ...books.figures,
      charges: ledger.length,
      events: dedupRecords.length,
      values: state.length,
      quarantined: quarantine.length,
      deliveriesOfThem: [...ledger, ...dedupRecords].reduce(
        (sum, row) => sum + Number(row.tries?.N),
        0,
      ),
      forwards: effects.size,
      droppedForwards: cloud.droppedAt.length,
      ...figures,
      receiverKills: receiver.kills,
      ...Object.fromEntries([...cloud.counts].toSorted()),
    },
    differences,
    unexplainedForwards,
    failed,
    meter,
    isClean: countOf(differences) + unexplainedForwards.length + failed.length === 0,
  };
}
