/** The demo's figures, for a person and for a program. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import Table from 'cli-table3';
import type { Reconciliation } from '../../local/fleet/stats.ts';

/** What `--json` prints: totals are decimals in text. */
export interface DemoFigures {
  readonly devices: number;
  readonly meant: number;
  readonly deliveries: number;
  readonly duplicates: number;
  readonly booked: number;
  readonly lost: number;
  readonly doubleBooked: number;
  /** Rows that bill another account, amount or time than their body says. */
  readonly misread: number;
  readonly naiveTotal: string;
  readonly trueTotal: string;
  readonly bookedTotal: string;
  readonly seconds: number;
}

/** What went wrong on purpose while the fleet ran. */
export interface InjectedFaults {
  readonly cuts: number;
  readonly crashes: number;
  readonly fallbacks: number;
  readonly receiptsDropped: number;
}

export function figuresTable(
  figures: DemoFigures,
  injectedFaults: InjectedFaults,
  unit: string,
): string {
  const table = new Table({ colAligns: ['left', 'right'], style: { head: [], border: [] } });
  table.push(
    ['charges meant', figures.meant],
    ['deliveries at the rule', figures.deliveries],
    ['copies among them', figures.duplicates],
    ['booked', figures.booked],
    ['lost', figures.lost],
    ['booked twice', figures.doubleBooked],
    ['booked otherwise than meant', figures.misread],
    [`adding up every delivery would bill (${unit})`, figures.naiveTotal],
    [`meant (${unit})`, figures.trueTotal],
    [`booked (${unit})`, figures.bookedTotal],
  );
  return [
    table.toString(),
    `${figures.devices} devices, ${figures.seconds} s; on purpose: ${injectedFaults.cuts} connections cut, ` +
      `${injectedFaults.crashes} functions killed, ${injectedFaults.fallbacks} fallbacks to the error action, ` +
      `${injectedFaults.receiptsDropped} receipts dropped`,
  ].join('\n');
}

/** One row as it stands in the table, the attributes that a person asks for first. */
export function exampleRow(item: Readonly<Record<string, AttributeValue>>): string {
  const shown = [
    'pk',
    'id',
    'account',
    'amount',
    'unit',
    'occurredAt',
    'bookedAt',
    'tries',
    'body',
  ];
  const table = new Table({ style: { head: [], border: [] } });
  for (const name of shown) {
    const value = item[name];
    table.push([name, value?.S ?? value?.N ?? '']);
  }
  return table.toString();
}

export function conclusion(result: Reconciliation): string {
  return result.isExact
    ? 'Every charge is booked exactly once, to the last digit.'
    : `NOT exact: ${result.missing} lost, ${result.billedTwice} booked twice, ` +
        `${result.misread} otherwise than meant, ` +
        `${result.bookedAmount} booked where ${result.meantAmount} was meant.`;
}
