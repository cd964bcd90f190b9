/** Goal: a period holds the months of the index and the moments that it says, and no others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accountPeriodKey,
  PERIOD_MONTHS_MAX,
  readPeriod,
} from '../../../core/operations/period.ts';
import { writeOf } from '../../../tools/handlers/samples.ts';

function periodOf(text: string) {
  const reading = readPeriod(text);
  if (!reading.ok) throw new Error(reading.detail);
  return reading.period;
}

it.each([
  ['2026', '2026-01-01', '2027-01-01', 12],
  ['2026-Q1', '2026-01-01', '2026-04-01', 3],
  ['2026-Q4', '2026-10-01', '2027-01-01', 3],
  ['2026-12', '2026-12-01', '2027-01-01', 1],
  ['2026-11-30', '2026-11-30', '2026-12-01', 1],
  ['2028-02-29', '2028-02-29', '2028-03-01', 1],
  ['2026-10-31..2026-11-01', '2026-10-31', '2026-11-02', 2],
  ['2025-Q4..2026-01', '2025-10-01', '2026-02-01', 4],
  ['0050-01', '0050-01-01', '0050-02-01', 1],
])('%s lasts from %s until before %s, in %i months of the index', (text, from, to, months) => {
  const period = periodOf(text);
  expect(period.from).toBe(`${from}T00:00:00.000Z`);
  expect(period.to).toBe(`${to}T00:00:00.000Z`);
  expect(period.months).toHaveLength(months);
  expect(period.months[0]).toBe(from.slice(0, 7));
});

it.each([
  '',
  '2026-00',
  '2026-13',
  '2026-Q5',
  '2026-02-29',
  '2026-11-31',
  '26-11',
  '2026-11..',
  '..2026-11',
  '2026-11..2026-10',
  '2026..2027..2028',
  '2026-11 ',
  '2026-1',
])('%j is no period', (text) => {
  expect(readPeriod(text).ok).toBe(false);
});

it('is ten years long at most', () => {
  expect(periodOf('2017..2026').months).toHaveLength(PERIOD_MONTHS_MAX);
  expect(readPeriod('2016..2026')).toMatchObject({ ok: false });
  expect(readPeriod('0001..9999')).toMatchObject({ ok: false });
});

describe('the key of the index', () => {
  it('is the one that a booking is written with', () => {
    const { first } = writeOf();
    expect(accountPeriodKey('acme', '2026-11', 0)).toBe(first.accountPeriod);
  });

  it('and the bounds of its month hold every booking of that month, and none of another', () => {
    const times = fc.date({
      min: new Date('2025-12-01T00:00:00Z'),
      max: new Date('2026-11-20T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(times, (time) => {
        const body = `{"id":"c","account":"acme","kWh":1,"at":"${time.toISOString()}"}`;
        const { first } = writeOf(body);
        const { months, from, to } = periodOf(time.toISOString().slice(0, 7));
        expect(first.accountPeriod).toBe(accountPeriodKey('acme', months[0] ?? '', 0));
        // What `occurrence BETWEEN from AND to` compares.
        expect(first.occurrence >= from && first.occurrence <= to).toBe(true);
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});
