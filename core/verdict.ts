/** What the one write says of a delivery (design §3). */
import { bodyHashOf } from './hash.ts';
import { isJsonNumber, isJsonObject, type JsonValue, readJsonObject } from './json.ts';
import type { LedgerRow, LedgerWrite } from './ledger-row.ts';
import type { BookResult } from './ports.ts';
import { printable } from './printable.ts';
import type { EpochMillis } from './time.ts';

export type Verdict =
  /** This delivery booked the message. */
  | { readonly kind: 'accepted'; readonly bookedAt: EpochMillis }
  /** An earlier try of this very delivery booked it; its effects may be missing. */
  | { readonly kind: 'resumed'; readonly bookedAt: EpochMillis }
  /** Another delivery booked it. */
  | { readonly kind: 'duplicate'; readonly bookedAt: EpochMillis }
  /** The id is used up by another body (I5). */
  | { readonly kind: 'conflict'; readonly row: LedgerRow; readonly fields: readonly string[] };

/**
 * @param own ids of all deliveries folded into the write: any of them may be the one that booked
 * the row in an earlier try and still owes its forward (I4)
 */
export function verdictOf(
  result: BookResult,
  write: LedgerWrite,
  own: readonly string[] = [write.first.firstDeliveryId],
): Verdict {
  switch (result.kind) {
    case 'written':
      return ownerVerdict(result.row, own, write.tries);
    case 'refused':
      // A likeness is only a hash: before an id is called used up, the bodies themselves are asked.
      // A write that was refused added nothing: whoever booked the row did so before.
      return sameBytes(result.row, write)
        ? ownerVerdict(result.row, own, 0)
        : { kind: 'conflict', row: result.row, fields: differingFields(result.row, write.first) };
  }
}

function ownerVerdict(row: LedgerRow, own: readonly string[], added: number): Verdict {
  const bookedAt = row.bookedAtMillis;
  if (!own.includes(row.firstDeliveryId)) return { kind: 'duplicate', bookedAt };
  // More tries than this write added: it has been here before (a crash, a retry of the SDK).
  return row.tries === added ? { kind: 'accepted', bookedAt } : { kind: 'resumed', bookedAt };
}

type Said = Pick<LedgerRow, 'topic' | 'body'>;

function sameBytes(row: LedgerRow, write: LedgerWrite): boolean {
  return hashOf(row) === hashOf(write.first);
}

function hashOf({ topic, body }: Said): string {
  return bodyHashOf(topic, Buffer.from(body));
}

/** Enough to see what happened; a hostile body cannot make the evidence grow. */
const FIELDS_MAX = 20;
const FIELD_CHARS_MAX = 256;

/**
 * Paths of the fields that differ, in the order of the booked body; `$topic` when the topics do.
 * Empty when the bodies differ in white space or order alone.
 */
export function differingFields(booked: Said, later: Said): readonly string[] {
  const fields = booked.topic === later.topic ? [] : ['$topic'];
  const one = readJsonObject(Buffer.from(booked.body));
  const other = readJsonObject(Buffer.from(later.body));
  if (one.ok && other.ok) collectDifferences(one.value, other.value, '', fields);
  return fields.slice(0, FIELDS_MAX);
}

function collectDifferences(
  one: JsonValue | undefined,
  other: JsonValue | undefined,
  path: string,
  found: string[],
): void {
  if (found.length >= FIELDS_MAX) return;
  if (isJsonObject(one) && isJsonObject(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const inside = path === '' ? key : `${path}.${key}`;
      collectDifferences(own(one, key), own(other, key), inside, found);
    }
    return;
  }
  if (!sameValue(one, other)) found.push(printable(path, FIELD_CHARS_MAX));
}

function own(object: { readonly [key: string]: JsonValue }, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function sameValue(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (isJsonNumber(one) && isJsonNumber(other)) return one.value === other.value;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, at) => sameValue(item, other[at]));
  }
  if (isJsonObject(one) && isJsonObject(other)) {
    const differences: string[] = [];
    collectDifferences(one, other, '', differences);
    return differences.length === 0;
  }
  return one === other;
}
