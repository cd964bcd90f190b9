/** Receipts: the bridge's answer to the device, QoS 2's PUBREC. One publication serves many. */

import { DETAIL_CHARS_MAX, RECEIPTS_BYTES_MAX } from '../base/limits.ts';
import type { EpochMillis } from '../base/time.ts';
import { idJson, type MessageId } from '../message/id.ts';
import type { Rejection } from '../message/message.ts';

/** `bodyHash` names the very body that the answer is true of (I3). */
export type Receipt =
  | {
      readonly outcome: 'accepted' | 'duplicate';
      readonly id: MessageId | undefined;
      readonly bodyHash: string;
      readonly bookedAt: EpochMillis;
    }
  | {
      readonly outcome: 'rejected';
      readonly id: MessageId | undefined;
      readonly bodyHash: string;
      readonly reason: string;
      readonly detail: string;
      readonly fields: readonly string[] | undefined;
    }
  /** The answer to a release: the id is forgotten, whatever was known of it. */
  | { readonly outcome: 'completed'; readonly id: MessageId }
  /** The answer to a query for what is neither booked nor quarantined. */
  | {
      readonly outcome: 'unknown';
      readonly id: MessageId | undefined;
      readonly bodyHash: string;
    };

/** `tollbridge/{device}/receipts`. */
export function receiptsTopic(device: string): string {
  return `tollbridge/${device}/receipts`;
}

export function bookedReceipt(
  message: { readonly id: MessageId | undefined; readonly bodyHash: string },
  verdict: { readonly kind: 'accepted' | 'resumed' | 'duplicate'; readonly bookedAt: EpochMillis },
): Receipt {
  const outcome = verdict.kind === 'duplicate' ? 'duplicate' : 'accepted';
  return { outcome, id: message.id, bodyHash: message.bodyHash, bookedAt: verdict.bookedAt };
}

export function rejectedReceipt(rejection: Rejection, fields?: readonly string[]): Receipt {
  const { id, bodyHash, reason, detail } = rejection;
  return { outcome: 'rejected', id, bodyHash, reason, detail, fields };
}

/** The payloads that carry the receipts of one device, each small enough to publish. */
export function receiptPayloads(route: string, receipts: readonly Receipt[]): readonly string[] {
  const start = `{"v":1,"route":${JSON.stringify(route)},"receipts":[`;
  const payloads: string[] = [];
  let parts: string[] = [];
  let bytes = 0;
  for (const part of receipts.map(textOf)) {
    const size = Buffer.byteLength(part) + 1;
    if (parts.length > 0 && bytes + size > RECEIPTS_BYTES_MAX) {
      payloads.push(`${start}${parts.join(',')}]}`);
      parts = [];
      bytes = 0;
    }
    parts.push(part);
    bytes += size;
  }
  if (parts.length > 0) payloads.push(`${start}${parts.join(',')}]}`);
  return payloads;
}

function textOf(receipt: Receipt): string {
  const id = receipt.id === undefined ? '' : `"id":${idJson(receipt.id)},`;
  return `{${id}${JSON.stringify(withoutId(receipt)).slice(1)}`;
}

function withoutId(receipt: Receipt) {
  switch (receipt.outcome) {
    case 'accepted':
    case 'duplicate': {
      const { bodyHash, outcome, bookedAt } = receipt;
      return { bodyHash, outcome, bookedAt };
    }
    case 'completed':
      return { outcome: receipt.outcome };
    case 'unknown':
      return { bodyHash: receipt.bodyHash, outcome: receipt.outcome };
    case 'rejected':
      return {
        bodyHash: receipt.bodyHash,
        outcome: receipt.outcome,
        reason: receipt.reason,
        detail: receipt.detail.slice(0, DETAIL_CHARS_MAX).toWellFormed(),
        fields: receipt.fields,
      };
  }
}
