/** Tables "money": a million billing events in US dollars, from the counted requests. */
import Big from 'big.js';
import { type Line, rowLines, type Share, totalOf, trafficLines } from '../../cli/cost/model.ts';
import { PRICES, REGION } from '../../cli/cost/prices.ts';
import type { Store } from '../../cli/cost/store.ts';
import { ASSUMED, type Messaging } from '../../cli/cost/traffic.ts';
import { openTableEngine } from '../../local/dynamodb/tables.ts';
import type { Bench, Goal, Table } from '../harness/table.ts';
import { BRIDGE, bookers } from '../units/bookers.ts';
import { measureBooker } from '../units/measure.ts';

const MILLION = new Big(1_000_000);
const COPIES = new Big('0.2');
const BODY_BYTES = 300;

/** A way of booking, with what it was counted to ask of the store. */
export interface Priced {
  readonly booker: string;
  readonly store: Store;
}

export const bench: Bench = async ({ note }) => {
  const engine = await openTableEngine({});
  const priced: Priced[] = [];
  try {
    for (const booker of bookers()) {
      note(`money: ${booker.name}`);
      for (const { store } of await measureBooker(engine.url, booker, [BODY_BYTES])) {
        priced.push({ booker: booker.name, store });
      }
    }
  } finally {
    await engine.close();
  }
  return [settingsTable(priced), linesTable(priced)];
};

/** Of a route that forwards nothing: no peer does either. */
const BASE: Messaging = {
  feed: 'queue',
  batch: 10,
  receipts: 0,
  gathered: 1,
  basicIngest: false,
  bodyBytes: BODY_BYTES,
  subscribers: undefined,
};
const LEAN: Messaging = { ...BASE, gathered: 10, basicIngest: true };

const SETTINGS: readonly (readonly [name: string, messaging: Messaging])[] = [
  ['direct, a receipt each', { ...BASE, feed: 'direct', batch: 1 }],
  ['queue, batches of 1, a receipt each', { ...BASE, batch: 1 }],
  ['queue, batches of 10, a receipt each', BASE],
  ['the same, receipts at QoS 1', { ...BASE, receipts: 1 }],
  ['the same, no receipts', { ...BASE, receipts: 'none' }],
  ['queue, batches of 10, ten receipts gathered', { ...BASE, gathered: 10 }],
  ['the same, receipts at QoS 1', { ...BASE, receipts: 1, gathered: 10 }],
  ['queue, batches of 10, a receipt each, Basic Ingest', { ...BASE, basicIngest: true }],
  ['queue, batches of 10, ten receipts gathered, Basic Ingest', LEAN],
];

const GROUPS: readonly (readonly [name: string, shares: readonly Share[]])[] = [
  ['messages, rule, action', ['messages']],
  ['queue', ['queue']],
  ['function', ['function']],
  ['database', ['database']],
  ['index', ['index']],
  ['receipts', ['receipts']],
  ['logs', ['logs']],
];

function million({ store }: Priced, messaging: Messaging, copies = COPIES): readonly Line[] {
  return trafficLines(MILLION, copies, messaging, store);
}

function usd(amount: Big): string {
  return amount.toFixed(3);
}

/** A ratio is rounded to be read; the goals are held to it unrounded. */
function times(one: Big, other: Big): string {
  return `${one.div(other).toFixed(3)} ×`;
}

function peerOf(priced: readonly Priced[]): Priced | undefined {
  return priced.find(({ booker }) => booker.startsWith('(a)'));
}

function bridgeOf(priced: readonly Priced[]): Priced {
  const bridge = priced.find(({ booker }) => booker === BRIDGE);
  if (bridge === undefined) throw new Error(`nobody is called ${BRIDGE}`);
  return bridge;
}

export function settingsTable(priced: readonly Priced[]): Table {
  const peer = peerOf(priced);
  return {
    name: 'money',
    title: 'US$ for a million billing events, 20 % of the deliveries being copies',
    columns: ['setting', 'booked by', ...GROUPS.map(([name]) => name), 'total', 'beside (a)'],
    rows: SETTINGS.flatMap(([setting, messaging]) =>
      priced.map((each) => {
        const lines = million(each, messaging);
        const total = totalOf(lines);
        const ratio = peer === undefined ? '–' : times(total, totalOf(million(peer, messaging)));
        const groups = GROUPS.map(([, shares]) => usd(totalOf(lines, ...shares)));
        return [setting, each.booker, ...groups, usd(total), ratio];
      }),
    ),
    notes: NOTES,
    goals: goalsOf(priced),
  };
}

