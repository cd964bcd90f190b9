/** Faults in forgetting: windows, the sweep, releases, and the newest value. */
import { SIMULATED, type Variant } from '../variant.ts';

const ROW = 'core/guarantees/deduplicated/row.ts';
const DEDUPLICATOR = 'core/guarantees/deduplicated/deduplicator.ts';
const ADAPTER = 'lambda/adapters/deduplicated.ts';
const CONDITIONS = 'core/guarantees/deduplicated/conditions.ts';
const WINDOWS = 'test/core/guarantees/deduplicated.test.ts';
const DYNALITE = 'proofs/contract/dynalite.test.ts';

export const windows: readonly Variant[] = [
  {
    name: 'window-not-refreshed',
    after: 'nats-server#7302',
    fault: 'a copy of a device-made id does not push the window out',
    breaks: ['I7'],
    edits: [
      {
        file: ADAPTER,
        from: '    ? firstWriteWins(write.first, write.tries, write.lastSeenAt, end)',
        to: '    ? firstWriteWins({ ...write.first, ...end }, write.tries, write.lastSeenAt)',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/core/guarantees/deduplicated.test.ts',
        title:
          'a window on dynalite of a device-made id is refreshed by each copy, so that the second copy passes no more than the first',
      },
    ],
  },
  {
    name: 'function-clock',
    after: 'ours',
    fault: 'the window is opened and asked by the clock of the function',
    breaks: ['I7'],
    edits: [
      {
        file: ROW,
        from: '  const begin = Math.max(delivery.receivedAt, ownTime ?? 0);',
        to: '  const begin = Math.max(now, ownTime ?? 0);',
      },
      {
        file: ROW,
        from: '    receivedAtMillis: delivery.receivedAt,',
        to: '    receivedAtMillis: now,',
      },
      {
        file: DEDUPLICATOR,
        from: 'isOpen(row, delivery.receivedAt)) return decideExisting(valid, write, row);',
        to: '(isOpen(row, write.receivedAtMillis) && delivery)) return decideExisting(valid, write, row);',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'forgotten-at-ttl',
    after: 'ours',
    fault: 'TTL has the row at the end of its window, while copies are still under way',
    breaks: ['I7'],
    edits: [
      {
        file: ROW,
        from: '    expiresAtSeconds: Math.ceil(windowEndsAtMillis / 1_000) + MESSAGE_LIFETIME_MAX_SECONDS,',
        to: '    expiresAtSeconds: Math.ceil(windowEndsAtMillis / 1_000) + 0 * MESSAGE_LIFETIME_MAX_SECONDS,',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'window-ends-with-the-sweep',
    after: 'ours',
    fault: 'a window is open for as long as the sweep has not come',
    breaks: ['I3', 'I7'],
    edits: [
      {
        file: ROW,
        from: '  return row.windowEndsAtMillis >= receivedAt;',
        to: '  return row.windowEndsAtMillis >= receivedAt || true;',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'dead-letters-ageless',
    after: 'ours',
    fault: 'a delivery counts as new however long it was under way',
    breaks: ['I7'],
    edits: [
      {
        file: DEDUPLICATOR,
        from: '  if (clock() - delivery.receivedAt <= HANDLED_WITHIN_SECONDS * 1_000) return undefined;',
        to: '  if (clock() >= 0) return undefined;',
      },
    ],
    checks: [
      {
        by: 'test',
        file: WINDOWS,
        title:
          'a window on dynalite for a dead letter that is redriven is late once it is older than any delivery can be, for its row may have been swept',
      },
    ],
  },
  {
    name: 'own-row-unknown',
    after: 'ours',
    fault:
      'a try on the error-action path that comes after its own window takes its row for a stranger’s',
    breaks: ['I7'],
    edits: [
      {
        file: DEDUPLICATOR,
        from: 'deliveryIds.includes(row.firstDeliveryId);',
        to: 'false;',
      },
    ],
    checks: [
      {
        by: 'test',
        file: WINDOWS,
        title:
          'a window on dynalite of a device-made id knows its own row when a try of it is dated after the window, as on the error-action path',
      },
    ],
  },
  {
    name: 'redrive-resets-arrival',
    after: 'ours',
    fault: 'a redriven dead letter counts as received when it was moved',
    breaks: ['I7'],
    edits: [
      {
        file: 'lambda/ingest/handler.ts',
        from: '  const sentAt = Number(originalSentAt ?? attributes?.SentTimestamp);',
        to: '  const sentAt = Number((originalSentAt && undefined) ?? attributes?.SentTimestamp);',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/lambda/handler.test.ts',
        title:
          'a delivery keeps the time it first arrived over a redrive, which gives it a new sent time',
      },
    ],
  },
  {
    name: 'window-copies-folded',
    after: 'ours',
    fault: 'copies in one batch are folded although the arrival of each counts',
    breaks: ['I7', 'I2'],
    edits: [
      {
        file: 'lambda/ingest/batch.ts',
        from: '  const isAlone = guaranteeOf(route).countsArrivals;',
        to: "  const isAlone = route.name === '';",
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: 'test/lambda/modes.test.ts',
        title: 'copies in one batch whose content comes again after the window are two true events',
      },
    ],
  },
  {
    name: 'renewal-unconditional',
    after: 'ours',
    fault: 'a row whose window is over is replaced whatever has become of it meanwhile',
    breaks: ['I7'],
    edits: [
      {
        file: CONDITIONS,
        from: "const RENEWAL_CONDITION = both(rowIsOfThisOwner, '#windowEndsAtMillis = :oldEndMillis');",
        to: "const RENEWAL_CONDITION = either('attribute_exists(pk)', both(rowIsOfThisOwner, '#windowEndsAtMillis = :oldEndMillis'));",
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: DYNALITE,
        title: 'dynalite as the dedup records lets exactly one of 20 concurrent renewals win',
      },
    ],
  },
  {
    name: 'end-pulled-back',
    after: 'ours',
    fault: 'a copy that is handled out of order pulls the end of the window back',
    breaks: ['I7'],
    edits: [
      {
        file: CONDITIONS,
        from: "const windowEndsNoLater = '#windowEndsAtMillis <= :windowEndsAtMillis';",
        to: "const windowEndsNoLater = ':windowEndsAtMillis = :windowEndsAtMillis';",
      },
    ],
    checks: [
      {
        by: 'test',
        file: DYNALITE,
        title:
          'dynalite as the dedup records never pulls the end back for a copy that is handled out of order, which count still counts',
      },
    ],
  },
  {
    name: 'release-makes-a-row',
    after: 'ours',
    fault: 'a release writes a stub where no row stands',
    breaks: ['I5', 'I2', 'I3'],
    edits: [
      {
        file: 'lambda/adapters/releases.ts',
        from: 'const RELEASE_CONDITION = both(rowExists, rowIsNotOfLaterLife);',
        to: 'const RELEASE_CONDITION = `attribute_not_exists(pk) OR ${rowIsNotOfLaterLife}`;',
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: DYNALITE,
        title:
          'dynalite under a release makes no row in the ledger: the message may still be on its way',
      },
    ],
  },
  {
    name: 'release-ends-the-row',
    after: 'ours',
    fault: 'a released record is forgotten at once, and not after the longest life of a delivery',
    breaks: ['I7'],
    edits: [
      {
        file: 'core/tables/release.ts',
        from: '    expiresAtSeconds: Math.ceil(receivedAt / 1_000) + MESSAGE_LIFETIME_MAX_SECONDS,',
        to: '    expiresAtSeconds: Math.ceil(receivedAt / 1_000) + 0 * MESSAGE_LIFETIME_MAX_SECONDS,',
      },
    ],
    checks: [SIMULATED],
  },
  {
    name: 'older-value-wins',
    after: 'ours',
    fault: '`latest` takes an older version',
    breaks: ['I7'],
    edits: [
      {
        file: 'core/guarantees/latest/conditions.ts',
        from: "const rowIsOlder = '#version < :version';",
        to: "const rowIsOlder = '#version < :version OR #version > :version';",
      },
    ],
    checks: [
      SIMULATED,
      {
        by: 'test',
        file: DYNALITE,
        title:
          'dynalite as the state ends with the newest of 50 concurrent values, in whatever order they come',
      },
    ],
  },
];
