/**
 * Keys. A row stands under `route#device` and the id alone; a topic level can hold neither
 * `#` nor `+`, so the parts of the partition key cannot run into one another.
 *
 * Version 1 of the encoding of ids: a string is itself, an integer is `int:` and its digits, so
 * that the number 1 and the string "1" are two ids. Other sources have marks of their own
 * (`core/message/id-sources.ts`). A string that begins like an encoded one (three lower-case letters and a
 * colon) is marked with `str:`.
 */

import { isJsonNumber, type JsonValue } from '../base/json.ts';
import { ID_BYTES_MAX } from '../base/limits.ts';

/** The version of the encoding; every row says with which one its key was made. */
export const KEY_VERSION = 1;

/** An id: a text or the digits of an integer as the device sent it, or what was made of a source. */
export type MessageId =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'integer'; readonly digits: string }
  | {
      readonly kind: 'made';
      /** Encoded, mark included. */
      readonly key: string;
      /** What receipts call it. */
      readonly told: string;
    };

export type IdReading =
  | { readonly ok: true; readonly id: MessageId }
  | {
      readonly ok: false;
      readonly reason: 'missing-id' | 'invalid-id' | 'too-long';
      readonly detail: string;
    };

export interface MessageKey {
  /** `route#device`. */
  readonly pk: string;
  /** The encoded id. */
  readonly id: string;
}

export function keyOf(route: string, device: string, id: MessageId): MessageKey {
  return { pk: partitionOf(route, device), id: encodeId(id) };
}

export function partitionOf(route: string, device: string): string {
  return `${route}#${device}`;
}

/** One name for a booking across routes and devices, for the receivers of forwards. */
export function bookingIdOf(key: MessageKey): string {
  return `${key.pk}#${key.id}`;
}

export function encodeId(id: MessageId): string {
  switch (id.kind) {
    case 'integer':
      return `int:${id.digits}`;
    case 'text':
      return /^[a-z]{3}:/.test(id.text) ? `str:${id.text}` : id.text;
    case 'made':
      return id.key;
  }
}

/** The id in JSON as the device knows it: a string, or an integer with every digit. */
export function idJson(id: MessageId): string {
  return id.kind === 'integer' ? id.digits : JSON.stringify(idText(id));
}

/** The same as plain text. */
export function idText(id: MessageId): string {
  switch (id.kind) {
    case 'integer':
      return id.digits;
    case 'text':
      return id.text;
    case 'made':
      return id.told;
  }
}

/** Reads an id from a field of the body; a missing or odd one is a rejection, never a guess. */
export function readId(value: JsonValue | undefined, where: string): IdReading {
  if (value === undefined || value === null) {
    return { ok: false, reason: 'missing-id', detail: `${where} is missing` };
  }
  if (isJsonNumber(value)) {
    if (!/^-?\d+$/.test(value.value)) {
      return invalid(where, 'a number that is not an integer');
    }
    return withinLength(where, { kind: 'integer', digits: value.value });
  }
  if (typeof value !== 'string') return invalid(where, 'neither a string nor an integer');
  return readTextId(value, where);
}

/** Reads an id from a text, wherever it was found. */
export function readTextId(value: string, where: string): IdReading {
  if (value === '') return { ok: false, reason: 'missing-id', detail: `${where} is empty` };
  // Lone surrogates all become U+FFFD in UTF-8, and strangers would share one key.
  if (!value.isWellFormed()) return invalid(where, 'not well-formed Unicode');
  return withinLength(where, { kind: 'text', text: value });
}

/** Refuses an id that takes more room than a key has. */
export function withinLength(where: string, id: MessageId): IdReading {
  const bytes = Buffer.byteLength(encodeId(id));
  if (bytes <= ID_BYTES_MAX) return { ok: true, id };
  const detail = `${where} takes ${bytes} bytes as a key; 1 to ${ID_BYTES_MAX} are allowed`;
  return { ok: false, reason: 'too-long', detail };
}

function invalid(where: string, got: string): IdReading {
  const detail = `${where} is ${got}; a string or an integer of 1 to ${ID_BYTES_MAX} bytes is allowed`;
  return { ok: false, reason: 'invalid-id', detail };
}

export function isSameId(one: MessageId, other: MessageId): boolean {
  return encodeId(one) === encodeId(other);
}
