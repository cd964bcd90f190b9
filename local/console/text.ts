/**
 * Values of devices on their way to the page. The page shows text and nothing else; here it is cut,
 * and characters that turn, hide or overprint others are written out.
 */
import { printable } from '../../core/base/printable.ts';

/** What a cell of a table shows of one value. */
export const CELL_CHARS_MAX = 160;
/** What a field of a body shows. */
export const FIELD_CHARS_MAX = 600;

/** A value as it can stand on the page; says how long it was where it is cut. */
export function shown(text: string, charsMax: number = CELL_CHARS_MAX): string {
  // Marks that pile up on one letter paint over the lines around it: three are all that a script
  // needs, and the rest are written out.
  const calm = printable(text, charsMax).replaceAll(/(\p{M}{3})(\p{M}+)/gu, (_, kept, rest) => {
    const count = [...(rest as string)].length;
    return `${kept as string}[${count} more marks]`;
  });
  if (text.length <= charsMax) return calm;
  return `${calm}… (${text.length.toLocaleString('en-US')} characters)`;
}

/** A body as text, where it is UTF-8, else as hexadecimal; cut. */
export function shownBytes(bytes: Uint8Array, charsMax: number = FIELD_CHARS_MAX): string {
  const text = utf8Of(bytes);
  if (text !== undefined) return shown(text, charsMax);
  const hex = Buffer.from(bytes.subarray(0, charsMax / 2)).toString('hex');
  const size = `${bytes.length.toLocaleString('en-US')} bytes, not UTF-8`;
  return bytes.length > charsMax / 2 ? `${hex}… (${size})` : `${hex} (${size})`;
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
