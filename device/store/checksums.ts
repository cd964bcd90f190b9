/**
 * What LevelDB does not check by itself, checked here. A damaged block of its log or of its list of
 * files is skipped in silence, a log cut short is taken for one that was never longer, and a table
 * is read without its checksums. So every record is sealed with a digest of its key and value, the
 * digests of all records are folded into one that is written with every batch, and the number of
 * the last flushed batch stands in a file of its own, the mark. A record lost, changed or come back
 * breaks the fold; a lost end of the log leaves the store behind its mark.
 */
import { createHash } from 'node:crypto';

export const DIGEST_BYTES = 16;

/** What a store holds, as each batch writes it into the store. */
export interface Guard {
  /** Batches written since the store was made. */
  readonly batch: number;
  /** All records' digests, XORed, as lower-case hex. */
  readonly fold: string;
}

export const EMPTY_GUARD: Guard = { batch: 0, fold: '00'.repeat(DIGEST_BYTES) };

/** The value as it is stored: its digest, then itself. */
export function seal(key: string, value: Uint8Array): Buffer {
  return Buffer.concat([digestOf(key, value), value]);
}

/** The value of a sealed record; `undefined` when it is not what was stored under this key. */
export function unseal(key: string, sealed: Buffer): Buffer | undefined {
  const value = sealed.subarray(DIGEST_BYTES);
  return digestOf(key, value).equals(sealed.subarray(0, DIGEST_BYTES)) ? value : undefined;
}

function digestOf(key: string, value: Uint8Array): Buffer {
  const keyBytes = Buffer.from(key);
  const keyLength = Buffer.alloc(4);
  keyLength.writeUInt32BE(keyBytes.length);
  const hash = createHash('sha256').update(keyLength).update(keyBytes).update(value);
  return hash.digest().subarray(0, DIGEST_BYTES);
}

/** A fold of digests; adding the same one twice takes it out again. */
export class Fold {
  readonly #bytes: Buffer;

  constructor(hex: string) {
    this.#bytes = Buffer.alloc(DIGEST_BYTES);
    Buffer.from(hex, 'hex').copy(this.#bytes);
  }

  toggle(sealed: Buffer): void {
    for (let at = 0; at < DIGEST_BYTES; at += 1) {
      this.#bytes[at] = (this.#bytes[at] ?? 0) ^ (sealed[at] ?? 0);
    }
  }

  get hex(): string {
    return this.#bytes.toString('hex');
  }
}

export function guardBytes(guard: Guard): Buffer {
  return Buffer.from(`${guard.batch} ${guard.fold}`);
}

export function guardOf(bytes: Buffer): Guard | undefined {
  const [, batch, fold] = /^(\d{1,15}) ([0-9a-f]{32})$/.exec(bytes.toString()) ?? [];
  return batch === undefined || fold === undefined ? undefined : { batch: Number(batch), fold };
}

const MARK_HEAD = 'tollbridge store, batch';

/** The text of the mark; always as long, so that it is written over in place. */
export function markText(batch: number): string {
  const text = `${MARK_HEAD} ${String(batch).padStart(15, '0')}`;
  return `${text} ${checkOf(text)}\n`;
}

/** The batch that a mark names; `undefined` for a damaged one. */
export function markedBatch(text: string): number | undefined {
  const [, head, batch, check] =
    /^(tollbridge store, batch (\d{15})) ([0-9a-f]{8})\n$/.exec(text) ?? [];
  return head === undefined || checkOf(head) !== check ? undefined : Number(batch);
}

function checkOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
