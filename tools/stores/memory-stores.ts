/**
 * Stores in memory that keep the contracts of `proofs/contract`, where the same suites are run on
 * them and on DynamoDB's counterparts. One write is one step: it has been decided before the caller
 * waits for it.
 */

import { epochMillis } from '../../core/base/time.ts';
import type { DeduplicatedRow, DeduplicatedWrite } from '../../core/guarantees/deduplicated/row.ts';
import type {
  ExactlyOnceFirstWrite,
  ExactlyOnceWrite,
} from '../../core/guarantees/exactly-once/row.ts';
import type { LatestFirstWrite, LatestRow, LatestWrite } from '../../core/guarantees/latest/row.ts';
import type { MessageKey } from '../../core/message/id.ts';
import type {
  DedupRecords,
  Ledger,
  Quarantine,
  QuarantineEntry,
  QuarantineReader,
  Releases,
  ReplaceResult,
  State,
  WriteResult,
} from '../../core/tables/ports.ts';
import type { QuarantineKey, QuarantineRow } from '../../core/tables/quarantine-row.ts';
import type { Release } from '../../core/tables/release.ts';
import type { FirstWrite, Row, RowWrite } from '../../core/tables/row.ts';

/** Every attribute but the key. */
type Kept<First> = First & {
  readonly tries: number;
  readonly lastSeenAt: string;
  readonly releasedAt?: string;
};

class MemoryTable<First extends FirstWrite> {
  readonly rows = new Map<string, Kept<First>>();

  get(key: MessageKey): Kept<First> | undefined {
    return this.rows.get(nameOf(key));
  }

  set(key: MessageKey, row: Kept<First>): void {
    this.rows.set(nameOf(key), row);
  }

  /** As TTL does, or an operator. */
  remove(key: MessageKey): void {
    this.rows.delete(nameOf(key));
  }

  /** Makes a row one that older code has written: of version 0, and without this attribute. */
  age(key: MessageKey, without: string): void {
    const old = this.get(key);
    if (old === undefined) throw new Error('there is no such row');
    const row = { ...old, rowVersion: 0 };
    Reflect.deleteProperty(row, without);
    this.set(key, row);
  }

  /** Counts a copy in the row that stands. */
  protected counted(write: RowWrite, old: Kept<First>, changes: Partial<Kept<First>> = {}) {
    this.set(write.key, {
      ...old,
      ...changes,
      tries: old.tries + write.tries,
      lastSeenAt: write.lastSeenAt,
    });
  }

  /** Marks a row that is not of a later life; the first release stands. */
  async release({ key, releasedAt }: Release): Promise<boolean> {
    const old = this.get(key);
    if (old === undefined || old.receivedAt > releasedAt) return false;
    this.set(key, { ...old, releasedAt: old.releasedAt ?? releasedAt });
    return true;
  }

  protected async countCopy(write: RowWrite, firstDeliveryId: string): Promise<void> {
    const old = this.get(write.key);
    if (old?.firstDeliveryId === firstDeliveryId) this.counted(write, old);
  }
}

export class MemoryLedger extends MemoryTable<ExactlyOnceFirstWrite> implements Ledger, Releases {
  readonly writes: ExactlyOnceWrite[] = [];

  async book(write: ExactlyOnceWrite): Promise<WriteResult<Row>> {
    this.writes.push(write);
    const old = this.get(write.key);
    if (old === undefined) {
      const row = { ...write.first, tries: write.tries, lastSeenAt: write.lastSeenAt };
      this.set(write.key, row);
      return { kind: 'written' };
    }
    if (!isCopy(old, write)) return { kind: 'refused', row: rowOf(old) };
    this.counted(write, old);
    return { kind: 'counted', row: rowOf(old) };
  }

  async find(key: MessageKey): Promise<Row | undefined> {
    const row = this.get(key);
    return row && rowOf(row);
  }

  count(write: RowWrite, firstDeliveryId: string): Promise<void> {
    return this.countCopy(write, firstDeliveryId);
  }
}

export interface WindowAttributes extends FirstWrite {
  readonly windowEndsAtMillis: number;
  readonly expiresAt: number;
}

