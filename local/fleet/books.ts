/**
 * What the fleet meant, beside what arrived and what was booked. Owns the charges of one run.
 * Invariants: amounts are added up as exact decimals; a booking is counted from the write that made
 * the row, and again from the table itself when it is asked for.
 */
import { sameDecimal, sumOf } from '../../core/base/decimal.ts';
import type { TableNews } from '../console/table-news.ts';
import type { FleetCharge } from './charges.ts';

export interface Headline {
  readonly meant: number;
  readonly deliveries: number;
  readonly copies: number;
  readonly booked: number;
  readonly billedTwice: number;
  /** Decimals with all their digits. */
  readonly meantAmount: string;
  readonly bookedAmount: string;
  /** What adding up every delivery would bill. */
  readonly deliveredAmount: string;
  readonly unit: string;
}

/** The ledger itself, read and compared. */
export interface Reconciliation {
  readonly meant: number;
  readonly rows: number;
  readonly missing: number;
  readonly billedTwice: number;
  readonly meantAmount: string;
  readonly bookedAmount: string;
  /** Every charge is in the ledger once, and the sums are the same number. */
  readonly isExact: boolean;
}

interface Meant {
  readonly amount: string;
  readonly body: Buffer;
  delivered: boolean;
  rows: number;
}

export class FleetStats {
  readonly unit: string;
  readonly #meant = new Map<string, Meant>();
  readonly #tally = { deliveries: 0, copies: 0, booked: 0, billedTwice: 0 };
  #meantAmount = '0';
  #bookedAmount = '0';
  #deliveredAmount = '0';

  constructor(unit: string) {
    this.unit = unit;
  }

  mean({ serial, amount, body }: FleetCharge): void {
    this.#meant.set(serial, { amount, body: Buffer.from(body), delivered: false, rows: 0 });
    this.#meantAmount = sumOf([this.#meantAmount, amount]);
  }

  delivered(body: Uint8Array): void {
    const charge = this.#chargeIn(body);
    if (charge === undefined) return;
    this.#tally.deliveries += 1;
    if (charge.delivered) this.#tally.copies += 1;
    charge.delivered = true;
    this.#deliveredAmount = sumOf([this.#deliveredAmount, charge.amount]);
  }

  written(news: TableNews): void {
    if (news.kind !== 'booking' || news.table !== 'ledger' || !news.isNew) return;
    const charge = this.#chargeIn(news.body);
    if (charge === undefined) return;
    charge.rows += 1;
    this.#tally.booked += 1;
    if (charge.rows > 1) this.#tally.billedTwice += 1;
    this.#bookedAmount = sumOf([this.#bookedAmount, charge.amount]);
  }

  headline(): Headline {
    return {
      meant: this.#meant.size,
      ...this.#tally,
      meantAmount: this.#meantAmount,
      bookedAmount: this.#bookedAmount,
      deliveredAmount: this.#deliveredAmount,
      unit: this.unit,
    };
  }

  /** @param rows of the ledger: body and amount */
  reconcile(
    rows: readonly { readonly body: Uint8Array; readonly amount: string }[],
  ): Reconciliation {
    const charges = rows.map(({ body }) => this.#chargeIn(body));
    const booked = new Set(charges.filter((charge) => charge !== undefined));
    const bookedAmount = sumOf(rows.map(({ amount }) => amount));
    const missing = this.#meant.size - booked.size;
    const billedTwice = rows.length - booked.size;
    return {
      meant: this.#meant.size,
      rows: rows.length,
      missing,
      billedTwice,
      meantAmount: this.#meantAmount,
      bookedAmount,
      isExact: missing === 0 && billedTwice === 0 && sameDecimal(this.#meantAmount, bookedAmount),
    };
  }

  #chargeIn(body: Uint8Array): Meant | undefined {
    const charge = this.#meant.get(serialIn(body) ?? '');
    // The very bytes that were meant: what uses an id or a mark twice is not the charge.
    return charge?.body.equals(body) ? charge : undefined;
  }
}

/** The fleet's mark in a body. */
function serialIn(body: Uint8Array): string | undefined {
  if (body.length > 4_096) return undefined;
  return /"serial":"([^"\\]{1,100})"/.exec(Buffer.from(body).toString('latin1'))?.[1];
}
