/** The deduplicator of `latest` routes: the newest value of a topic wins. */

import { RetryableError } from '../../base/errors.ts';
import type { Clock } from '../../base/time.ts';
import type { LatestRoute } from '../../config/route.ts';
import type { State } from '../../tables/ports.ts';
import type { Deduplicator } from '../deduplicator.ts';
import {
  acceptedVerdict,
  conflictVerdict,
  existingRowVerdict,
  isSameMessage,
  type Verdict,
} from '../verdict.ts';
import type { LatestFacts } from './guarantee.ts';
import { type LatestRow, type LatestWrite, latestWriteOf } from './row.ts';

export function latestDeduplicator(
  route: LatestRoute,
  state: State,
  clock: Clock,
): Deduplicator<LatestFacts> {
  return {
    async apply({ delivery, deliveryIds, reading }) {
      // A value from the future would shut out every true one until then.
      if (reading.kind === 'out-of-range')
        return { kind: 'rejected', rejection: reading.rejection };
      const write = latestWriteOf(route, delivery, reading.message, deliveryIds.length, clock());
      const result = await state.put(write);
      return result.kind === 'written'
        ? acceptedVerdict(write)
        : decideExisting(route, write, result.row, deliveryIds);
    },
  };
}

function decideExisting(
  route: LatestRoute,
  write: LatestWrite,
  row: LatestRow,
  own: readonly string[],
): Verdict {
  const { version } = write.first;
  if (row.version > version) return { kind: 'stale', newest: row.version };
  if (row.version < version) throw new RetryableError('the row that refused a value is older');
  if (isSameMessage(row, write, route.ignoring)) return existingRowVerdict(row, own);
  return conflictVerdict(row, write, route.ignoring);
}
