/**
 * Text of devices is hostile. Before it stands in a detail, a log or a receipt it is cut, made
 * well-formed (a table refuses lone surrogates), and rid of what a terminal would obey.
 */
export function printable(text: string, charsMax: number): string {
  return text
    .slice(0, charsMax)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

/** The same in quotation marks. */
export function quoted(text: string, charsMax: number): string {
  return `"${printable(text, charsMax)}"`;
}
