/** What the function needs of the world. The adapters in `lambda/adapters` bind it to AWS. */

import type { WindowRow, WindowWrite } from '../guarantees/deduplicated/row.ts';
import type { LedgerWrite } from '../guarantees/exactly-once/row.ts';
import type { StateRow, StateWrite } from '../guarantees/latest/row.ts';
import type { MessageKey } from '../message/id.ts';
import type { Metric } from '../operations/metrics.ts';
import type { QuarantineKey, QuarantineRow } from './quarantine-row.ts';
import type { Release } from './release.ts';
import type { Row, RowWrite } from './row.ts';

export type ReplaceResult<Standing extends Row> =
  /** The row is what this delivery has written. */
  | { readonly kind: 'written' }
  /** The condition failed; nothing was changed. */
  | { readonly kind: 'refused'; readonly row: Standing };

export type WriteResult<Standing extends Row> =
  | ReplaceResult<Standing>
  /** The row stood already, as it is given, and the delivery has been counted in it. */
  | { readonly kind: 'counted'; readonly row: Standing };

/** What every table of messages can do. Throws TerminalError or RetryableError. */
interface Table<Standing extends Row> {
  /** A consistent read; undefined when there is no such row. */
  find(key: MessageKey): Promise<Standing | undefined>;
  /** Counts a copy of a row that this delivery booked, and changes nothing else. */
  count(write: RowWrite, firstDeliveryId: string): Promise<void>;
}

/** The ledger, for `exactly-once`. */
export interface Ledger extends Table<Row> {
  /** The one write: books a message, or counts a copy of it. */
  book(write: LedgerWrite): Promise<WriteResult<Row>>;
}

/** The deliveries, for `deduplicated`. */
export interface Deliveries extends Table<WindowRow> {
  /** The one write: opens a window, or counts a copy inside it. */
  admit(write: WindowWrite): Promise<WriteResult<WindowRow>>;
  /** Counts a copy like `count`, and pushes the end of the window out, never back. */
  push(write: WindowWrite, firstDeliveryId: string): Promise<void>;
  /** Replaces a row whose window is over; false when it has changed meanwhile. */
  renew(write: WindowWrite, old: WindowRow): Promise<boolean>;
}

/** What a handshake needs of the ledger or the deliveries. Throws like them. */
export interface Releases {
  /** A consistent read; undefined when there is no such row. */
  find(key: MessageKey): Promise<Row | undefined>;
  /** Marks a row as released, where it exists; false where nothing stands that can be meant. */
  release(release: Release): Promise<boolean>;
}

/** Why a body was not booked. */
export type Finding = Pick<QuarantineRow, 'reason' | 'detail' | 'fields'>;

/** The quarantine, for those who only ask. Throws like the ledger. */
export interface Findings {
  /** A consistent read; undefined when there is no such row. */
  find(key: QuarantineKey): Promise<Finding | undefined>;
}

/** The state, for `latest`. Throws like the others. */
export interface State {
  /** The one write: replaces an older value. */
  put(write: StateWrite): Promise<ReplaceResult<StateRow>>;
}

/** The quarantine. Writing the same row again only counts it. Throws like the ledger. */
export interface Quarantine {
  put(row: QuarantineRow): Promise<void>;
}

export interface Publication {
  readonly topic: string;
  /** JSON text. */
  readonly payload: string;
  readonly qos: 0 | 1;
  /** MQTT 5 user properties, in order. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
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
