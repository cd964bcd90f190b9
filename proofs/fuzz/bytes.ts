/** Bytes and texts that nobody would send in good faith: drawn, or valid ones with damage. */
import fc from 'fast-check';
import { anyText } from '../../tools/any-text.ts';

/** One piece of damage; places are fractions of the length, so that they stay inside. */
interface Damage {
  readonly kind: 'flip' | 'insert' | 'delete' | 'repeat' | 'cut' | 'swap';
  readonly at: number;
  readonly size: number;
  readonly bytes: Buffer;
}

/** What readers trip over, by experience. */
const TOKENS: readonly (string | Buffer)[] = [
  ...['\0', '\ufeff', '\u2028', '\u202e', '\u001b[2J', '\ud83d\ude00', '\u0301'],
  ...['{', '}', '[', ']', ':', ',', '"', '\\', '\\u0000', '\\ud800', '\\"', '//', "'", '`', '${'],
  ...['__proto__', 'constructor', 'toString', 'null', 'true', 'NaN', 'Infinity', 'undefined'],
  ...['1e400', '-0', '1E-400', '0x10', '1_000', '00', '.5', '9'.repeat(40), '#', '+', '/', '$aws'],
  ...['%', '%00', '%ff', '..', '\r\n', '\n\n', ' ', '\t', ';', '*', '(', ')', '=', '&', '?', '<'],
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0xef, 0xbb, 0xbf]),
];

const token = fc.constantFrom(...TOKENS).map((one) => Buffer.from(one));
const drawnBytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes));
const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('flip', 'insert', 'insert', 'delete', 'repeat', 'cut', 'swap'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  size: fc.nat(24),
  bytes: fc.oneof({ weight: 4, arbitrary: token }, { weight: 1, arbitrary: drawnBytes(6) }),
});

function damaged(bytes: Buffer, { kind, at, size, bytes: others }: Damage): Buffer {
  const place = Math.min(bytes.length, Math.floor(at * (bytes.length + 1)));
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (kind) {
    case 'flip':
      return Buffer.concat([
        before,
        Buffer.from([(after[0] ?? 0) ^ (1 << (size % 8))]),
        after.subarray(1),
      ]);
    case 'insert':
      return Buffer.concat([before, others, after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(size)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, size), after]);
    case 'cut':
      return before;
    case 'swap':
      return Buffer.concat([after.subarray(size), before, after.subarray(0, size)]);
  }
}

/** Valid bytes with one piece of damage or several. */
export function mutated(valid: fc.Arbitrary<string | Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(valid, fc.array(damage, { minLength: 1, maxLength: 5 }))
    .map(([bytes, all]) => all.reduce(damaged, Buffer.from(bytes)));
}

/** The same as text; bytes that are no UTF-8 become U+FFFD. */
export function mutatedText(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return mutated(valid).map((bytes) => bytes.toString('utf8'));
}

/** Bytes of no kind. */
export const rawBytes: fc.Arbitrary<Buffer> = fc.oneof(
  drawnBytes(80),
  fc.array(token, { maxLength: 12 }).map((tokens) => Buffer.concat(tokens)),
);

/** Texts of no kind, lone surrogates among them. */
export const rawText: fc.Arbitrary<string> = fc.oneof(
  anyText(40),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(...TOKENS.filter((one) => typeof one === 'string'), '\ud800', 'a', '1', '-'),
      { maxLength: 12 },
    )
    .map((tokens) => tokens.join('')),
);
