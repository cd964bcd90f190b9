/**
 * What a fleet meant, beside what arrived and what was booked. Owns the charges of one run.
 * Invariants: amounts are added up as exact decimals; a booking is counted from the write that made
 * the row, and again from the table itself when it is asked for.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
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
  /** Rows that bill another account, amount or time than their body says. */
  readonly misread: number;
  readonly meantAmount: string;
  readonly bookedAmount: string;
  /** Every charge is in the ledger once, as it was meant, and the sums are the same number. */
  readonly isExact: boolean;
}

/** What a row of the ledger bills, and of what. */
export interface BookedRow {
  readonly body: Uint8Array;
  readonly account: string;
  readonly amount: string;
  /** ISO 8601. */
  readonly occurredAt: string;
}

export function bookedRow(item: Readonly<Record<string, AttributeValue>>): BookedRow {
  return {
    body: item.body?.B ?? Buffer.from(item.body?.S ?? ''),
    account: item.account?.S ?? '',
    amount: item.amount?.N ?? '0',
    occurredAt: item.occurredAt?.S ?? '',
  };
}

interface Meant {
  readonly charge: FleetCharge;
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

  mean(charge: FleetCharge): void {
    const { serial, amount, body } = charge;
    this.#meant.set(serial, { charge, body: Buffer.from(body), delivered: false, rows: 0 });
    this.#meantAmount = sumOf([this.#meantAmount, amount]);
  }

  delivered(body: Uint8Array): void {
    const meant = this.#meantIn(body);
    if (meant === undefined) return;
    this.#tally.deliveries += 1;
    if (meant.delivered) this.#tally.copies += 1;
    meant.delivered = true;
    this.#deliveredAmount = sumOf([this.#deliveredAmount, meant.charge.amount]);
  }

  written(news: TableNews): void {
    if (news.kind !== 'booking' || news.table !== 'ledger' || !news.isNew) return;
    const meant = this.#meantIn(news.body);
    if (meant === undefined) return;
    meant.rows += 1;
    this.#tally.booked += 1;
    if (meant.rows > 1) this.#tally.billedTwice += 1;
    this.#bookedAmount = sumOf([this.#bookedAmount, meant.charge.amount]);
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

  /** @param rows all of the ledger that the fleet can have made */
  reconcile(rows: readonly BookedRow[]): Reconciliation {
    const found = rows.map((row) => this.#meantIn(row.body));
    const booked = new Set(found.filter((meant) => meant !== undefined));
    const bookedAmount = sumOf(rows.map(({ amount }) => amount));
    const missing = this.#meant.size - booked.size;
    const billedTwice = rows.length - booked.size;
    const misread = rows.filter((row, at) => !bills(row, found[at]?.charge)).length;
    const isWhole = missing === 0 && billedTwice === 0 && misread === 0;
    return {
      meant: this.#meant.size,
      rows: rows.length,
      missing,
      billedTwice,
      misread,
      meantAmount: this.#meantAmount,
      bookedAmount,
      isExact: isWhole && sameDecimal(this.#meantAmount, bookedAmount),
    };
  }

  #meantIn(body: Uint8Array): Meant | undefined {
    const meant = this.#meant.get(serialIn(body) ?? '');
    // The very bytes that were meant: what uses an id or a mark twice is not the charge.
    return meant?.body.equals(body) ? meant : undefined;
  }
}

/** Whether a row bills what its charge means; a row of no charge is counted as billed twice. */
function bills(row: BookedRow, charge: FleetCharge | undefined): boolean {
  if (charge === undefined) return true;
  return (
    row.account === charge.account &&
    sameDecimal(row.amount, charge.amount) &&
    row.occurredAt === charge.occurredAt
  );
}

/** The fleet's mark in a body. */
function serialIn(body: Uint8Array): string | undefined {
  if (body.length > 4_096) return undefined;
  return /"serial":"([^"\\]{1,100})"/.exec(Buffer.from(body).toString('latin1'))?.[1];
}
