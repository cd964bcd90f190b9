/**
 * The patterns of policies: text with `*` (any characters, `/` included), `?` (one character) and
 * variables. A pattern is a list of single characters and wildcards, so that what a variable
 * stands for is compared literally and never becomes a wildcard itself.
 */

const anyCharacters: unique symbol = Symbol('any characters');
const anyCharacter: unique symbol = Symbol('any character');

type PatternToken = string | typeof anyCharacters | typeof anyCharacter;
export type Pattern = readonly PatternToken[];

const VARIABLE_NAME = /^[A-Za-z0-9:._/-]+$/;

/** The pattern of a text. The names of the variables are in lower case. */
export function patternOf(
  text: string,
  variables: ReadonlyMap<string, string>,
): Pattern | 'unknown-variable' | 'malformed' {
  const tokens: PatternToken[] = [];
  let unknown = false;
  let index = 0;
  while (index < text.length) {
    if (text.startsWith('${', index)) {
      const close = text.indexOf('}', index);
      const name = close === -1 ? '' : text.slice(index + 2, close);
      // ${*}, ${?} and ${$} stand for the characters themselves (IAM user guide).
      const escaped = name === '*' || name === '?' || name === '$';
      if (!escaped && !VARIABLE_NAME.test(name)) return 'malformed';
      const value = escaped ? name : variables.get(name.toLowerCase());
      unknown ||= value === undefined;
      tokens.push(...(value ?? ''));
      index = close + 1;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
    tokens.push(wildcardOf(character) ?? character);
    index += character.length;
  }
  return unknown ? 'unknown-variable' : tokens;
}

function wildcardOf(character: string): PatternToken | undefined {
  if (character === '*') return anyCharacters;
  return character === '?' ? anyCharacter : undefined;
}

/** The pattern's text, for operators that know no wildcards: there `*` and `?` are themselves. */
export function textOf(pattern: Pattern): string {
  return pattern
    .map((token) => (token === anyCharacters ? '*' : token === anyCharacter ? '?' : token))
    .join('');
}

/**
 * Whether the whole text matches. Only the last `*` met is ever taken back, since an earlier one
 * can do nothing that it cannot: the time is bounded by pattern times text and never exponential.
 */
export function patternMatches(pattern: Pattern, text: string): boolean {
  return tokensMatch(pattern, [...text]);
}

function tokensMatch(pattern: Pattern, characters: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  let index = 0;
  while (index < characters.length) {
    const token = pattern[at];
    if (token === anyCharacters) {
      star = at;
      at += 1;
      resumeAt = index;
    } else if (token === anyCharacter || (token !== undefined && token === characters[index])) {
      at += 1;
      index += 1;
    } else if (star !== -1) {
      at = star + 1;
      resumeAt += 1;
      index = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[at] === anyCharacters) at += 1;
  return at === pattern.length;
}

/** Whether an ARN matches: each of its six parts on its own, so no wildcard reaches over a colon. */
export function arnMatches(pattern: Pattern, arn: string): boolean {
  const wanted = partsOf(pattern);
  const actual = partsOf([...arn]);
  return (
    wanted.length === actual.length &&
    wanted.every((part, index) => tokensMatch(part, (actual[index] ?? []).map(String)))
  );
}

const ARN_PARTS = 6;

/** Cuts at the first five colons; the sixth part keeps its own. */
function partsOf(tokens: Pattern): readonly Pattern[] {
  const parts: PatternToken[][] = [[]];
  for (const token of tokens) {
    if (token === ':' && parts.length < ARN_PARTS) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}