export class MemoryDedupRecords
  extends MemoryTable<WindowAttributes>
  implements DedupRecords, Releases
{
  readonly writes: DeduplicatedWrite[] = [];

  async admit(write: DeduplicatedWrite): Promise<WriteResult<DeduplicatedRow>> {
    this.writes.push(write);
    const old = this.get(write.key);
    if (old === undefined) {
      this.set(write.key, opened(write));
      return { kind: 'written' };
    }
    const isOpen = old.windowEndsAtMillis >= write.receivedAtMillis;
    const latestEnd = write.isPushed ? write.windowEndsAtMillis : write.latestEndMillis;
    if (!isCopy(old, write) || !isOpen || old.windowEndsAtMillis > latestEnd) {
      return { kind: 'refused', row: windowRowOf(old) };
    }
    this.counted(write, old, write.isPushed ? endOf(write) : {});
    return { kind: 'counted', row: windowRowOf(old) };
  }

  async renew(write: DeduplicatedWrite, old: DeduplicatedRow): Promise<boolean> {
    const row = this.get(write.key);
    const isAsRead =
      row?.firstDeliveryId === old.firstDeliveryId &&
      row.windowEndsAtMillis === old.windowEndsAtMillis;
    if (isAsRead) this.set(write.key, opened(write));
    return isAsRead;
  }

  async find(key: MessageKey): Promise<DeduplicatedRow | undefined> {
    const row = this.get(key);
    return row && windowRowOf(row);
  }

  count(write: RowWrite, firstDeliveryId: string): Promise<void> {
    return this.countCopy(write, firstDeliveryId);
  }

  override async release(release: Release): Promise<boolean> {
    const isReleased = await super.release(release);
    const row = this.get(release.key);
    if (isReleased && row !== undefined && row.expiresAt > release.expiresAtSeconds) {
      this.set(release.key, { ...row, expiresAt: release.expiresAtSeconds });
    }
    return isReleased;
  }

  async push(write: DeduplicatedWrite, firstDeliveryId: string): Promise<void> {
    const old = this.get(write.key);
    if (old?.firstDeliveryId !== firstDeliveryId) return;
    if (old.windowEndsAtMillis > write.windowEndsAtMillis) return;
    this.counted(write, old, endOf(write));
  }
}

export class MemoryState extends MemoryTable<LatestFirstWrite> implements State {
  readonly writes: LatestWrite[] = [];

  async put(write: LatestWrite): Promise<ReplaceResult<LatestRow>> {
    this.writes.push(write);
    const old = this.get(write.key);
    if (old !== undefined && old.version >= write.first.version) {
      return { kind: 'refused', row: stateRowOf(old) };
    }
    const row = { ...write.first, tries: write.tries, lastSeenAt: write.lastSeenAt };
    this.set(write.key, row);
    return { kind: 'written' };
  }
}

export class MemoryQuarantine implements Quarantine, QuarantineReader {
  readonly rows = new Map<string, QuarantineRow & { readonly tries: number }>();

  async put(row: QuarantineRow) {
    const key = JSON.stringify(row.key);
    const old = this.rows.get(key);
    const { fields, bookedBody, bookedAt } = old?.bookedBody == null ? row : old;
    const evidence = { fields, bookedBody, bookedAt };
    this.rows.set(key, { ...(old ?? row), ...evidence, tries: (old?.tries ?? 0) + 1 });
  }

  async find(key: QuarantineKey): Promise<QuarantineEntry | undefined> {
    const row = this.rows.get(JSON.stringify(key));
    return row && { reason: row.reason, detail: row.detail, fields: row.fields };
  }

  /** The rows, in the order of their first writing. */
  list() {
    return [...this.rows.values()];
  }
}

function nameOf({ pk, id }: MessageKey): string {
  return JSON.stringify([pk, id]);
}

function isCopy(old: FirstWrite, { first }: RowWrite): boolean {
  return old.fingerprint === first.fingerprint && old.rowVersion === first.rowVersion;
}

function endOf(write: DeduplicatedWrite) {
  return { windowEndsAtMillis: write.windowEndsAtMillis, expiresAt: write.expiresAtSeconds };
}

function opened(write: DeduplicatedWrite): Kept<WindowAttributes> {
  return { ...write.first, ...endOf(write), tries: write.tries, lastSeenAt: write.lastSeenAt };
}

function rowOf(row: Kept<FirstWrite>): Row {
  const { rowVersion, firstDeliveryId, fingerprint, topic, body, bookedAtMillis } = row;
  return { rowVersion, firstDeliveryId, fingerprint, topic, body, bookedAtMillis };
}

function windowRowOf(row: Kept<WindowAttributes>): DeduplicatedRow {
  return { ...rowOf(row), windowEndsAtMillis: epochMillis(row.windowEndsAtMillis) };
}

function stateRowOf(row: Kept<LatestFirstWrite>): LatestRow {
  return { ...rowOf(row), version: row.version };
}
