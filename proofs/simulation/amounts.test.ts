/** The harness's own reading of amounts, by which the checker judges what is booked. */
import { describe, expect, it } from 'vitest';
import { numberOf } from './amounts.ts';

describe('two amounts are one number', () => {
  it.each([
    ['2.5', '2.50'],
    ['1e-7', '0.0000001'],
    ['-3.20e2', '-320'],
    ['0.0', '0'],
    ['12345678901234567890.123456789', '12345678901234567890.1234567890'],
  ])('in the notations %s and %s', (one, other) => {
    expect(numberOf(one)).toBe(numberOf(other));
  });

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['1', '-1'],
    ['10', '1'],
    ['0.1', '0.01'],
    ['1.5', 'one and a half'],
  ])('but not %s and %s', (one, other) => {
    expect(numberOf(one)).not.toBe(numberOf(other));
  });
});
