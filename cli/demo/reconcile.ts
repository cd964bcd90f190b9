/** What was meant against what is booked, by the serials in the bodies, read from the table. */
import { type AttributeValue, type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { sameDecimal, sumOf } from '../../core/base/decimal.ts';
import type { DevicePlan } from './charges.ts';

/** A row of the ledger as far as the demo looks at it. */
export interface BookedRow {
  readonly serial: string;
  readonly amount: string;
  readonly item: Readonly<Record<string, AttributeValue>>;
}

export interface Reconciliation {
  readonly meant: number;
  /** Rows in the ledger. */
  readonly booked: number;
  /** Charges that no row holds. */
  readonly lost: number;
  /** Rows beyond the first of a charge, and rows of charges that nobody meant. */
  readonly doubleBooked: number;
  /** Decimals in text. */
  readonly trueTotal: string;
  readonly bookedTotal: string;
}

/** Every row of the ledger; the demo's tables are its own and small. */
export async function readRows(
  client: DynamoDBClient,
  table: string,
): Promise<readonly BookedRow[]> {
  const rows: BookedRow[] = [];
  for await (const page of paginateScan({ client }, { TableName: table, ConsistentRead: true })) {
    for (const item of page.Items ?? []) {
      const { serial } = JSON.parse(item.body?.S ?? '{}') as { serial?: string };
      rows.push({ serial: serial ?? '', amount: item.amount?.N ?? '0', item });
    }
  }
  return rows;
}

export function reconcile(
  plans: readonly DevicePlan[],
  rows: readonly Pick<BookedRow, 'serial' | 'amount'>[],
): Reconciliation {
  const meant = new Map(
    plans.flatMap(({ charges }) => charges.map(({ serial, amount }) => [serial, amount] as const)),
  );
  const booked = new Set(rows.map(({ serial }) => serial).filter((serial) => meant.has(serial)));
  return {
    meant: meant.size,
    booked: rows.length,
    lost: meant.size - booked.size,
    doubleBooked: rows.length - booked.size,
    trueTotal: sumOf(meant.values()),
    bookedTotal: sumOf(rows.map(({ amount }) => amount)),
  };
}

/** Whether every charge is booked once, to the last digit. */
export function isExact({ lost, doubleBooked, trueTotal, bookedTotal }: Reconciliation): boolean {
  return lost === 0 && doubleBooked === 0 && sameDecimal(trueTotal, bookedTotal);
}
