/** What says of a delivery what it is: one for each guarantee, all asked the same question. */

import type { CoalescedDelivery } from '../message/coalesce.ts';
import type { Facts, Message, MessageReading } from '../message/message.ts';
import type { Rejection } from '../message/reasons.ts';
import type { Verdict } from './verdict.ts';

/** What is handled together: a delivery, and the copies of it that share its write. */
export type ParsedDelivery = Pick<CoalescedDelivery, 'delivery' | 'reading' | 'deliveryIds'>;

/** The same, once it is known to hold a message. */
export interface ValidDelivery<F extends Facts = Facts> extends ParsedDelivery {
  readonly reading: Exclude<MessageReading<F>, { kind: 'rejected' }>;
}

export type Decision = Verdict | { readonly kind: 'rejected'; readonly rejection: Rejection };

export interface Deduplicator<F extends Facts = Facts> {
  /**
   * Says what a delivery is, and books it in the same write.
   * @throws TerminalError when the table refuses it for good, RetryableError otherwise
   */
  apply(delivery: ValidDelivery<F>): Promise<Decision>;
}

/** What a rejection of a message says beside its reason. */
export function rejectionOf({
  bodyHash,
  device,
  id,
}: Message): Omit<Rejection, 'reason' | 'detail'> {
  return { bodyHash, device, id, answerTo: device };
}
