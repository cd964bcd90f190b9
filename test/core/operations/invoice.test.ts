/** Goal: totals are exact whatever is added, in whatever order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Charge, Invoice } from '../../../core/operations/invoice.ts';

const charge = (changes: Partial<Charge> = {}): Charge => ({
  account: 'acme',
  unit: 'kWh',
  route: 'charges',
  amount: '1',
  bookedAt: '2026-12-01T00:00:00.000Z',
  ...changes,
});

it('agree with integers to the last digit, in any order', () => {
  const digits = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
  fc.assert(
    fc.property(fc.array(digits, { minLength: 1, maxLength: 30 }), (numbers) => {
      const invoice = new Invoice({ bookedBefore: undefined, byRoute: false });
      for (const number of numbers) invoice.add(charge({ amount: String(number) }));
      const sum = numbers.reduce((total, number) => total + number, 0n);
      expect(invoice.totals()).toMatchObject([{ amount: String(sum), rows: numbers.length }]);
    }),
    { seed: 7, numRuns: 200 },
  );
});

it('hold the largest and the smallest number that a table takes', () => {
  const invoice = new Invoice({ bookedBefore: undefined, byRoute: false });
  invoice.add(charge({ amount: '1e125' }));
  invoice.add(charge({ amount: '1e-130' }));
  invoice.add(charge({ amount: '-1e125' }));
  expect(invoice.totals()[0]?.amount).toBe(`0.${'0'.repeat(129)}1`);
});

it('keep accounts and units apart whose names run into one another', () => {
  const invoice = new Invoice({ bookedBefore: undefined, byRoute: false });
  invoice.add(charge({ account: 'a","b', unit: 'c' }));
  invoice.add(charge({ account: 'a', unit: 'b","c' }));
  invoice.add(charge({ account: '__proto__', unit: 'c' }));
  expect(invoice.totals().map(({ rows }) => rows)).toEqual([1, 1, 1]);
});

it('leave out what was booked at the given moment or later', () => {
  const invoice = new Invoice({ bookedBefore: '2026-12-03T00:00:00.000Z', byRoute: false });
  expect(invoice.add(charge({ bookedAt: '2026-12-02T23:59:59.999Z' }))).toBe('booked');
  expect(invoice.add(charge({ bookedAt: '2026-12-03T00:00:00.000Z' }))).toBe('late');
  expect(invoice.totals()).toMatchObject([{ rows: 1 }]);
  expect(invoice.late()).toMatchObject([{ rows: 1 }]);
});
