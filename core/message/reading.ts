/** What readers of a message share: what was read, or why it could not be. */
import { readInstant } from '../base/instant.ts';
import { fieldAt, isJsonNumber, type JsonObject, type JsonValue } from '../base/json.ts';
import { QUOTED_CHARS_MAX } from '../base/limits.ts';
import { quoted } from '../base/printable.ts';
import type { EpochMillis } from '../base/time.ts';
import type { Fault } from './reasons.ts';

export type Reading<T> = ({ readonly ok: true } & T) | ({ readonly ok: false } & Fault);

/** Reads a time that the body has to hold. */
export function readTime(path: string, body: JsonObject): Reading<{ readonly time: EpochMillis }> {
  const value = fieldAt(body, path);
  if (value === undefined || value === null) {
    return { ok: false, reason: 'missing-time', detail: `the time (${path}) is missing` };
  }
  const time = readInstant(value);
  if (time !== undefined) return { ok: true, time };
  const allowed = 'RFC 3339 with its offset, or integer epoch milliseconds';
  const detail = `the time (${path}) is ${shownValue(value)}; allowed: ${allowed}`;
  return { ok: false, reason: 'invalid-time', detail };
}

export function shownValue(value: JsonValue): string {
  if (isJsonNumber(value)) return value.value.slice(0, QUOTED_CHARS_MAX);
  if (typeof value === 'string') return quoted(value, QUOTED_CHARS_MAX);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
