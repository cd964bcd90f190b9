/** The table of `docs/scale.md`: three sizes of one fleet side by side. */
import Big from 'big.js';
import type { Column } from '../output/output.ts';
import { type Share, totalOf } from './model.ts';
import { isExceeded, type Taken } from './quotas.ts';
import { type Bill, billOf, dollars, type Load, takenText, usdPerMillion } from './report.ts';

/** A device of the table reports so many events a day. */
const EVENTS_OF_DEVICE = 100;
const SIZES = [1_000, 1_000_000, 100_000_000] as const;

export interface SizeRow {
  readonly what: string;
  readonly cells: readonly string[];
}

const SHARES: Readonly<Record<Share, string>> = {
  messages: 'messages, rule, action',
  queue: 'queue',
  function: 'function (time assumed)',
  database: 'database: table',
  index: 'database: index',
  receipts: 'receipts',
  forward: 'forward',
  logs: 'logs',
  kept: 'rows and logs kept',
  connections: 'connections',
  watching: 'metrics, alarms, polls',
};

export function sizeColumns(): readonly Column<SizeRow>[] {
  return [
    { name: 'events a day', text: ({ what }) => what },
    ...SIZES.map((events, n) => ({
      name: events.toLocaleString('en-US'),
      text: ({ cells }: SizeRow) => cells[n] ?? '',
      align: 'right' as const,
    })),
  ];
}

/** @param load what is not its size: copies, messaging, peak */
export function sizeRows(load: Load): readonly SizeRow[] {
  const bills = SIZES.map((events) => {
    const devices = Math.max(1, events / EVENTS_OF_DEVICE);
    return billOf({ ...load, month: { ...load.month, eventsPerDay: new Big(events), devices } });
  });
  const row = (what: string, cell: (bill: Bill) => string): SizeRow => ({
    what,
    cells: bills.map(cell),
  });
  return [
    row('devices', ({ load: { month } }) => month.devices.toLocaleString('en-US')),
    ...(Object.keys(SHARES) as Share[])
      .filter((share) => bills.some(({ lines }) => lines.some((line) => line.share === share)))
      .map((share) => row(SHARES[share], ({ lines }) => dollars(totalOf(lines, share)))),
    row('US$ a month', ({ total }) => dollars(total)),
    row('US$ for a million events', (bill) => dollars(usdPerMillion(bill))),
  ];
}

/** What comes to its limit first, and what is beyond it, one line for each size. */
export function sizeLimits(load: Load): readonly string[] {
  return SIZES.map((events) => {
    const devices = Math.max(1, events / EVENTS_OF_DEVICE);
    const month = { ...load.month, eventsPerDay: new Big(events), devices };
    const { quotas } = billOf({ ...load, month });
    const beyond = quotas.filter(isExceeded);
    const first = quotas[0];
    const named: readonly Taken[] = beyond.length > 0 || first === undefined ? beyond : [first];
    const what = beyond.length > 0 ? 'beyond its limit' : 'nearest to its limit';
    return `${events.toLocaleString('en-US')} events a day, ${what}: ${named.map(takenText).join('; ')}`;
  });
}
