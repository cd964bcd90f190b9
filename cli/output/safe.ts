/**
 * Values of devices, made harmless for who reads them: a terminal obeys control characters, and a
 * spreadsheet computes what begins like a formula.
 */
import { printable } from '../../core/base/printable.ts';

/** Every text that is shown is shorter: a row has at most 400 KB. */
const CHARS_MAX = 500_000;

/** For a terminal: control and direction characters as `\u{1b}`. */
export function forTerminal(text: string): string {
  return printable(text, CHARS_MAX);
}

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
/** What spreadsheets take for the beginning of a formula, behind blanks and in full width too. */
const FORMULA = /^[\s'"]*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/**
 * For a cell of a CSV file: like for a terminal, and an apostrophe before what would be a formula
 * (OWASP, "CSV Injection"). A plain number stays a number, so that negative amounts add up.
 */
export function forCsv(text: string): string {
  const shown = forTerminal(text);
  return FORMULA.test(shown) && !NUMBER.test(shown) ? `'${shown}` : shown;
}

/** JSON text without a character that a terminal would obey; what it means is the same. */
export function forJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) =>
    char
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