const NOTES = [
  `Prices of ${REGION} without free tiers, from copies of 2025 and 2026 by others (\`cli/cost/prices.ts\` names each with its date); bodies of ${BODY_BYTES} bytes; every delivery is answered, copies too.`,
  `Run time is assumed: ${ASSUMED.roundTripMillis} ms for a round trip, the CPU measured on another machine (${ASSUMED.cpuMillisOfCall} ms for a call of the AWS SDK), nothing overlapping, 512 MB on arm64. Peers are given the bridge’s own CPU besides their calls.`,
  'Not in it, for it is the same for all: connections (US$ 3.46 a month for a thousand devices that are always on), metrics and alarms; and what is kept, which has lines of its own in the table below.',
  'A forward adds US$ 1.00 for each million published, and US$ 2.00 more for each receiver at QoS 1.',
  'Receipts are gathered where a device has several charges in one batch; a device that sends one at a time gets a receipt each.',
];

function goalsOf(priced: readonly Priced[]): readonly Goal[] {
  const bridge = bridgeOf(priced);
  const peer = peerOf(priced);
  if (peer === undefined) return [];
  const database = (each: Priced, ...shares: readonly Share[]) =>
    totalOf(million(each, BASE), ...shares);
  const apart = [database(bridge, 'database'), database(peer, 'database')] as const;
  const withIndex = [bridge, peer].map((each) => database(each, 'database', 'index'));
  const [ours = new Big(0), theirs = new Big(1)] = withIndex;
  const lean = totalOf(million(bridge, LEAN));
  const same = totalOf(million(peer, BASE));
  return [
    {
      goal: 'database share at most 0.4 × (a), index apart',
      got: `${times(...apart)}; with the index ${times(ours, theirs)}`,
      isMet: apart[0].lte(apart[1].times('0.4')),
    },
    {
      goal: 'ten receipts gathered and Basic Ingest: at most 0.45 × (a) with a receipt each',
      got: times(lean, same),
      isMet: lean.lte(same.times('0.45')),
    },
  ];
}

/** Every line item, at the settings of the second goal. */
export function linesTable(priced: readonly Priced[]): Table {
  const bridge = bridgeOf(priced);
  const columns = [
    columnOf(`${BRIDGE}, gathered, Basic Ingest`, bridge, LEAN),
    ...priced.map((each) => columnOf(each.booker, each, BASE)),
  ];
  const rowsOf = (pick: (column: Column) => readonly Line[]) => {
    const all = columns.map(pick);
    return [...new Map(all.flat().map((line) => [keyOf(line), line]))].map(([key, { price }]) => [
      key,
      unitOf(price),
      ...all.map((lines) => cellOf(lines.find((line) => keyOf(line) === key))),
    ]);
  };
  return {
    name: 'money',
    title: 'The same by line: quantity and US$; batches of 10, a receipt each unless it says more',
    columns: ['line', 'unit', ...columns.map(({ name }) => name)],
    rows: [
      ...rowsOf(({ lines }) => lines),
      ['total', '', ...columns.map(({ lines }) => usd(totalOf(lines)))],
      ...rowsOf(({ kept }) => kept),
      ['kept, a month', '', ...columns.map(({ kept }) => usd(totalOf(kept)))],
    ],
    notes: [
      'What is kept is charged every month, and is not in the total: the rows of a million messages with their overhead. The markers of (a) are counted although they lapse after a day.',
    ],
    goals: [],
  };
}

interface Column {
  readonly name: string;
  readonly lines: readonly Line[];
  readonly kept: readonly Line[];
}

function columnOf(name: string, each: Priced, messaging: Messaging): Column {
  return { name, lines: million(each, messaging), kept: rowLines(MILLION, each.store) };
}

function keyOf({ share, what }: Line): string {
  return `${share}: ${what}`;
}

function unitOf(price: Line['price']): string {
  const { usd: amount, per, unit } = PRICES[price];
  return per === 1 ? `${unit}, US$ ${amount} each` : `${unit}, US$ ${amount} for a million`;
}

function cellOf(line: Line | undefined): string {
  if (line === undefined) return '–';
  const quantity = line.quantity.gte(100) ? line.quantity.toFixed(0) : line.quantity.toFixed(3);
  return `${quantity.replaceAll(/\B(?=(\d{3})+$)/g, ',')} → ${usd(line.usd)}`;
}
