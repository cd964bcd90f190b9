/** Which fields of two bodies differ: the evidence of a conflict (I5). */
import { canonicalNumber, type IgnoredFields, ignoredFields } from '../base/canonical.ts';
import { isJsonNumber, isJsonObject, type JsonValue, readJsonObject } from '../base/json.ts';
import { printable } from '../base/printable.ts';
import type { Row } from '../tables/row.ts';

export type Said = Pick<Row, 'topic' | 'body'>;

/** Enough to see what happened; a hostile body cannot make the evidence grow. */
const FIELDS_MAX = 20;
const FIELD_CHARS_MAX = 256;

/** How two values are compared. */
interface Comparison {
  /** Numbers differ when their texts do, e.g. 1.0 and 1.00. */
  readonly isExact: boolean;
  /** What is left out of the object at hand. */
  readonly ignored: IgnoredFields | undefined;
}

/**
 * Paths of the fields that differ, in the order of the booked body; `$topic` when the topics do.
 * Empty when the bodies differ in nothing that counts.
 *
 * @param ignored null for a route that compares the exact bytes: then white space, escapes and the
 * order of keys alone name no field. Otherwise the notation of numbers names none either, and the
 * fields on these paths are skipped, so that none is named exactly when `sameCanonical` holds.
 */
export function differingFields(
  booked: Said,
  later: Said,
  ignored: readonly string[] | null = null,
): readonly string[] {
  const fields = booked.topic === later.topic ? [] : ['$topic'];
  const one = readJsonObject(Buffer.from(booked.body));
  const other = readJsonObject(Buffer.from(later.body));
  const how: Comparison =
    ignored === null
      ? { isExact: true, ignored: undefined }
      : { isExact: false, ignored: ignoredFields(ignored) };
  if (one.ok && other.ok) collectDifferences(one.value, other.value, how, '', fields);
  return fields.slice(0, FIELDS_MAX);
}

function collectDifferences(
  one: JsonValue | undefined,
  other: JsonValue | undefined,
  how: Comparison,
  path: string,
  found: string[],
): void {
  if (found.length >= FIELDS_MAX) return;
  if (isJsonObject(one) && isJsonObject(other)) {
    for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const ignored = how.ignored?.inside.get(key);
      if (ignored?.isLeftOut) continue;
      const inside = path === '' ? key : `${path}.${key}`;
      collectDifferences(own(one, key), own(other, key), { ...how, ignored }, inside, found);
    }
    return;
  }
  if (!sameValue(one, other, how.isExact)) found.push(printable(path, FIELD_CHARS_MAX));
}

function own(object: { readonly [key: string]: JsonValue }, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** No path leads into an array, so nothing inside of one is ignored. */
function sameValue(
  one: JsonValue | undefined,
  other: JsonValue | undefined,
  isExact: boolean,
): boolean {
  if (isJsonNumber(one) && isJsonNumber(other)) return sameNumber(one.value, other.value, isExact);
  if (Array.isArray(one) && Array.isArray(other)) {
    return (
      one.length === other.length && one.every((item, at) => sameValue(item, other[at], isExact))
    );
  }
  if (isJsonObject(one) && isJsonObject(other)) {
    const differences: string[] = [];
    collectDifferences(one, other, { isExact, ignored: undefined }, '', differences);
    return differences.length === 0;
  }
  return one === other;
}

function sameNumber(one: string, other: string, isExact: boolean): boolean {
  return one === other || (!isExact && canonicalNumber(one) === canonicalNumber(other));
}
