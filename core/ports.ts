/** What the function needs of the world. The adapters in `lambda/adapters` bind it to AWS. */

import type { MessageKey } from './identity.ts';
import type { LedgerRow, LedgerWrite } from './ledger-row.ts';
import type { Metric } from './metrics.ts';
import type { QuarantineRow } from './quarantine-row.ts';

export type BookResult =
  /** The row stands, written now or before, and this delivery is counted in it. */
  | { readonly kind: 'written'; readonly row: LedgerRow }
  /** The condition failed: the row that stands has another likeness. */
  | { readonly kind: 'refused'; readonly row: LedgerRow };

/** The ledger. Throws TerminalError or RetryableError. */
export interface Ledger {
  /** The one write: books a message, or counts a copy of it. */
  book(write: LedgerWrite): Promise<BookResult>;
  /** A consistent read; undefined when there is no such row. */
  find(key: MessageKey): Promise<LedgerRow | undefined>;
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
