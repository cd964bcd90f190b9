/** `exactly-once`: one row for an id, for ever. */

import { DAY_MILLIS } from '../../base/limits.ts';
import type { EpochMillis } from '../../base/time.ts';
import type { ExactlyOnceRoute } from '../../config/route.ts';
import { sourceText } from '../../config/source-text.ts';
import { type Entry, readEntry } from '../../message/charge.ts';
import { bookingIdOf, keyOf } from '../../message/id.ts';
import { type Counted, countedIn, readIdFrom } from '../../message/id-sources.ts';
import type { Guarantee } from '../guarantee.ts';
import { idPin, sharedPins } from '../pins.ts';

export interface ExactlyOnceFacts {
  readonly entry: Entry;
  /** Where the id is counted by the device. */
  readonly counted: Counted | null;
}

const RESENT = 'looks new and is billed a second time';

export const exactlyOnce: Guarantee<ExactlyOnceRoute, ExactlyOnceFacts> = {
  table: 'ledger',
  tableActions: ['dynamodb:UpdateItem', 'dynamodb:GetItem'],
  hasIds: true,
  countsArrivals: false,
  canBeLate: true,
  needsJson: () => true,

  read(route, delivery, device, body) {
    const reading = readIdFrom(route.id, { delivery, body });
    if (!reading.ok) return reading;
    const { id } = reading;
    const entry = readEntry(route.entry, body);
    if (!entry.ok) return { ...entry, id };
    const facts = { entry: entry.entry, counted: countedIn(route.id, { delivery, body }) };
    return { ok: true, id, key: keyOf(route.name, device, id), facts };
  },

  timeOf: ({ entry }): EpochMillis => entry.occurredAt,
  ageMillisMax: ({ maxAgeDays }) => maxAgeDays * DAY_MILLIS,
  /** A ledger's id is used once for ever. */
  forwardId: (_, { key }) => bookingIdOf(key),
  sources: ({ id, entry: { account, amount, occurredAt } }) => [
    ['id', id],
    ['entry.account', account],
    ['entry.amount', amount],
    ['entry.occurredAt', occurredAt],
  ],
  pins: {
    ...sharedPins(RESENT),
    id: idPin(RESENT),
    'entry.account': {
      of: ({ entry }) => sourceText(entry.account),
      effect:
        'Rows that are booked keep the index key of the old field, a charge sent again among them: an invoice by account finds only a part of the charges under either.',
    },
    'entry.occurredAt': {
      of: ({ entry }) => sourceText(entry.occurredAt),
      effect:
        'Rows that are booked keep the period of the old field, a charge sent again among them: invoices around the change can miss charges or count them in another period.',
    },
    'entry.amount': {
      of: ({ entry }) => sourceText(entry.amount),
      effect:
        'Charges under way are booked with the amount of the new field: those without it are rejected, and those in which it means something else are billed wrongly.',
    },
    'entry.unit': {
      of: ({ entry }) => entry.unit,
      effect:
        'The number in a charge under way is booked in the new unit: 1.25 of the old becomes 1.25 of the new. A device that counts in another unit needs a route of its own.',
    },
    indexShards: {
      of: ({ indexShards }) => indexShards,
      effect:
        'Rows that are booked stay in the partitions of the old number: with fewer, an invoice that reads the new number of them misses charges.',
    },
  },
  renamed: `the name begins every key, so each charge that a device sends again ${RESENT}.`,
};
