/**
 * Reads a body without losing anything: numbers keep their digits, a repeated key is a fault, and
 * no body however deep exhausts the stack.
 */
import { isLosslessNumber, LosslessNumber, parse } from 'lossless-json';
import { BODY_DEPTH_MAX, DETAIL_CHARS_MAX } from './limits.ts';
import { printable } from './printable.ts';

export type JsonValue =
  | string
  | boolean
  | null
  | LosslessNumber
  | readonly JsonValue[]
  | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export type JsonReading =
  | { readonly ok: true; readonly text: string; readonly value: JsonObject }
  | { readonly ok: false; readonly detail: string };

/** A JSON number, as the digits that were sent. */
export function isJsonNumber(value: JsonValue | undefined): value is LosslessNumber {
  return isLosslessNumber(value);
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value)
  );
}

/** Reads a body that has to be a JSON object in UTF-8 (RFC 8259). */
export function readJsonObject(bytes: Uint8Array): JsonReading {
  const text = readUtf8(bytes);
  if (text === undefined) return { ok: false, detail: 'the body is not UTF-8' };
  const { depth, members } = survey(text);
  if (depth > BODY_DEPTH_MAX) {
    return { ok: false, detail: `the body nests deeper than ${BODY_DEPTH_MAX} levels` };
  }
  let value: JsonValue;
  try {
    value = parse(text, null, (digits) => new LosslessNumber(digits)) as JsonValue;
  } catch (error) {
    // The parser throws nothing but SyntaxError, whose message quotes the text near the fault.
    const fault = printable((error as SyntaxError).message, DETAIL_CHARS_MAX);
    return { ok: false, detail: `the body is not JSON: ${fault}` };
  }
  if (!isJsonObject(value)) return { ok: false, detail: 'the body is not a JSON object' };
  // The parser passes over a repeated key whose values are equal; the count does not.
  if (members !== countMembers(value)) return { ok: false, detail: 'the body repeats a key' };
  return { ok: true, text, value };
}

/** One for all: making it costs more than decoding a body, and a whole text leaves nothing in it. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of UTF-8 bytes, a byte order mark kept; undefined when they are not UTF-8. */
export function readUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The own field that a dotted path leads to; inherited names such as `__proto__` are not fields. */
export function fieldAt(body: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = body;
  for (const key of path.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Nesting depth, and the number of `:` outside of strings, which is that of object members. */
function survey(text: string): { depth: number; members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (inString) {
      if (char === 0x5c) at++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x3a) members++;
    else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x7d || char === 0x5d) depth--;
  }
  return { depth: deepest, members };
}

function countMembers(value: JsonValue): number {
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + countMembers(item), 0);
  if (!isJsonObject(value)) return 0;
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + countMembers(item), 0);
}

/** What a text says in JSON, read by the platform; undefined for what is none. */
export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
