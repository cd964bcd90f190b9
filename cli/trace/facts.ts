/** What a row says of a message, as facts with their times; and what no row can say, as such. */
import type { Route } from '../../core/config/route.ts';
import { bookingIdOf } from '../../core/message/id.ts';
import { cellOf, type Item } from '../output/items.ts';
import type { FoundQuarantine, FoundRow } from './find.ts';

export interface Fact {
  /** ISO 8601; null where no time is known. */
  readonly at: string | null;
  readonly route: string;
  readonly what: string;
  readonly detail: string;
}

export function factsOfRow({ route, item, table, reading }: FoundRow): readonly Fact[] {
  const fact = (at: string | null, what: string, detail: string): Fact => {
    return { at, route: route.name, what, detail };
  };
  const text = (name: string) => cellOf(item, name);
  return [
    ...(text('occurredAt') === '' ? [] : [fact(text('occurredAt'), 'occurred', 'says the device')]),
    fact(
      text('receivedAt'),
      'first seen',
      `by the rule, on ${text('topic')}, as delivery ${text('firstDeliveryId')}`,
    ),
    fact(text('bookedAt'), BOOKED[table], bookedDetail(item, reading)),
    fact(
      text('lastSeenAt'),
      'last seen',
      `${text('tries')} tries by then; retries inside the cloud count as well as copies`,
    ),
    receiptFact(route, item),
    forwardFact(route, item),
    ...(table === 'state' ? [] : [releaseFact(route, item)]),
    ...(item.windowEndsAtMillis?.N === undefined
      ? []
      : [
          fact(isoOf(item.windowEndsAtMillis.N), 'window ends', 'copies are recognised until then'),
        ]),
  ];
}

const BOOKED = {
  ledger: 'booked',
  dedupRecords: 'first of its window',
  state: 'newest value',
  quarantine: 'quarantined',
} as const;

function bookedDetail(item: Item, reading: string): string {
  const entry =
    item.amount === undefined
      ? ''
      : `${cellOf(item, 'amount')} ${cellOf(item, 'unit')} to ${cellOf(item, 'account')}; `;
  return `${entry}id ${cellOf(item, 'id')}, read as ${reading}`;
}

function receiptFact({ name, receipts }: Route, item: Item): Fact {
  const at = receipts === 'none' ? null : cellOf(item, 'bookedAt');
  const detail =
    receipts === 'none'
      ? 'none: the route sends no receipts'
      : `says accepted, or duplicate to a copy, with bookedAt ${cellOf(item, 'bookedAtMillis')}; whether it arrived is not known here`;
  return { at, route: name, what: 'receipt', detail };
}

function forwardFact({ name, forward }: Route, item: Item): Fact {
  const key = { pk: cellOf(item, 'pk'), id: cellOf(item, 'id') };
  const detail =
    forward === null
      ? 'none: the route forwards nothing'
      : `due on ${forward} under tollbridge-id ${bookingIdOf(key)}; that it went out is written nowhere, that it never can is quarantined as unforwardable`;
  return { at: null, route: name, what: 'forward', detail };
}

function releaseFact({ name }: Route, item: Item): Fact {
  const at = item.releasedAt?.S ?? null;
  const detail =
    at === null
      ? 'not released: the device has not said that it has the receipt (the short handshake never does)'
      : 'the device has the receipt and will not send the id again';
  return { at, route: name, what: 'release', detail };
}

/** Attributes of a quarantine row that are told in words or are long; the others are listed. */
const TOLD = new Set(
  'pk sk route device id reason detail topic body bodyHash clientId principal receivedAt routeDay deliveryId reasons fields bookedBody bookedAt tries lastSeenAt'.split(
    ' ',
  ),
);

/** What was found of the same body another time, e.g. a forward that can never succeed. */
function laterReasons(item: Item): string {
  const later = (item.reasons?.SS ?? []).filter((reason) => reason !== item.reason?.S).toSorted();
  return later.length === 0 ? '' : `; found another time: ${later.join(', ')}`;
}

export function factsOfQuarantine({ route, item }: FoundQuarantine): readonly Fact[] {
  const text = (name: string) => cellOf(item, name);
  const isConflict = text('reason') === 'conflict';
  // What an operator did stands in attributes of its own.
  const more = Object.keys(item)
    .filter((name) => !TOLD.has(name) && cellOf(item, name) !== '')
    .map((name) => `${name} ${text(name)}`);
  return [
    {
      at: text('receivedAt'),
      route: route.name,
      what: isConflict ? 'conflict' : 'quarantined',
      detail: `${text('reason')}: ${text('detail')}${laterReasons(item)}; body ${text('bodyHash')}, last seen ${text('lastSeenAt')}, ${text('tries')} tries`,
    },
    ...(more.length === 0
      ? []
      : [{ at: null, route: route.name, what: 'repair', detail: more.join(', ') }]),
  ];
}

function isoOf(millis: string): string | null {
  const date = new Date(Number(millis));
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** By time; what has none comes last, in the order given. */
export function inOrder(facts: readonly Fact[]): readonly Fact[] {
  const key = ({ at }: Fact) => at ?? '~';
  return facts.toSorted((one, other) => {
    if (key(one) === key(other)) return 0;
    return key(one) < key(other) ? -1 : 1;
  });
}
