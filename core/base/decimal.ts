/** Exact decimals. No amount ever passes through a float. */
import Big from 'big.js';
import { NUMBER_DIGITS_MAX, NUMBER_EXPONENT_MAX, NUMBER_EXPONENT_MIN } from './limits.ts';

/** JSON's number grammar (RFC 8259 §6), which strings have to follow as well. */
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?(\d+))?$/;

export type DecimalReading =
  | { readonly ok: true; readonly decimal: string }
  | { readonly ok: false; readonly detail: string };

/**
 * The decimal that a text says, in plain notation or with an exponent, equal to what was sent.
 * Refuses what a DynamoDB number cannot hold (38 digits, 1E-130 to 9.99…E+125) and never expands
 * an exponent to find out.
 */
export function readDecimal(text: string): DecimalReading {
  const match = DECIMAL.exec(text);
  if (match === null) return { ok: false, detail: 'not a decimal number' };
  const exponent = match[1] ?? '0';
  // Big.js holds the exponent in a float: more than six digits are out of range whatever follows.
  if (exponent.replace(/^0+/, '').length > 6 && !isZero(text)) return outOfRange;
  const value = isZero(text) ? new Big(0) : new Big(text);
  if (value.c.length > NUMBER_DIGITS_MAX) {
    return { ok: false, detail: `more than ${NUMBER_DIGITS_MAX} digits` };
  }
  const isOutOfRange = value.e < NUMBER_EXPONENT_MIN || value.e > NUMBER_EXPONENT_MAX;
  if (isOutOfRange && !value.eq(0)) return outOfRange;
  return { ok: true, decimal: value.toString() };
}

const outOfRange: DecimalReading = {
  ok: false,
  detail: `outside 1E${NUMBER_EXPONENT_MIN} to 9.99E+${NUMBER_EXPONENT_MAX}`,
};

function isZero(text: string): boolean {
  return /^-?[0.]+(?:[eE]|$)/.test(text);
}

/** The exact sum of decimals, in plain notation. */
export function sumOf(decimals: Iterable<string>): string {
  let sum = new Big(0);
  for (const decimal of decimals) sum = sum.plus(decimal);
  return sum.toFixed();
}

/** Whether two decimals are the same number, e.g. `1.0` and `1.00`. */
export function sameDecimal(one: string, other: string): boolean {
  return new Big(one).eq(other);
}
