/** Table "writes": what each way of booking is charged for a delivery. */
import type { StoreWork } from '../../cli/cost/store.ts';
import { openTableEngine } from '../../local/dynamodb/tables.ts';
import { onDynamoDbLocal } from '../dynamodb-local/index.ts';
import type { Bench, Goal, Table } from '../harness/table.ts';
import { BRIDGE, bookers } from './bookers.ts';
import { type Measured, measureBooker, type Occasion } from './measure.ts';
import { reportedTable } from './reported.ts';

/** 0.3, 1 and 4 KB, and the largest body that is booked. */
export const BODY_SIZES = [300, 1_024, 4_096, 92_160] as const;
const COPY_SHARE = 0.2;

export const bench: Bench = async (options) => {
  const engine = await openTableEngine({});
  const measured: Measured[] = [];
  try {
    for (const booker of bookers()) {
      options.note(`writes: ${booker.name}`);
      measured.push(...(await measureBooker(engine.url, booker, BODY_SIZES)));
    }
  } finally {
    await engine.close();
  }
  const local = await onDynamoDbLocal({ kind: 'units', bodySizes: BODY_SIZES }, options);
  return [writesTable(measured), reportedTable(measured, local)];
};

const OCCASIONS: readonly Occasion[] = ['first', 'copy', 'conflict'];

export function writesTable(measured: readonly Measured[]): Table {
  return {
    name: 'writes',
    title: 'DynamoDB units of a delivery',
    columns: [
      'body, bytes',
      'booked by',
      'largest item, bytes',
      ...OCCASIONS.map((occasion) => `${occasion}: table + index`),
      'requests of the three',
      'writes with 20 % copies',
      'beside (a)',
    ],
    rows: BODY_SIZES.flatMap((bytes) =>
      measured.filter(({ bodyBytes }) => bodyBytes === bytes).map((each) => rowOf(each, measured)),
    ),
    notes: NOTES,
    goals: goalsOf(measured),
  };
}

const NOTES = [
  'Units by AWS’s published rules from the items themselves (`cli/cost/units.ts` names the pages), of the requests that the real code sent.',
  'A conflict of the bridge is a failed condition and a row of the quarantine with both bodies; the peers take it for a copy, so that the second body is nowhere.',
  'The row holds the whole body and 708 bytes of names, keys and facts beside it with the sample’s account, device and id: bodies up to about 310 bytes fit one unit. Above 1 KB a copy costs as many units as the booking, for an UpdateItem is charged by the whole item.',
  'A transaction is charged twice over; that a cancelled one is charged too is said by others, not by AWS’s pages. An index is charged once.',
];

/** Write units of tables for each delivery of a stream with 20 % copies, indexes apart. */
export function mixedWrites({ occasions: { first, copy } }: Measured): number {
  return first.units.tableWrites * (1 - COPY_SHARE) + copy.units.tableWrites * COPY_SHARE;
}

function besideFirstPeer(each: Measured, all: readonly Measured[]): number | undefined {
  const peer = all.find(
    ({ booker, bodyBytes }) => booker.startsWith('(a)') && bodyBytes === each.bodyBytes,
  );
  return peer && mixedWrites(each) / mixedWrites(peer);
}

function rowOf(each: Measured, all: readonly Measured[]): readonly string[] {
  const ratio = besideFirstPeer(each, all);
  return [
    each.bodyBytes.toLocaleString('en-US'),
    each.booker,
    each.itemBytes.toLocaleString('en-US'),
    ...OCCASIONS.map((occasion) => occasionText(each.occasions[occasion])),
    OCCASIONS.map((occasion) => each.occasions[occasion].requests).join(' / '),
    figure(mixedWrites(each)),
    ratio === undefined ? '–' : `${figure(ratio)} ×`,
  ];
}

/** `1 + 1`, with the read units where there are any. */
function occasionText({ units }: StoreWork): string {
  const reads = units.reads === 0 ? '' : `, ${units.reads} read`;
  return `${unitsText(units)}${reads}`;
}

function figure(value: number): string {
  return String(Number(value.toFixed(3)));
}

function goalsOf(measured: readonly Measured[]): readonly Goal[] {
  const ours = measured.filter(({ booker }) => booker === BRIDGE);
  const [small] = ours;
  if (small === undefined) return [];
  const { first, copy } = small.occasions;
  const ratios = ours.flatMap((each) => {
    const ratio = besideFirstPeer(each, measured);
    return ratio === undefined ? [] : [{ bytes: each.bodyBytes, ratio }];
  });
  const atSmall = ratios.find(({ bytes }) => bytes === small.bodyBytes)?.ratio;
  return [
    {
      goal: `first delivery 1 unit + 1 of the index, copy 1 + 0, at ${small.bodyBytes} bytes`,
      got: `${unitsText(first.units)}; ${unitsText(copy.units)}`,
      isMet: unitsText(first.units) === '1 + 1' && unitsText(copy.units) === '1 + 0',
    },
    {
      goal: `with 20 % copies at most 0.4 × (a), index apart, at ${small.bodyBytes} bytes`,
      got: atSmall === undefined ? 'not measured' : `${figure(atSmall)} ×`,
      isMet: atSmall !== undefined && atSmall <= 0.4,
    },
    ...ratios
      .filter(({ bytes }) => bytes !== small.bodyBytes)
      .map(({ bytes, ratio }) => ({
        goal: `the same at ${bytes.toLocaleString('en-US')} bytes`,
        got: `${figure(ratio)} ×`,
        isMet: ratio <= 0.4,
      })),
  ];
}

function unitsText({ tableWrites, indexWrites }: { tableWrites: number; indexWrites: number }) {
  return `${tableWrites} + ${indexWrites}`;
}
