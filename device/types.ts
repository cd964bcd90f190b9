/** What a device takes and answers. */

import type { BookedReceipt } from './outbox/entry.ts';
import type { RejectedMessage } from './outbox/rejected.ts';
import type { EpochMillis } from './ports.ts';
import type { GivenId } from './publish/body.ts';

export interface PublishOptions {
  /**
   * The id, where the route takes it from a field: a text, or an integer. Under the same id the
   * same body is the same message, however often it is published.
   * @default - the id the body holds, or a new UUIDv7
   */
  readonly id?: GivenId;
  /** When it happened: a UUIDv7 sorts by it. @default - now */
  readonly at?: Date | number;
}

/** A message on its way into the ledger. */
export interface EnqueuedMessage {
  readonly route: string;
  readonly id: string;
  readonly bodyHash: string;
  /** Resolves when it is booked; rejects with RejectedError, or with ClosedError at `close`. */
  readonly receipt: Promise<BookedReceipt>;
}

/** A message without a receipt. */
export interface PendingMessage {
  readonly route: string;
  readonly id: string;
  readonly bodyHash: string;
  /** Of the body. */
  readonly bytes: number;
  /** When it was published. */
  readonly since: EpochMillis;
  /** How often it was sent since this start. */
  readonly tries: number;
}

/** The messages that the bridge refused, kept for a person. */
export interface RejectedMessages {
  readonly count: number;
  /** With their bodies, oldest first. */
  list(): AsyncIterable<RejectedMessage>;
  /** One JSON object a line, for a file. */
  lines(): AsyncIterable<string>;
  /** Deletes every rejected body of this id for good; says how many there were. */
  discard(route: string, id: string | bigint | number): Promise<number>;
}

/** What is in the outbox. */
export interface OutboxStats {
  /** Pending, rejected, and ids that are not completed yet: what counts against the limit. */
  readonly messages: number;
  /** Of their bodies. */
  readonly bytes: number;
  readonly rejected: number;
  /** Sent and without a receipt. */
  readonly inFlight: number;
}
