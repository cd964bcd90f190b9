/** A message that is held, in memory: what its states are, and what ends them. */
import { idText } from '../../core/message/id.ts';
import type { EpochMillis } from '../ports.ts';
import type { Deferred } from '../publish/deferred.ts';
import type { BookedOutcome, MessageRecord } from './records.ts';

/** The bridge's word that the message is booked. */
export interface BookedReceipt {
  readonly route: string;
  readonly id: string;
  readonly bodyHash: string;
  /** `duplicate`: an earlier delivery of this message booked it. Both mean booked. */
  readonly outcome: BookedOutcome;
  /** When it was booked first, by the bridge's clock. */
  readonly bookedAt: EpochMillis;
}

/** Why the bridge refused a message for good. */
export interface Rejection {
  readonly reason: string;
  readonly detail: string | undefined;
  readonly fields: readonly string[] | undefined;
}

export interface Entry {
  readonly record: MessageRecord;
  /**
   * `writing`: not flushed yet. `pending`: to be sent until a receipt comes. `settled`: answered.
   * `booked`: answered in a full handshake, with the id to be released.
   */
  state: 'writing' | 'pending' | 'settled' | 'booked';
  /** Publications since this start. */
  tries: number;
  /** May have been sent before in a life or on a connection that is over. */
  maybeSent: boolean;
  receipt: BookedReceipt | undefined;
  answer: Deferred<BookedReceipt> | undefined;
}

export function receiptOf(
  { route, id, hash }: MessageRecord,
  booked: { readonly outcome: BookedOutcome; readonly bookedAt: EpochMillis },
): BookedReceipt {
  return { route, id: idText(id), bodyHash: hash, ...booked };
}
