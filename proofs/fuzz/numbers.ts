/** Numbers and times as texts: what a device may send, and what it should not. */
import fc from 'fast-check';
import { NOW } from '../../tools/handlers/samples.ts';

const digits = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength });
const whole = digits(45).map((text) => text.replace(/^0+(?=\d)/, ''));

/** By JSON's grammar; digits and exponents as long as one likes. */
export const numberText: fc.Arbitrary<string> = fc
  .record({
    sign: fc.constantFrom('', '', '-'),
    whole: fc.oneof(whole, fc.constantFrom('0', '1', '9'.repeat(38), `1${'0'.repeat(38)}`)),
    fraction: fc.oneof(
      fc.constant(''),
      digits(45).map((text) => `.${text}`),
    ),
    exponent: fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      {
        weight: 2,
        arbitrary: fc
          .tuple(
            fc.constantFrom('e', 'E'),
            fc.constantFrom('', '+', '-'),
            fc.oneof(
              fc.integer({ min: 0, max: 180 }).map(String),
              fc.constantFrom('125', '126', '130', '131', '00000000001', '999999', '1000000'),
              digits(60),
            ),
          )
          .map((parts) => parts.join('')),
      },
    ),
  })
  .map(({ sign, whole: before, fraction, exponent }) => sign + before + fraction + exponent);

/** What looks like a number and is none, to JSON. */
export const oddNumberText = fc.constantFrom(
  ...['', '-', '+1', '.5', '1.', '01', '-01', '1e', '1e+', '0x1F', '1_000', '1,5', 'NaN', ' 1'],
  ...['Infinity', '-Infinity', '١', '1\u0000', '1e5.5', '--1', '1 ', '\u22121', '½'],
);

const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));
const offset = fc.oneof(
  fc.constantFrom('Z', 'z', '+00:00', '-00:00', '+14:00', '-23:59', '+24:00', '', '+0100', ' Z'),
  fc.tuple(fc.constantFrom('+', '-'), two(24), two(60)).map(([sign, h, m]) => `${sign}${h}:${m}`),
);
/** Days that exist and days that do not, of every year. */
const dateTime = fc
  .record({
    year: fc.oneof(fc.constant('2026'), fc.integer({ min: 0, max: 9999 }).map(yearText)),
    month: two(13),
    day: two(32),
    t: fc.constantFrom('T', 'T', 'T', 't', ' '),
    hour: two(24),
    minute: two(60),
    second: two(61),
    fraction: fc.oneof(
      fc.constant(''),
      digits(10).map((text) => `.${text}`),
    ),
    offset,
  })
  .map(
    (d) =>
      `${d.year}-${d.month}-${d.day}${d.t}${d.hour}:${d.minute}:${d.second}${d.fraction}${d.offset}`,
  );

function yearText(year: number): string {
  return String(year).padStart(4, '0');
}

/** A time near the clock of the tests, as RFC 3339. */
export const timeNear: fc.Arbitrary<string> = fc
  .integer({ min: -500 * 86_400_000, max: 2 * 86_400_000 })
  .map((millis) => new Date(NOW + millis).toISOString());

/** A time as a JSON text: near, far, no such day, milliseconds of any size. */
export const timeJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: timeNear.map((text) => JSON.stringify(text)) },
  { weight: 2, arbitrary: dateTime.map((text) => JSON.stringify(text)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[NOW, NOW - 1, NOW + 86_400_000, NOW + 86_400_001, 0, -1].map(String),
      ...['8640000000000000', '8640000000000001', '-8640000000000000', '1795165251000.0', '1e12'],
      ...['99999999999999999999', '""', 'null', 'true', '{}', '[]', '"2026-11-20"', '"now"'],
    ),
  },
);

export { dateTime };
