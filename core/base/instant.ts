import { isJsonNumber, type JsonValue } from './json.ts';
import { type EpochMillis, epochMillis } from './time.ts';

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
/** ECMAScript's range of times: 100,000,000 days on either side of 1970. */
const MILLIS_MAX = 8.64e15;

/**
 * Reads a time that a device sent: RFC 3339 with its offset, or integer epoch milliseconds.
 * Digits beyond the millisecond are dropped. Undefined when it is neither.
 */
export function readInstant(value: JsonValue): EpochMillis | undefined {
  if (isJsonNumber(value)) {
    if (!/^-?\d{1,16}$/.test(value.value)) return undefined;
    const millis = Number(value.value);
    return Math.abs(millis) <= MILLIS_MAX ? epochMillis(millis) : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const match = RFC3339.exec(value);
  if (match === null) return undefined;
  // Date.parse turns 30 February into 2 March; a day that does not exist is no time.
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return epochMillis(Date.parse(value.toUpperCase()));
}
