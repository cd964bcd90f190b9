/** Totals of bookings, exact to the last digit. */
import Big from 'big.js';

/** A booking as far as an invoice looks at it. */
export interface Charge {
  readonly account: string;
  readonly unit: string;
  readonly route: string;
  /** A decimal. */
  readonly amount: string;
  /** ISO 8601 in UTC with milliseconds, so that texts compare like times. */
  readonly bookedAt: string;
}

export interface Total {
  readonly account: string;
  readonly unit: string;
  /** Null where the routes are added up. */
  readonly route: string | null;
  readonly rows: number;
  /** A decimal in plain notation, with all its digits. */
  readonly amount: string;
}

/** What the bookings of a period are split by. */
export interface InvoiceOptions {
  /**
   * ISO 8601 like `bookedAt`: what was booked at or after it is late, and no part of the totals. A
   * period that was invoiced stays as it was, however much is booked into it afterwards.
   */
  readonly bookedBefore: string | undefined;
  readonly byRoute: boolean;
}

interface Sum {
  readonly account: string;
  readonly unit: string;
  readonly route: string | null;
  rows: number;
  amount: Big;
}

/** Adds bookings up. Memory grows with accounts and units, never with rows. */
export class Invoice {
  readonly #options: InvoiceOptions;
  readonly #booked = new Map<string, Sum>();
  readonly #late = new Map<string, Sum>();

  constructor(options: InvoiceOptions) {
    this.#options = options;
  }

  /** Says whether it came in time. */
  add(charge: Charge): 'booked' | 'late' {
    const { bookedBefore } = this.#options;
    const isLate = bookedBefore !== undefined && charge.bookedAt >= bookedBefore;
    const { account, unit, amount } = charge;
    const route = this.#options.byRoute ? charge.route : null;
    const key = JSON.stringify([account, unit, route]);
    const sums = isLate ? this.#late : this.#booked;
    const sum = sums.get(key) ?? { account, unit, route, rows: 0, amount: new Big(0) };
    sum.rows++;
    sum.amount = sum.amount.plus(amount);
    sums.set(key, sum);
    return isLate ? 'late' : 'booked';
  }

  /** By account, unit and route. */
  totals(): readonly Total[] {
    return totalsOf(this.#booked);
  }

  late(): readonly Total[] {
    return totalsOf(this.#late);
  }
}

function totalsOf(sums: ReadonlyMap<string, Sum>): readonly Total[] {
  return [...sums]
    .sort(([one], [other]) => compare(one, other))
    .map(([, sum]) => ({ ...sum, amount: sum.amount.toFixed() }));
}

/** By code units: the same order on every machine. */
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
