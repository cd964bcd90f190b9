/** Two bodies side by side, field by field, as texts that can be shown. */
import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readJsonObject,
} from '../../core/base/json.ts';
import { FIELD_CHARS_MAX, shown, shownBytes } from './text.ts';

export interface ComparedField {
  /** Dotted path; empty for a body that is no JSON object. */
  readonly path: string;
  /** What the body that came says; null where it has no such field. */
  readonly came: string | null;
  /** What the booked body says. */
  readonly booked: string | null;
  readonly differs: boolean;
}

const FIELDS_MAX = 200;
const DEPTH_MAX = 16;

/**
 * @param booked undefined where there is nothing to compare with
 * @param named paths that the bridge itself found to differ; `$topic` is left to the caller
 */
export function compareBodies(
  came: Uint8Array,
  booked: Uint8Array | undefined,
  named: readonly string[],
): readonly ComparedField[] {
  const [one, other] = [fieldsOf(came), booked === undefined ? undefined : fieldsOf(booked)];
  const paths = [...new Set([...(other?.keys() ?? []), ...one.keys()])].slice(0, FIELDS_MAX);
  return paths.map((path) => {
    const [later, first] = [one.get(path) ?? null, other?.get(path) ?? null];
    // Values are compared whole, before they are cut to be shown.
    const isNamed = named.includes(shown(path, PATH_CHARS_MAX));
    const differs = other !== undefined && (later !== first || isNamed);
    return {
      path: shown(path, PATH_CHARS_MAX),
      came: later === null ? null : shown(later, FIELD_CHARS_MAX),
      booked: first === null ? null : shown(first, FIELD_CHARS_MAX),
      differs,
    };
  });
}

/** As long as the bridge's own evidence names a path. */
const PATH_CHARS_MAX = 256;

/** The leaves of a body by their path; the whole of it under the empty path where it is no object. */
function fieldsOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  const reading = readJsonObject(bytes);
  if (!reading.ok) return new Map([['', shownBytes(bytes)]]);
  const fields = new Map<string, string>();
  collect(reading.value, '', 0, fields);
  return fields;
}

function collect(
  object: JsonObject,
  path: string,
  depth: number,
  found: Map<string, string>,
): void {
  for (const [key, value] of Object.entries(object)) {
    const inside = path === '' ? key : `${path}.${key}`;
    if (isJsonObject(value) && depth < DEPTH_MAX && Object.keys(value).length > 0) {
      collect(value, inside, depth + 1, found);
    } else {
      found.set(inside, textOf(value));
    }
  }
}

/** The JSON text of a value, numbers with the digits that were sent. */
function textOf(value: JsonValue): string {
  if (isJsonNumber(value)) return value.value;
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => textOf(item)).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${textOf(item)}`,
  );
  return `{${members.join(', ')}}`;
}
