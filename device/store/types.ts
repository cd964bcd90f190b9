/** What a store is to those who use it. */

/** A change of one record; without a value the record is removed. */
export interface StoreChange {
  /** `a-z` and `-`, e.g. `outbox`. */
  readonly area: string;
  /** Ordered by its UTF-8 bytes. */
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface StoreEntry {
  readonly key: string;
  readonly value: Buffer;
}

export interface StoreRecord extends StoreEntry {
  readonly area: string;
}

export interface StoreRange {
  /** Entries with keys after this one alone. */
  readonly after?: string;
  /** Entries with keys before this one alone. */
  readonly before?: string;
  readonly limit?: number;
}

export interface Store {
  readonly folder: string;
  /**
   * All changes, or none; resolves when they are on the disk. Rejects with `DiskFullError` or
   * `StoreFailedError`; every later write is then refused too, until the store is opened again.
   */
  write(changes: readonly StoreChange[]): Promise<void>;
  read(area: string, key: string): Promise<Buffer | undefined>;
  /** By key, as of now; later writes are not seen. */
  entries(area: string, range?: StoreRange): AsyncIterable<StoreEntry>;
  /** Records in the area, flushed writes alone. */
  count(area: string): number;
  /** Bytes of the area's values, flushed writes alone. */
  bytes(area: string): number;
  /** After the writes under way. */
  close(): Promise<void>;
}
