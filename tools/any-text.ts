/** Any text at all, for properties. */
import fc from 'fast-check';

const SURROGATES_FROM = 0xd800;
const SURROGATES = 0x800;

/**
 * One of all code points that are no half of a pair. As fast-check's own unit `binary`, which fills
 * a table of a million entries in each process before it gives the first text.
 */
export const anyCharacter: fc.Arbitrary<string> = fc
  .nat({ max: 0x10ffff - SURROGATES })
  .map(characterAt, indexOf);

export function anyText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: anyCharacter, maxLength });
}

function characterAt(index: number): string {
  return String.fromCodePoint(index < SURROGATES_FROM ? index : index + SURROGATES);
}

function indexOf(character: unknown): number {
  const point = typeof character === 'string' ? (character.codePointAt(0) ?? 0) : 0;
  const index = point < SURROGATES_FROM ? point : point - SURROGATES;
  if (characterAt(index) !== character) throw new Error('this is not one character');
  return index;
}
