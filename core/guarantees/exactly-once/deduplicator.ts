/** The deduplicator of `exactly-once` routes. Rows are never forgotten. */

import type { Clock } from '../../base/time.ts';
import type { ExactlyOnceRoute } from '../../config/route.ts';
import type { Ledger } from '../../tables/ports.ts';
import type { Deduplicator } from '../deduplicator.ts';
import { acceptedVerdict, conflictVerdict, existingRowVerdict, isSameMessage } from '../verdict.ts';
import type { ExactlyOnceFacts } from './guarantee.ts';
import { exactlyOnceWriteOf } from './row.ts';

export function exactlyOnceDeduplicator(
  route: ExactlyOnceRoute,
  ledger: Ledger,
  clock: Clock,
): Deduplicator<ExactlyOnceFacts> {
  return {
    async apply({ delivery, deliveryIds, reading }) {
      const { message } = reading;
      // A copy that comes too late to be booked anew may still be the copy of a booked message.
      if (reading.kind === 'out-of-range' && (await ledger.find(message.key)) === undefined) {
        return { kind: 'rejected', rejection: reading.rejection };
      }
      const write = exactlyOnceWriteOf(route, delivery, message, deliveryIds.length, clock());
      const result = await ledger.book(write);
      if (result.kind === 'written') return acceptedVerdict(write);
      const { kind, row } = result;
      if (kind === 'counted') return existingRowVerdict(row, deliveryIds);
      if (!isSameMessage(row, write, route.ignoring)) {
        return conflictVerdict(row, write, route.ignoring);
      }
      await ledger.count(write, row.firstDeliveryId);
      return existingRowVerdict(row, deliveryIds);
    },
  };
}
