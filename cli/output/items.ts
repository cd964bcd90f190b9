/** Rows of the tables as plain values: decimals stay texts, so that no digit is lost. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export type Item = Readonly<Record<string, AttributeValue>>;

export type Plain = string | number | null | readonly Plain[];

/** Attributes that hold a decimal; every other number is a count, a version or milliseconds. */
const DECIMALS = new Set(['amount']);

/**
 * The row as an object for JSON. A decimal is its text; any other number is a number as long as a
 * float holds it exactly, else its text. Bytes are base64 under the name with `Base64` added.
 */
export function plainOf(item: Item): Readonly<Record<string, Plain>> {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) =>
      value.B === undefined
        ? [name, plainValue(value, DECIMALS.has(name))]
        : [`${name}Base64`, Buffer.from(value.B).toString('base64')],
    ),
  );
}

function plainValue(value: AttributeValue, isDecimal: boolean): Plain {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) {
    const number = Number(value.N);
    return !isDecimal && Number.isSafeInteger(number) ? number : value.N;
  }
  if (value.SS !== undefined) return value.SS.toSorted();
  if (value.L !== undefined) return value.L.map((each) => plainValue(each, isDecimal));
  return null;
}

/** The text of a text or number; empty where there is none. */
export function cellOf(item: Item, name: string): string {
  return item[name]?.S ?? item[name]?.N ?? '';
}
