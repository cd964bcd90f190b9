import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDecimal, sameDecimal, sumOf } from '../../../core/base/decimal.ts';

function decimalOf(text: string): string {
  const reading = readDecimal(text);
  return reading.ok ? reading.decimal : reading.detail;
}

describe('readDecimal', () => {
  it.each([
    ['12.50', '12.5'],
    ['-0.10', '-0.1'],
    ['0', '0'],
    ['-0', '0'],
    ['0e999999999999', '0'],
    ['0.000e-5', '0'],
    ['9007199254740993', '9007199254740993'],
    ['1E2', '100'],
    ['1e+2', '100'],
    ['1e0000000002', '100'],
    ['12345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
    ['0.00012345678901234567890123456789012345678', '0.00012345678901234567890123456789012345678'],
    ['1e125', '1e+125'],
    ['1e-130', '1e-130'],
    ['9.9999999999999999999999999999999999999e125', '9.9999999999999999999999999999999999999e+125'],
    [`1${'0'.repeat(60)}`, '1e+60'],
  ])('reads %s as the number %s', (text, expected) => {
    expect(readDecimal(text).ok).toBe(true);
    expect(sameDecimal(decimalOf(text), expected)).toBe(true);
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '.5',
    '5.',
    '01',
    '1,5',
    'abc',
    'NaN',
    'Infinity',
    '-',
    '1e',
    '0x10',
    '١',
    '1\n',
  ])('refuses %j: not a decimal', (text) => {
    expect(decimalOf(text)).toBe('not a decimal number');
  });

  it.each([
    '1e126',
    '1e400',
    '-1e400',
    '1e-131',
    '1e-200',
    '1e9999999',
    '1e-9999999',
    `1e${'9'.repeat(9_000)}`,
  ])('refuses %.20s: out of range', (text) => {
    expect(decimalOf(text)).toContain('outside');
  });

  it('refuses 39 digits and 40', () => {
    expect(decimalOf('1'.repeat(39))).toContain('38 digits');
    expect(decimalOf(`0.${'1'.repeat(40)}`)).toContain('38 digits');
  });

  it('reads 90,000 digits without slowing down', () => {
    const startedAt = performance.now();
    expect(readDecimal('9'.repeat(90_000)).ok).toBe(false);
    expect(readDecimal(`0.${'0'.repeat(90_000)}1`).ok).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it('says the very number that was sent', () => {
    const digits = fc.tuple(
      fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }),
      fc.integer({ min: 0, max: 60 }),
    );
    fc.assert(
      fc.property(digits, ([whole, scale]) => {
        const read = decimalOf(`${whole}e-${scale}`);
        const back = read.includes('e') ? read : `${read}e0`;
        const [mantissa = '', exponent = '0'] = back.split('e');
        const [units = '', fraction = ''] = mantissa.split('.');
        const shift = scale + Number(exponent) - fraction.length;
        expect(shift).toBeGreaterThanOrEqual(0);
        expect(BigInt(units + fraction) * 10n ** BigInt(shift)).toBe(whole);
      }),
      { seed: 20261120, numRuns: 1_000 },
    );
  });
});

describe('sumOf', () => {
  it('adds exactly, in plain notation', () => {
    expect(sumOf(['0.1', '0.2'])).toBe('0.3');
    expect(sumOf([])).toBe('0');
    expect(sumOf(['1e+30', '1e-10'])).toBe(`1${'0'.repeat(30)}.0000000001`);
    expect(sumOf(Array.from({ length: 1_000 }, () => '0.001'))).toBe('1');
  });
});

describe('sameDecimal', () => {
  it('compares numbers, not texts', () => {
    expect(sameDecimal('1.0', '1.00')).toBe(true);
    expect(sameDecimal('9007199254740993', '9007199254740992')).toBe(false);
  });
});
