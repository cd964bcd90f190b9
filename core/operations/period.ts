/**
 * Periods that invoices are made for, in UTC. The index by-account is keyed by month, so a longer
 * period is several of its keys and a shorter one a part of one.
 */
import { type EpochMillis, epochMillis, toIso } from '../base/time.ts';

export interface Period {
  /** As it was asked for. */
  readonly text: string;
  /** ISO 8601; the first moment that counts. */
  readonly from: string;
  /** ISO 8601; the first moment that counts no more. */
  readonly to: string;
  /** `YYYY-MM`, ascending: the months of the index that hold it. */
  readonly months: readonly string[];
}

const YEAR_10000 = Date.UTC(10_000, 0, 1);

/** Ten years; more is a slip of the pen. */
export const PERIOD_MONTHS_MAX = 120;

const PERIODS_ALLOWED =
  'a year (2026), a quarter (2026-Q4), a month (2026-11), a day (2026-11-20), or two of them with both ends included (2026-11-20..2026-12-19)';

/** Reads a period, or says what is wrong with it. */
export function readPeriod(
  text: string,
):
  | { readonly ok: true; readonly period: Period }
  | { readonly ok: false; readonly detail: string } {
  const ends = text.split('..');
  const [first, last] = [spanOf(ends[0] ?? ''), spanOf(ends.at(-1) ?? '')];
  if (ends.length > 2 || first === undefined || last === undefined) {
    return { ok: false, detail: `allowed is ${PERIODS_ALLOWED}` };
  }
  if (last.to <= first.from) return { ok: false, detail: 'it ends before it begins' };
  // ISO 8601 has more digits from then on, and times would no longer compare as texts.
  if (last.to >= YEAR_10000) return { ok: false, detail: 'it reaches the end of the year 9999' };
  const months = monthsBetween(first.from, last.to);
  if (months.length > PERIOD_MONTHS_MAX) {
    return {
      ok: false,
      detail: `it has ${months.length} months; up to ${PERIOD_MONTHS_MAX} are allowed`,
    };
  }
  return { ok: true, period: { text, from: toIso(first.from), to: toIso(last.to), months } };
}

interface Span {
  readonly from: EpochMillis;
  readonly to: EpochMillis;
}

function spanOf(text: string): Span | undefined {
  const match = /^(\d{4})(?:-(?:Q([1-4])|(\d{2})(?:-(\d{2}))?))?$/.exec(text);
  if (match === null) return undefined;
  const [, year, quarter, month, day] = match.map((part) => (part ? Number(part) : undefined));
  if (year === undefined) return undefined;
  if (quarter !== undefined) return spanFrom(year, 3 * quarter - 3, 1, 3, 0);
  if (month === undefined) return spanFrom(year, 0, 1, 12, 0);
  if (month < 1 || month > 12) return undefined;
  if (day === undefined) return spanFrom(year, month - 1, 1, 1, 0);
  const span = spanFrom(year, month - 1, day, 0, 1);
  // 30 February would become 2 March.
  return new Date(span.from).getUTCDate() === day ? span : undefined;
}

function spanFrom(year: number, month: number, day: number, months: number, days: number): Span {
  return { from: utc(year, month, day), to: utc(year, month + months, day + days) };
}

/** `Date.UTC` takes the years 0 to 99 for those of the last century. */
function utc(year: number, month: number, day: number): EpochMillis {
  const date = new Date(0);
  return epochMillis(date.setUTCFullYear(year, month, day));
}

function monthsBetween(from: EpochMillis, to: EpochMillis): readonly string[] {
  const months: string[] = [];
  const date = new Date(from);
  for (let n = date.getUTCMonth(); ; n++) {
    const start = utc(date.getUTCFullYear(), n, 1);
    // One more than allowed is enough to refuse.
    if (start >= to || months.length > PERIOD_MONTHS_MAX) return months;
    months.push(toIso(start).slice(0, 7));
  }
}

/** The partition key of the index by-account, as `core/guarantees/exactly-once/row.ts` writes it. */
export function accountPeriodKey(account: string, month: string, shard: number): string {
  return `${account}#${month}#${shard}`;
}
