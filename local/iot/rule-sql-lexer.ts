/** Cuts the text of a rule's SQL into tokens, each with its position. */

/** A statement that the local rules engine does not run. It is refused at start, never guessed. */
export class UnsupportedSqlError extends Error {
  override readonly name = 'UnsupportedSqlError';
  /** Where in the SQL text, from 1. */
  readonly position: number;

  constructor(met: string, position: number, allowed: string) {
    super(`Rule SQL: found ${met} at character ${position}; ${allowed}.`);
    this.position = position;
  }
}

export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly position: number }
  | { readonly kind: 'string'; readonly value: string; readonly position: number }
  | { readonly kind: 'integer'; readonly value: number; readonly position: number }
  | { readonly kind: 'symbol'; readonly text: '*' | ',' | '(' | ')'; readonly position: number }
  | { readonly kind: 'end'; readonly position: number };

const ALLOWED =
  "allowed are words, whole numbers, strings in single quotes, and the signs '*', ',', '(' and ')'";

/** The tokens of the text; the last one is always `end`. */
export function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let index = 0;
  while (index < sql.length) {
    const character = sql.charAt(index);
    if (isSpace(character)) {
      index += 1;
      continue;
    }
    const [token, next] = tokenAt(sql, index);
    tokens.push(token);
    index = next;
  }
  tokens.push({ kind: 'end', position: sql.length + 1 });
  return tokens;
}

function tokenAt(sql: string, start: number): readonly [token: Token, next: number] {
  const position = start + 1;
  const character = sql.charAt(start);
  if (character === '*' || character === ',' || character === '(' || character === ')') {
    return [{ kind: 'symbol', text: character, position }, position];
  }
  if (character === "'") return stringAt(sql, start);
  if (isDigit(character)) return integerAt(sql, start);
  if (isWordStart(character)) {
    const end = endOf(sql, start, (each) => isWordStart(each) || isDigit(each));
    return [{ kind: 'word', text: sql.slice(start, end), position }, end];
  }
  throw new UnsupportedSqlError(JSON.stringify(character), position, ALLOWED);
}

function stringAt(sql: string, start: number): readonly [token: Token, next: number] {
  const close = sql.indexOf("'", start + 1);
  if (close === -1) {
    throw new UnsupportedSqlError(
      'a string without an end',
      start + 1,
      "a string ends with a single quote (')",
    );
  }
  const value = sql.slice(start + 1, close);
  const backslash = value.indexOf('\\');
  if (backslash !== -1) {
    // Which escapes AWS knows is not written down; to guess one would change what is compared.
    throw new UnsupportedSqlError(
      'a backslash in a string',
      start + 2 + backslash,
      'strings without escapes are allowed',
    );
  }
  return [{ kind: 'string', value, position: start + 1 }, close + 1];
}

function integerAt(sql: string, start: number): readonly [token: Token, next: number] {
  const end = endOf(sql, start, isDigit);
  const digits = sql.slice(start, end);
  const value = Number(digits);
  if (!Number.isSafeInteger(value)) {
    throw new UnsupportedSqlError(
      `the number ${digits}`,
      start + 1,
      `whole numbers up to ${Number.MAX_SAFE_INTEGER} are allowed`,
    );
  }
  return [{ kind: 'integer', value, position: start + 1 }, end];
}

function endOf(sql: string, start: number, belongs: (character: string) => boolean): number {
  let end = start + 1;
  while (end < sql.length && belongs(sql.charAt(end))) end += 1;
  return end;
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isWordStart(character: string): boolean {
  return (
    (character >= 'a' && character <= 'z') ||
    (character >= 'A' && character <= 'Z') ||
    character === '_'
  );
}
