/**
 * The bridge's topics on the wire: what receipts say, and what release and query look like. What
 * arrives is the word of whoever may publish there, so anything odd is told and nothing is guessed.
 */

import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readJsonObject,
} from '../../core/base/json.ts';
import { BODY_BYTES_MAX, MQTT_PAYLOAD_BYTES_MAX } from '../../core/base/limits.ts';
import { quoted } from '../../core/base/printable.ts';
import { type EpochMillis, epochMillis } from '../../core/base/time.ts';
import { encodeId, idJson, type MessageId, readId } from '../../core/message/id.ts';
import type { BookedOutcome } from '../outbox/records.ts';

/** One answer of the bridge. */
export type Answer =
  | {
      readonly outcome: BookedOutcome;
      readonly id: MessageId | undefined;
      readonly hash: string;
      readonly bookedAt: EpochMillis;
    }
  | {
      readonly outcome: 'rejected';
      readonly id: MessageId | undefined;
      readonly hash: string;
      readonly reason: string;
      readonly detail: string | undefined;
      readonly fields: readonly string[] | undefined;
    }
  | { readonly outcome: 'completed'; readonly id: MessageId }
  | { readonly outcome: 'unknown'; readonly id: MessageId | undefined; readonly hash: string };

export type ReceiptsReading =
  | {
      readonly ok: true;
      readonly route: string;
      readonly answers: readonly Answer[];
      /** What could not be read in it, each in words. */
      readonly odd: readonly string[];
    }
  | { readonly ok: false; readonly detail: string };

/** The shortest answer, and the comma behind it. */
const ANSWER_BYTES_MIN = '{"id":1,"outcome":"completed"},'.length;
/** Entries of a payload that are looked at: as many as fit into one that IoT Core delivers. */
const ANSWERS_MAX = Math.floor(MQTT_PAYLOAD_BYTES_MAX / ANSWER_BYTES_MIN);
/** Ids that one release or query names: far fewer than one payload can answer. */
export const REQUEST_IDS_MAX = 100;
/** Names of fields, and characters of a text, that are looked at. */
const FIELDS_MAX = 100;
const TEXT_CHARS_MAX = 1_024;
const BODY_HASH = /^[0-9a-f]{64}$/;
/** ECMAScript's range of times, and no time before 1970. */
const MILLIS = /^\d{1,16}$/;
const MILLIS_MAX = 8.64e15;

/** A topic between this device and the bridge. */
export function ownTopic(device: string, name: 'receipts' | 'release' | 'query'): string {
  return `tollbridge/${device}/${name}`;
}

export function readReceipts(payload: Uint8Array): ReceiptsReading {
  if (payload.length > MQTT_PAYLOAD_BYTES_MAX) {
    const detail = `it has ${payload.length} bytes; up to ${MQTT_PAYLOAD_BYTES_MAX} are read`;
    return { ok: false, detail };
  }
  const json = readJsonObject(payload);
  if (!json.ok) return { ok: false, detail: json.detail };
  const { v, route, receipts } = json.value;
  if (!isJsonNumber(v) || v.value !== '1') {
    return { ok: false, detail: 'v is not 1, the version of the protocol this library speaks' };
  }
  if (typeof route !== 'string') return { ok: false, detail: 'route is no text' };
  if (!Array.isArray(receipts)) return { ok: false, detail: 'receipts is no array' };
  const values: readonly JsonValue[] = receipts.slice(0, ANSWERS_MAX);
  const answers: Answer[] = [];
  const odd: string[] = [];
  for (const value of values) {
    const answer = readAnswer(value);
    if (typeof answer === 'string') odd.push(answer);
    else answers.push(answer);
  }
  if (receipts.length > ANSWERS_MAX) odd.push(`more than ${ANSWERS_MAX} receipts in one payload`);
  return { ok: true, route, answers, odd };
}

/** The answer, or what is odd about it. */
function readAnswer(value: JsonValue): Answer | string {
  if (!isJsonObject(value)) return 'a receipt is no object';
  const { id: told, bodyHash: hash, outcome } = value;
  const reading = told === undefined ? undefined : readId(told, 'the id of a receipt');
  if (reading?.ok === false) return reading.detail;
  const id = reading?.id;
  if (outcome === 'completed') return id === undefined ? 'completed, of no id' : { outcome, id };
  if (typeof hash !== 'string' || !BODY_HASH.test(hash)) return 'the bodyHash of a receipt is none';
  switch (outcome) {
    case 'accepted':
    case 'duplicate': {
      const bookedAt = readMillis(value.bookedAt);
      if (bookedAt === undefined) return `${outcome}, with a bookedAt that is no time`;
      return { outcome, id, hash, bookedAt };
    }
    case 'rejected':
      return readRejection(value, id, hash);
    case 'unknown':
      return { outcome, id, hash };
  }
  const what = typeof outcome === 'string' ? quoted(outcome, 32) : 'no text';
  return `the outcome of a receipt is ${what}`;
}

function readRejection(
  value: JsonObject,
  id: MessageId | undefined,
  hash: string,
): Answer | string {
  const { reason, detail, fields } = value;
  if (typeof reason !== 'string' || reason === '') return 'rejected, without a reason';
  const names = Array.isArray(fields)
    ? fields.filter((field: JsonValue) => typeof field === 'string').slice(0, FIELDS_MAX)
    : undefined;
  return {
    outcome: 'rejected',
    id,
    hash,
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

export function isSameId(one: MessageId, other: MessageId): boolean {
  return encodeId(one) === encodeId(other);
}

export function releasePayload(route: string, ids: readonly MessageId[]): string {
  return `{"v":1,"route":${JSON.stringify(route)},"ids":[${ids.map(idJson).join(',')}]}`;
}

/** How many of the ids, from the first on, one release can name; at least one. */
export function countReleasable(route: string, ids: readonly MessageId[]): number {
  return countFitting(releasePayload(route, []), ids.map(idJson));
}

export interface Asked {
  readonly id: MessageId;
  readonly hash: string;
}

export function queryPayload(route: string, messages: readonly Asked[]): string {
  const asked = messages.map(askedJson).join(',');
  return `{"v":1,"route":${JSON.stringify(route)},"messages":[${asked}]}`;
}

/** How many of the messages, from the first on, one query can name; at least one. */
export function countAskable(route: string, messages: readonly Asked[]): number {
  return countFitting(queryPayload(route, []), messages.map(askedJson));
}

function askedJson({ id, hash }: Asked): string {
  return `{"id":${idJson(id)},"bodyHash":"${hash}"}`;
}

/** The bridge answers no request that is longer than a body may be. */
function countFitting(frame: string, parts: readonly string[]): number {
  let bytes = Buffer.byteLength(frame) - 1;
  let count = 0;
  for (const part of parts.slice(0, REQUEST_IDS_MAX)) {
    bytes += Buffer.byteLength(part) + 1;
    if (count > 0 && bytes > BODY_BYTES_MAX) break;
    count++;
  }
  return count;
}
