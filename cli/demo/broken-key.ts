/**
 * The ledger row with a deliberate fault: its key differs for each delivery, so that every copy is
 * booked. `npm run demo -- --broken` runs on it, to show that the demo's check can fail.
 */

import type { EpochMillis } from '../../core/base/time.ts';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import type { ExactlyOnceFacts } from '../../core/guarantees/exactly-once/guarantee.ts';
import {
  type ExactlyOnceWrite,
  exactlyOnceWriteOf as sound,
} from '../../core/guarantees/exactly-once/row.ts';
import type { Delivery } from '../../core/message/envelope.ts';
import type { Message } from '../../core/message/message.ts';

export * from '../../core/guarantees/exactly-once/row.ts';

export function exactlyOnceWriteOf(
  route: ExactlyOnceRoute,
  delivery: Delivery,
  message: Message<ExactlyOnceFacts>,
  tries: number,
  now: EpochMillis,
): ExactlyOnceWrite {
  const write = sound(route, delivery, message, tries, now);
  return { ...write, key: { ...write.key, id: `${write.key.id}~${delivery.deliveryId}` } };
}
