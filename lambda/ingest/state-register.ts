/** The register of `latest` routes: the newest value of a topic wins. */

import { RetryableError } from '../../core/base/errors.ts';
import type { Clock } from '../../core/base/time.ts';
import type { LatestRoute } from '../../core/config/route.ts';
import {
  type LatestRow,
  type LatestWrite,
  latestWriteOf,
} from '../../core/guarantees/latest/row.ts';
import {
  acceptedVerdict,
  conflictVerdict,
  existingRowVerdict,
  isSameMessage,
  type Verdict,
} from '../../core/guarantees/verdict.ts';
import type { State } from '../../core/tables/ports.ts';
import type { Deduplicator } from './register.ts';

export function latestDeduplicator(route: LatestRoute, state: State, clock: Clock): Deduplicator {
  return {
    async apply({ delivery, deliveryIds, reading }) {
      // A value from the future would shut out every true one until then.
      if (reading.kind === 'out-of-range')
        return { kind: 'rejected', rejection: reading.rejection };
      const write = latestWriteOf(route, delivery, reading.message, deliveryIds.length, clock());
      const result = await state.put(write);
      return result.kind === 'written'
        ? acceptedVerdict(write)
        : decideStanding(route, write, result.row, deliveryIds);
    },
  };
}

function decideStanding(
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
