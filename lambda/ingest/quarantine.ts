/** What cannot be booked is kept whole, in the quarantine. */

import type { ParsedDelivery } from '../../core/guarantees/deduplicator.ts';
import type { Rejection } from '../../core/message/reasons.ts';
import { type ConflictEvidence, quarantineRowOf } from '../../core/tables/quarantine-row.ts';
import type { IngestDeps } from './deps.ts';

export async function quarantine(
  deps: IngestDeps,
  { delivery }: ParsedDelivery,
  rejection: Rejection,
  evidence?: ConflictEvidence,
): Promise<void> {
  const row = quarantineRowOf(deps.route.name, delivery, rejection, evidence);
  await deps.quarantine.put(row);
  deps.telemetry.note('warn', 'quarantined', {
    reason: rejection.reason,
    quarantineKey: row.key,
    deliveryId: delivery.deliveryId,
  });
}
