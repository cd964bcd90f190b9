/**
 * Receipts: the bridge's answer to the device, QoS 2's PUBREC. One publication serves many. Written
 * by the bridge; read by devices, the console and the command line, for whom what arrives is the
 * word of whoever may publish there: anything odd is told, and nothing is guessed.
 */

import { isBodyHash } from '../base/hash.ts';
import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readJsonObject,
} from '../base/json.ts';
import { DETAIL_CHARS_MAX, MQTT_PAYLOAD_BYTES_MAX, RECEIPTS_BYTES_MAX } from '../base/limits.ts';
import { quoted } from '../base/printable.ts';
import { type EpochMillis, epochMillis } from '../base/time.ts';
import { idJson, type MessageId, readId } from '../message/id.ts';
import type { Rejection } from '../message/reasons.ts';

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
      readonly detail: string | undefined;
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

/** The shortest receipt, and the comma behind it. */
const RECEIPT_BYTES_MIN = '{"id":1,"outcome":"completed"},'.length;
/** Entries of a payload that are looked at: as many as fit into one that IoT Core delivers. */
const RECEIPTS_MAX = Math.floor(MQTT_PAYLOAD_BYTES_MAX / RECEIPT_BYTES_MIN);
/** Names of fields, and characters of a text, that are looked at. */
const FIELDS_MAX = 100;
const TEXT_CHARS_MAX = 1_024;
/** ECMAScript's range of times, and no time before 1970. */
const MILLIS = /^\d{1,16}$/;
const MILLIS_MAX = 8.64e15;

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
        detail: receipt.detail?.slice(0, DETAIL_CHARS_MAX).toWellFormed(),
        fields: receipt.fields,
      };
  }
}

export type ReceiptsReading =
  | {
      readonly ok: true;
      readonly route: string;
      readonly receipts: readonly Receipt[];
      /** What could not be read in it, each in words. */
      readonly odd: readonly string[];
    }
  | { readonly ok: false; readonly detail: string };

export function readReceipts(payload: Uint8Array): ReceiptsReading {
  if (payload.length > MQTT_PAYLOAD_BYTES_MAX) {
    const detail = `it has ${payload.length} bytes; up to ${MQTT_PAYLOAD_BYTES_MAX} are read`;
    return { ok: false, detail };
  }
  const json = readJsonObject(payload);
  if (!json.ok) return { ok: false, detail: json.detail };
  const { v, route, receipts } = json.value;
  if (!isJsonNumber(v) || v.value !== '1') {
    return { ok: false, detail: 'v is not 1, the version of the protocol' };
  }
  if (typeof route !== 'string') return { ok: false, detail: 'route is no text' };
  if (!Array.isArray(receipts)) return { ok: false, detail: 'receipts is no array' };
  const values: readonly JsonValue[] = receipts.slice(0, RECEIPTS_MAX);
  const read: Receipt[] = [];
  const odd: string[] = [];
  for (const value of values) {
    const receipt = readReceipt(value);
    if (typeof receipt === 'string') odd.push(receipt);
    else read.push(receipt);
  }
  if (receipts.length > RECEIPTS_MAX) odd.push(`more than ${RECEIPTS_MAX} receipts in one payload`);
  return { ok: true, route, receipts: read, odd };
}

/** The receipt, or what is odd about it. */
function readReceipt(value: JsonValue): Receipt | string {
  if (!isJsonObject(value)) return 'a receipt is no object';
  const { id: told, bodyHash, outcome } = value;
  const reading = told === undefined ? undefined : readId(told, 'the id of a receipt');
  if (reading?.ok === false) return reading.detail;
  const id = reading?.id;
  if (outcome === 'completed') return id === undefined ? 'completed, of no id' : { outcome, id };
  if (!isBodyHash(bodyHash)) return 'the bodyHash of a receipt is none';
  switch (outcome) {
    case 'accepted':
    case 'duplicate': {
      const bookedAt = readMillis(value.bookedAt);
      if (bookedAt === undefined) return `${outcome}, with a bookedAt that is no time`;
      return { outcome, id, bodyHash, bookedAt };
    }
    case 'rejected':
      return readRejection(value, id, bodyHash);
    case 'unknown':
      return { outcome, id, bodyHash };
  }
  const what = typeof outcome === 'string' ? quoted(outcome, 32) : 'no text';
  return `the outcome of a receipt is ${what}`;
}

function readRejection(
  value: JsonObject,
  id: MessageId | undefined,
  bodyHash: string,
): Receipt | string {
  const { reason, detail, fields } = value;
  if (typeof reason !== 'string' || reason === '') return 'rejected, without a reason';
  const names = Array.isArray(fields)
    ? fields.filter((field: JsonValue) => typeof field === 'string').slice(0, FIELDS_MAX)
    : undefined;
  return {
    outcome: 'rejected',
    id,
    bodyHash,
    reason: reason.slice(0, TEXT_CHARS_MAX),
    detail: typeof detail === 'string' ? detail.slice(0, TEXT_CHARS_MAX) : undefined,
    fields: names?.map((name) => name.slice(0, TEXT_CHARS_MAX)),
  };
}

function readMillis(value: JsonValue | undefined): EpochMillis | undefined {
  if (!isJsonNumber(value) || !MILLIS.test(value.value)) return undefined;
  const millis = Number(value.value);
  return millis <= MILLIS_MAX ? epochMillis(millis) : undefined;
}
