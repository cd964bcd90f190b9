/**
 * What DynamoDB charges for a request, by its published rules. Pages of the Amazon DynamoDB Developer
 * Guide, read on 2026-11-20: "DynamoDB item sizes and formats" (sizes), "DynamoDB read and write
 * operations" (units), "Using Global Secondary Indexes in DynamoDB" (writes to an index).
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import Big from 'big.js';

export type Item = Readonly<Record<string, AttributeValue>>;

/** A write unit covers 1 KB of an item, a read unit 4 KB. */
const WRITE_UNIT_BYTES = 1_024;
const READ_UNIT_BYTES = 4_096;
/** A transaction takes twice the units of the same request by itself. */
const TRANSACTION_FACTOR = 2;
/** Storage is charged with so many bytes for each item of a table, and of an index, besides. */
export const STORED_ITEM_OVERHEAD_BYTES = 100;

/** A global secondary index, as far as it costs anything. */
export interface IndexShape {
  readonly name: string;
  readonly keys: readonly string[];
  /** Attributes beside the keys of table and index, or all there are. */
  readonly projected: readonly string[] | 'all';
}

/** A table, as far as it costs anything. */
export interface TableShape {
  readonly keys: readonly string[];
  readonly indexes: readonly IndexShape[];
}

/** Units of one request, the index's apart. */
export interface Units {
  readonly tableWrites: number;
  readonly indexWrites: number;
  readonly reads: number;
}

export const NO_UNITS: Units = { tableWrites: 0, indexWrites: 0, reads: 0 };

/** Bytes of an item: names and values. What a number takes is stated as approximate. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return numberBytes(value.N);
  if (value.B !== undefined) return value.B.length;
  if (value.NULL !== undefined || value.BOOL !== undefined) return 1;
  if (value.L !== undefined) return listBytes(value.L.map(valueBytes));
  if (value.M !== undefined) {
    return listBytes(Object.entries(value.M).map(([name, each]) => itemBytes({ [name]: each })));
  }
  if (value.SS !== undefined) return sum(value.SS.map((each) => Buffer.byteLength(each)));
  if (value.NS !== undefined) return sum(value.NS.map(numberBytes));
  if (value.BS !== undefined) return sum(value.BS.map((each) => each.length));
  throw new TypeError(`no attribute of DynamoDB: ${Object.keys(value).join(', ') || 'nothing'}`);
}

/** A byte for each two significant digits and one more; a sign takes one as well. */
function numberBytes(text: string): number {
  const number = new Big(text);
  return 1 + Math.ceil(number.c.length / 2) + (number.s < 0 ? 1 : 0);
}

function listBytes(elements: readonly number[]): number {
  return 3 + elements.length + sum(elements);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** @param bytes of the item, 0 where there is none, which is charged all the same */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / WRITE_UNIT_BYTES));
}

/** @param bytes of the item, 0 where there is none */
export function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / READ_UNIT_BYTES)) / (isConsistent ? 1 : 2);
}

/** A write that went through: the larger of the item before and after, and its indexes. */
export function writtenUnits(
  shape: TableShape,
  before: Item | undefined,
  after: Item | undefined,
): Units {
  const bytes = Math.max(...[before, after].map((item) => (item ? itemBytes(item) : 0)));
  const indexWrites = sum(shape.indexes.map((index) => indexUnits(shape, index, before, after)));
  return { tableWrites: writeUnits(bytes), indexWrites, reads: 0 };
}

/**
 * A write whose condition failed. It is charged by the size of the item that stands, at least 1
 * ("Working with items"), or by that of the one to be written where that is larger ("DynamoDB read
 * and write operations"): where the pages part, the dearer one counts here. No index is written.
 */
export function refusedUnits(before: Item | undefined, attempted?: Item): Units {
  const bytes = Math.max(...[before, attempted].map((item) => (item ? itemBytes(item) : 0)));
  return { tableWrites: writeUnits(bytes), indexWrites: 0, reads: 0 };
}

/** What of an item stands in the index; nothing where it lacks one of the index's keys. */
export function projectionOf(
  table: Pick<TableShape, 'keys'>,
  { keys, projected }: IndexShape,
  item: Item | undefined,
): Item | undefined {
  if (item === undefined || !keys.every((key) => item[key] !== undefined)) return undefined;
  if (projected === 'all') return item;
  const kept = new Set([...table.keys, ...keys, ...projected]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => kept.has(name)));
}

/**
 * One write for what comes into the index or goes out of it, or changes what it holds; two where
 * its key changes; none where nothing that it holds has changed.
 */
function indexUnits(
  table: TableShape,
  index: IndexShape,
  before: Item | undefined,
  after: Item | undefined,
): number {
  const [old, fresh] = [before, after].map((item) => projectionOf(table, index, item));
  if (old === undefined && fresh === undefined) return 0;
  if (old === undefined || fresh === undefined) return writeUnits(itemBytes(old ?? fresh ?? {}));
  if (isSame(old, fresh)) return 0;
  const isMoved = index.keys.some((key) => !isSame({ key: old[key] }, { key: fresh[key] }));
  const units = [old, fresh].map((each) => writeUnits(itemBytes(each)));
  return isMoved ? sum(units) : Math.max(...units);
}

function isSame(one: object, other: object): boolean {
  return textOf(one) === textOf(other);
}

/** The same for equal items, whatever the order of their attributes. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (each instanceof Uint8Array) return Buffer.from(each).toString('base64');
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export function addUnits(one: Units, other: Units): Units {
  return {
    tableWrites: one.tableWrites + other.tableWrites,
    indexWrites: one.indexWrites + other.indexWrites,
    reads: one.reads + other.reads,
  };
}

/** Two for one, of the table's units: an index is written after the transaction, by itself. */
export function inTransaction(units: Units): Units {
  return {
    tableWrites: units.tableWrites * TRANSACTION_FACTOR,
    indexWrites: units.indexWrites,
    reads: units.reads * TRANSACTION_FACTOR,
  };
}
