/** What `tollbridge cost` says of one load: as a table for people, as one object for programs. */
import type Big from 'big.js';
import type { Column } from '../output/output.ts';
import { type Line, MONTH_DAYS, type Month, monthLines, totalOf } from './model.ts';
import { PRICES, type Price, REGION } from './prices.ts';
import { isExceeded, type Peak, quotasAt, type Taken } from './quotas.ts';
import { ledgerStore } from './store.ts';
import { ASSUMED, invocationOf, type Messaging } from './traffic.ts';

/** All that a bill depends on. */
export interface Load {
  readonly month: Month;
  readonly messaging: Messaging;
  readonly peak: Peak;
}

export interface Bill {
  readonly load: Load;
  readonly lines: readonly Line[];
  readonly total: Big;
  readonly quotas: readonly Taken[];
  readonly notes: readonly string[];
}

export function billOf(load: Load): Bill {
  const { month, messaging, peak } = load;
  const store = ledgerStore(messaging.bodyBytes);
  const lines = monthLines(month, messaging, store);
  return {
    load,
    lines,
    total: totalOf(lines),
    quotas: quotasAt(month, messaging, store, peak),
    notes: notesOf(load, lines),
  };
}

/** Of everything together, connections and watching too. */
export function usdPerMillion({ load, total }: Bill): Big {
  return total.times(1_000_000).div(load.month.eventsPerDay.times(MONTH_DAYS));
}

export const COLUMNS: readonly Column<Line>[] = [
  { name: 'for', text: ({ share }) => share },
  { name: 'what', text: ({ what }) => what },
  { name: 'quantity', text: ({ quantity }) => amount(quantity), align: 'right' },
  { name: 'of', text: ({ price }) => PRICES[price].unit },
  { name: 'US$', text: ({ price }) => priceText(PRICES[price]), align: 'right' },
  { name: 'US$ a month', text: ({ usd }) => dollars(usd), align: 'right' },
];

/** `0.15 / M`, with the lower prices for much; `0.25` of a single unit. */
function priceText({ usd, per, steps = [] }: Price): string {
  const all = [usd, ...steps.map((step) => step.usd)].join(', ');
  return per === 1 ? all : `${all} / M`;
}

export function dollars(usd: Big): string {
  return grouped(usd.toFixed(2));
}

function amount(quantity: Big): string {
  return grouped(quantity.toFixed(quantity.lt(100) && !quantity.round().eq(quantity) ? 3 : 0));
}

function grouped(decimal: string): string {
  const [whole = '', ...fraction] = decimal.split('.');
  return [whole.replaceAll(/\B(?=(\d{3})+$)/g, ','), ...fraction].join('.');
}

export function summaryOf(bill: Bill): readonly string[] {
  const [nearest] = bill.quotas;
  return [
    `US$ ${dollars(bill.total)} a month, US$ ${usdPerMillion(bill).toFixed(2)} for a million events`,
    ...(nearest === undefined ? [] : [`nearest to its limit: ${takenText(nearest)}`]),
    ...bill.notes,
    ...bill.quotas.filter(isExceeded).map((each) => `too much: ${takenText(each)}; ${each.remedy}`),
  ];
}

export function takenText({ name, unit, got, allowed }: Taken): string {
  const figure = got < 10 ? got.toFixed(2) : grouped(got.toFixed(0));
  return `${name}, ${figure} of ${grouped(String(allowed))} ${unit}`;
}

/** Every assumption that the total hangs on. */
function notesOf({ month, messaging }: Load, lines: readonly Line[]): readonly string[] {
  const kept = lines.filter(({ price }) => price === 'storage' || price === 'recovery');
  const store = ledgerStore(messaging.bodyBytes);
  const { millis } = invocationOf(month.copies, messaging, store);
  const { tableWrites } = store.first.units;
  return [
    `${REGION}, a month of ${MONTH_DAYS} days, no free tier, no tax; prices are copies by others, of 2025 and 2026`,
    `assumed, not measured on AWS: ${millis} ms for an invocation (${ASSUMED.roundTripMillis} ms for a round trip, the CPU of another machine)`,
    `rows stay: each further month of them adds US$ ${dollars(totalOf(kept).div(month.keptMonths))} a month`,
    ...(tableWrites === 1
      ? []
      : [
          `a row is larger than 1 KB: every delivery, copies too, takes ${tableWrites} write units`,
        ]),
  ];
}

/** For programs: decimals are texts. */
export function billJson(bill: Bill): object {
  const { month, messaging, peak } = bill.load;
  return {
    region: REGION,
    settings: {
      eventsPerDay: month.eventsPerDay.toFixed(),
      devices: month.devices,
      copies: month.copies.toFixed(),
      ...messaging,
      subscribers: messaging.subscribers ?? null,
      connectedHours: month.connectedHours.toFixed(),
      connectsPerDay: month.connectsPerDay,
      keptMonths: month.keptMonths,
      peak: peak.factor.toFixed(),
      busiestAccount: peak.busiestAccount.toFixed(),
    },
    lines: bill.lines.map(({ share, what, price, quantity, usd }) => ({
      for: share,
      what,
      quantity: quantity.toFixed(6),
      unit: PRICES[price].unit,
      usd: usd.toFixed(6),
      source: PRICES[price].source,
    })),
    usd: bill.total.toFixed(6),
    usdPerMillionEvents: usdPerMillion(bill).toFixed(6),
    quotas: bill.quotas.map((each) => ({ ...each, isExceeded: isExceeded(each) })),
    notes: bill.notes,
  };
}
