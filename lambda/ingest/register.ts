/** Where messages are registered: one kind for each guarantee, all asked the same question. */

import type { Clock } from '../../core/base/time.ts';
import type { Route } from '../../core/config/route.ts';
import type { Verdict } from '../../core/guarantees/verdict.ts';
import type { CoalescedDelivery } from '../../core/message/coalesce.ts';
import type { Message, MessageReading, Rejection } from '../../core/message/message.ts';
import type { Publisher, Quarantine, Telemetry } from '../../core/tables/ports.ts';

/** What is settled together: a delivery, and the copies of it that are folded into its write. */
export type ParsedDelivery = Pick<CoalescedDelivery, 'delivery' | 'reading' | 'deliveryIds'>;

/** The same, once it is known to hold a message. */
export interface ValidDelivery extends ParsedDelivery {
  readonly reading: Exclude<MessageReading, { kind: 'rejected' }>;
}

export type Decision = Verdict | { readonly kind: 'rejected'; readonly rejection: Rejection };

export interface Deduplicator {
  /**
   * Says what a delivery is, and registers it in the same write.
   * @throws TerminalError when the table refuses it for good, RetryableError otherwise
   */
  apply(fold: ValidDelivery): Promise<Decision>;
}

export interface IngestDeps {
  readonly route: Route;
  readonly register: Deduplicator;
  readonly quarantine: Quarantine;
  readonly publisher: Publisher;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** What a rejection of a message says beside its reason. */
export function rejectionOf({
  bodyHash,
  device,
  id,
}: Message): Omit<Rejection, 'reason' | 'detail'> {
  return { bodyHash, device, id, answerTo: device };
}
