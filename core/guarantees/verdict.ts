/** What the one write says of a delivery. */
import { sameCanonical } from '../base/canonical.ts';
import { bodyHashOf } from '../base/hash.ts';
import { readJsonObject } from '../base/json.ts';
import type { EpochMillis } from '../base/time.ts';
import { differingFields } from '../message/differences.ts';
import type { Row, RowWrite } from '../tables/row.ts';

/** The row that stands: when it was booked, and by which delivery. */
export interface Booking {
  readonly bookedAt: EpochMillis;
  readonly firstDeliveryId: string;
}

export type Verdict =
  /** This delivery booked the message. */
  | ({ readonly kind: 'accepted' } & Booking)
  /** An earlier try of this very delivery booked it; its effects may be missing. */
  | ({ readonly kind: 'resumed' } & Booking)
  /** Another delivery booked it. */
  | ({ readonly kind: 'duplicate' } & Booking)
  /** The id is used up by another body (I5). */
  | { readonly kind: 'conflict'; readonly row: Row; readonly fields: readonly string[] }
  /** A newer value of the topic is known (`latest`). */
  | { readonly kind: 'stale'; readonly newest: EpochMillis };

/** What is to be said of a delivery whose write made the row. */
export function acceptedVerdict({ first }: RowWrite): Verdict {
  const { bookedAtMillis, firstDeliveryId } = first;
  return { kind: 'accepted', bookedAt: bookedAtMillis, firstDeliveryId };
}

/**
 * What a row that stood before the write says of a delivery with the same message.
 *
 * @param own ids of all deliveries folded into the write: any of them may be the one that booked
 * the row in an earlier try (a crash, a retry of the SDK) and still owes its forward (I4)
 */
export function existingRowVerdict(row: Row, own: readonly string[]): Verdict {
  const { bookedAtMillis, firstDeliveryId } = row;
  const kind = own.includes(firstDeliveryId) ? 'resumed' : 'duplicate';
  return { kind, bookedAt: bookedAtMillis, firstDeliveryId };
}

export function conflictVerdict(
  row: Row,
  write: RowWrite,
  ignored: readonly string[] | null,
): Verdict {
  return { kind: 'conflict', row, fields: differingFields(row, write.first, ignored) };
}

/**
 * Whether the row holds the same message. A fingerprint is only a hash, and of what the configuration
 * said when it was written: before an id is called used up, the bodies themselves are compared.
 */
export function isSameMessage(
  row: Row,
  { first }: RowWrite,
  ignored: readonly string[] | null,
): boolean {
  if (row.fingerprint === first.fingerprint) return true;
  if (row.topic !== first.topic) return false;
  const [one, other] = [Buffer.from(row.body), Buffer.from(first.body)];
  if (bodyHashOf(row.topic, one) === bodyHashOf(first.topic, other)) return true;
  if (ignored === null) return false;
  const [stored, sent] = [readJsonObject(one), readJsonObject(other)];
  return stored.ok && sent.ok && sameCanonical(stored.value, sent.value, ignored);
}
