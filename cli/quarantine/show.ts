/** `tollbridge quarantine show`: a whole row, and both bodies of a conflict side by side. */
import {
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  readJsonObject,
} from '../../core/base/json.ts';
import { printable } from '../../core/base/printable.ts';
import type { QuarantineKey } from '../../core/tables/quarantine-row.ts';
import type { BridgeClient } from '../access/access.ts';
import { type Item, plainOf } from '../output/items.ts';
import type { Column, Output } from '../output/output.ts';
import { keyText } from './key.ts';
import { readRow } from './rows.ts';

/** Prints the rows one after the other. @throws AccessError where there is no such row */
export async function showRows(
  access: BridgeClient,
  output: Output,
  keys: readonly QuarantineKey[],
): Promise<void> {
  if (output.format !== 'table') {
    const rows = keys.map((key) => readRow(access, key));
    await output.list({ columns: ATTRIBUTE_COLUMNS, rows: await Promise.all(rows), json: plainOf });
    return;
  }
  for (const key of keys) {
    const row = await readRow(access, key);
    const attributes = Object.entries({ key: keyText(key), ...plainOf(row) });
    await output.list({ columns: ENTRIES, rows: attributes, json: (entry) => entry });
    if (row.bookedBody?.NULL !== undefined || row.bookedBody === undefined) continue;
    const comparison = comparisonOf(row);
    if (comparison === undefined) {
      await output.printNote(
        'the bodies are not both JSON objects; they stand above as they were sent',
      );
      continue;
    }
    await output.list({ columns: COMPARED, rows: comparison, json: (field) => field });
    await output.printNote(
      '≠ marks what counts as a difference; booked is the body that has used up the id',
    );
  }
}

/** In CSV, the attributes that every row has; the bodies of a device are texts like any other. */
const ATTRIBUTE_COLUMNS: readonly Column<Item>[] = [
  'route',
  'device',
  'id',
  'reason',
  'detail',
  'receivedAt',
  'topic',
  'body',
  'bookedBody',
  'decision',
  'decidedAt',
  'decidedBy',
  'decisionReason',
  'bookedAs',
].map((name) => ({ name, text: (row) => String(plainOf(row)[name] ?? '') }));

const ENTRIES: readonly Column<readonly [string, unknown]>[] = [
  { name: 'attribute', text: ([name]) => name },
  { name: 'value', text: ([, value]) => (value === null ? '' : String(value)) },
];

interface ComparedField {
  readonly field: string;
  readonly booked: string;
  readonly later: string;
  readonly differs: boolean;
}

const COMPARED: readonly Column<ComparedField>[] = [
  { name: '', text: ({ differs }) => (differs ? '≠' : '') },
  { name: 'field', text: ({ field }) => field },
  { name: 'booked', text: ({ booked }) => booked },
  { name: 'this body', text: ({ later }) => later },
];

/** Field by field; undefined where a body is no JSON object. */
function comparisonOf(row: Item): readonly ComparedField[] | undefined {
  const [booked, later] = [leavesOf(row.bookedBody), leavesOf(row.body)];
  if (booked === undefined || later === undefined) return undefined;
  const differing = (row.fields?.L ?? []).map(({ S: field = '' }) => field);
  return [...new Set([...booked.keys(), ...later.keys()])].map((field) => ({
    field,
    booked: booked.get(field) ?? '',
    later: later.get(field) ?? '',
    differs: differing.some((each) => isInside(field, each)),
  }));
}

/** The evidence is cut and made printable, so paths are compared in that form. */
function isInside(path: string, field: string): boolean {
  const shown = printable(path, PATH_CHARS_MAX);
  return shown === field || shown.startsWith(`${field}.`);
}

const PATH_CHARS_MAX = 256;

function leavesOf(body: Item[string] | undefined): ReadonlyMap<string, string> | undefined {
  const reading = readJsonObject(body?.B ?? Buffer.from(body?.S ?? ''));
  if (!reading.ok) return undefined;
  const leaves = new Map<string, string>();
  collect(reading.value, '', leaves);
  return leaves;
}

function collect(value: JsonValue, path: string, leaves: Map<string, string>): void {
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    for (const [key, inside] of Object.entries(value)) {
      collect(inside, path === '' ? key : `${path}.${key}`, leaves);
    }
    return;
  }
  leaves.set(path, jsonText(value));
}

/** Numbers with the digits that were sent. */
function jsonText(value: JsonValue): string {
  if (isJsonNumber(value)) return value.value;
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => jsonText(item)).join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${jsonText(v)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
