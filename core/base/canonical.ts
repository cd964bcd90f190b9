/**
 * When two bodies of one id count as the same although their bytes differ: their canonical texts
 * are equal. Order of keys, white space, escapes and the notation of numbers do not count, and
 * neither do the fields that a route ignores. Everything else does.
 *
 * The text is like RFC 8785's, but for numbers: these stay exact, whatever a float would make of
 * them. An exponent is only ever added to, never expanded, so that a hostile one costs no more
 * than the text it was sent in; all work is linear in the body, but for the sorting of keys.
 */
import { bodyHashOf } from './hash.ts';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** The fields that do not count, as a tree, for a key may hold a dot itself. */
export interface IgnoredFields {
  /** The field is left out, with all that is inside it. */
  readonly isLeftOut: boolean;
  readonly inside: ReadonlyMap<string, IgnoredFields>;
}

interface GrowingFields extends IgnoredFields {
  isLeftOut: boolean;
  readonly inside: Map<string, GrowingFields>;
}

/** Reads dotted paths the way that `fieldAt` follows them: through objects, never into arrays. */
export function ignoredFields(paths: readonly string[]): IgnoredFields {
  const root: GrowingFields = { isLeftOut: false, inside: new Map() };
  for (const path of paths) {
    let field = root;
    for (const key of path.split('.')) {
      const next = field.inside.get(key) ?? { isLeftOut: false, inside: new Map() };
      field.inside.set(key, next);
      field = next;
    }
    field.isLeftOut = true;
  }
  return root;
}

/**
 * The canonical text of a body without the ignored fields. It is JSON, and its own canonical
 * text. An object whose fields are all ignored is still there, empty.
 */
export function canonicalJson(value: JsonObject, ignored: readonly string[]): string {
  return textOf(value, ignoredFields(ignored));
}

/**
 * SHA-256, lower-case hex, of the topic, one zero byte, and the canonical text. No prefix keeps it
 * apart from a `bodyHash`, and none is needed: the two are equal only for a body that was sent in
 * its canonical form and without ignored fields, and that one is truly the same.
 */
export function fingerprintOf(topic: string, body: JsonObject, ignored: readonly string[]): string {
  return bodyHashOf(topic, Buffer.from(canonicalJson(body, ignored)));
}

/** Whether two bodies are the same but for notation and the ignored fields. */
export function sameCanonical(
  one: JsonObject,
  other: JsonObject,
  ignored: readonly string[],
): boolean {
  const fields = ignoredFields(ignored);
  return textOf(one, fields) === textOf(other, fields);
}

/** The depth of a body is bounded where it is read (`BODY_DEPTH_MAX`). */
function textOf(value: JsonValue, ignored: IgnoredFields | undefined): string {
  if (isJsonNumber(value)) return canonicalNumber(value.value);
  if (Array.isArray(value)) {
    return `[${value.map((item: JsonValue) => textOf(item, undefined)).join(',')}]`;
  }
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members: string[] = [];
  // Without a comparator, sort compares UTF-16 code units, as RFC 8785 does.
  for (const key of Object.keys(value).sort()) {
    const field = ignored?.inside.get(key);
    const item = value[key];
    if (field?.isLeftOut || item === undefined) continue;
    members.push(`${JSON.stringify(key)}:${textOf(item, field)}`);
  }
  return `{${members.join(',')}}`;
}

/**
 * The one text for all notations of a JSON number: sign, digits without zeros at either end, `e`,
 * exponent. Zero has neither sign nor exponent: `0e0`.
 *
 * @param text follows JSON's number grammar, as every number of a body that was read does
 */
export function canonicalNumber(text: string): string {
  const [mantissa = '', exponent = '0'] = text.split(/[eE]/);
  const sign = mantissa.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  // A search for `0+$` would begin anew at every zero: 90 KB of them would take seconds.
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  if (end === 0) return '0e0';
  const shift = digits.length - end - fraction.length;
  return `${sign}${digits.slice(0, end)}e${exponentPlus(exponent, shift)}`;
}

/** So many digits, and a shift as long as any text, add up exactly in a float. */
const CHUNK_DIGITS = 15;
const CHUNK = 10 ** CHUNK_DIGITS;

/** The sum of an exponent of any length and the shift of a decimal point. */
function exponentPlus(exponent: string, shift: number): string {
  const isNegative = exponent.startsWith('-');
  const digits = exponent.replace(/^[+-]?0*/, '');
  if (digits.length <= CHUNK_DIGITS) {
    return String((isNegative ? -Number(digits) : Number(digits)) + shift);
  }
  // It is greater than any shift, so the sign stays.
  return isNegative ? `-${digitsPlus(digits, -shift)}` : digitsPlus(digits, shift);
}

/** Adds chunk by chunk from the right, for as long as something is carried or borrowed. */
function digitsPlus(digits: string, addend: number): string {
  let carry = addend;
  let end = digits.length;
  let done = '';
  while (carry !== 0 && end > 0) {
    const start = Math.max(0, end - CHUNK_DIGITS);
    const sum = Number(digits.slice(start, end)) + carry;
    carry = Math.floor(sum / CHUNK);
    done = String(sum - carry * CHUNK).padStart(CHUNK_DIGITS, '0') + done;
    end = start;
  }
  const rest = end > 0 ? digits.slice(0, end) : String(carry);
  return (rest + done).replace(/^0+/, '');
}
