/** What the function needs of the world. The adapters in `lambda/adapters` bind it to AWS. */

import type { DeduplicatedRow, DeduplicatedWrite } from '../guarantees/deduplicated/row.ts';
import type { ExactlyOnceWrite } from '../guarantees/exactly-once/row.ts';
import type { LatestRow, LatestWrite } from '../guarantees/latest/row.ts';
import type { MessageKey } from '../message/id.ts';
import type { Metric } from '../operations/metrics.ts';
import type { Publication } from '../wire/forward.ts';
import type { QuarantineKey, QuarantineRow } from './quarantine-row.ts';
import type { Release } from './release.ts';
import type { Row, RowWrite } from './row.ts';

export type ReplaceResult<Existing extends Row> =
  /** The row is what this delivery has written. */
  | { readonly kind: 'written' }
  /** The condition failed; nothing was changed. */
  | { readonly kind: 'refused'; readonly row: Existing };

export type WriteResult<Existing extends Row> =
  | ReplaceResult<Existing>
  /** The row stood already, as it is given, and the delivery has been counted in it. */
  | { readonly kind: 'counted'; readonly row: Existing };

/** What every table of messages can do. Throws TerminalError or RetryableError. */
interface Table<Existing extends Row> {
  /** A consistent read; undefined when there is no such row. */
  find(key: MessageKey): Promise<Existing | undefined>;
  /** Counts a copy of a row that this delivery booked, and changes nothing else. */
  count(write: RowWrite, firstDeliveryId: string): Promise<void>;
}

/** The ledger, for `exactly-once`. */
export interface Ledger extends Table<Row> {
  /** The one write: books a message, or counts a copy of it. */
  book(write: ExactlyOnceWrite): Promise<WriteResult<Row>>;
}

/** The dedup records, for `deduplicated`. */
export interface DedupRecords extends Table<DeduplicatedRow> {
  /** The one write: opens a window, or counts a copy inside it. */
  admit(write: DeduplicatedWrite): Promise<WriteResult<DeduplicatedRow>>;
  /** Counts a copy like `count`, and pushes the end of the window out, never back. */
  push(write: DeduplicatedWrite, firstDeliveryId: string): Promise<void>;
  /** Replaces a row whose window is over; false when it has changed meanwhile. */
  renew(write: DeduplicatedWrite, old: DeduplicatedRow): Promise<boolean>;
}

/** What a handshake needs of the ledger or the dedup records. Throws like them. */
export interface Releases {
  /** A consistent read; undefined when there is no such row. */
  find(key: MessageKey): Promise<Row | undefined>;
  /** Marks a row as released, where it exists; false where nothing stands that can be meant. */
  release(release: Release): Promise<boolean>;
}

/** Why a body was not booked. */
export type QuarantineEntry = Pick<QuarantineRow, 'reason' | 'detail' | 'fields'>;

/** The quarantine, for those who only ask. Throws like the ledger. */
export interface QuarantineReader {
  /** A consistent read; undefined when there is no such row. */
  find(key: QuarantineKey): Promise<QuarantineEntry | undefined>;
}

/** The state, for `latest`. Throws like the others. */
export interface State {
  /** The one write: replaces an older value. */
  put(write: LatestWrite): Promise<ReplaceResult<LatestRow>>;
}

/** The quarantine. Writing the same row again only counts it. Throws like the ledger. */
export interface Quarantine {
  put(row: QuarantineRow): Promise<void>;
}

/** The broker. Throws TerminalError when the publication can never succeed, else RetryableError. */
export interface Publisher {
  publish(publication: Publication): Promise<void>;
}

/** Counters and records of one batch. Never throws; takes no bodies, so nothing secret can leak. */
export interface Telemetry {
  count(metric: Metric, amount: number): void;
  /** Something that a person may have to look at; `fields` hold ids, hashes and reasons alone. */
  note(
    level: 'info' | 'warn' | 'error',
    text: string,
    fields: Readonly<Record<string, unknown>>,
  ): void;
  /** Called once at the end of every batch. */
  flush(): void;
}
