/**
 * Table "calls": requests to DynamoDB and to the IoT data plane, counted where the AWS SDK hands them
 * to the network, from the real handler with its real adapters. The tables are dynalite's.
 */
import { openTableEngine } from '../../local/dynamodb/tables.ts';
import type { Bench, Goal, Table } from '../harness/table.ts';
import { type Case, type Counted, countCalls, createCountedTables } from './count.ts';

const BATCHES = [10, 100, 1_000] as const;
const DEVICES = [1, 10, 100] as const;
const COPIES: readonly Case['copies'][] = ['none', 'in the batch', 'of earlier batches'];

export const bench: Bench = async ({ isQuick, note }) => {
  const engine = await openTableEngine({});
  const rows: Counted[] = [];
  try {
    await createCountedTables(engine.url);
    for (const batch of isQuick ? BATCHES.slice(0, 2) : BATCHES) {
      note(`calls: batches of ${batch}`);
      for (const devices of DEVICES) {
        for (const copies of COPIES) {
          rows.push(await countCalls(engine.url, { batch, devices, copies }));
        }
      }
    }
  } finally {
    await engine.close();
  }
  return [callsTable(rows)];
};

export function callsTable(rows: readonly Counted[]): Table {
  return {
    name: 'calls',
    title: 'Requests of a batch',
    columns: [
      'batch',
      'devices in it',
      'copies',
      'DynamoDB',
      'for each delivery',
      'receipts',
      'for each device',
      'forwards',
      'data plane, for each delivery',
    ],
    rows: rows.map((row) => [
      String(row.batch),
      String(row.devicesInBatch),
      row.copies === 'none' ? '0 %' : `20 %, ${row.copies}`,
      String(row.store),
      per(row.store, row.batch),
      String(row.receipts),
      per(row.receipts, row.devicesInBatch),
      String(row.forwards),
      per(row.receipts + row.forwards, row.batch),
    ]),
    notes: [
      sizesText(rows),
      'Each DynamoDB request is the one UpdateItem; there is no read, no transaction and no batch request.',
      'A copy inside the batch is folded into the write of its message; a copy of an earlier one is a write of its own, and is not forwarded.',
      'A forward is one publication for each booking; a route without `forward` has none.',
      'One publication holds 120,000 bytes of receipts, of 171 each with UUIDs: 701. A thousand have more bytes than the payload of IoT Core, so those of one device take two, the fewest that there can be; a device that keeps to the protocol has at most 100 charges without a receipt.',
    ],
    goals: goalsOf(rows),
  };
}

/** Which batches were counted, and which a quick run has left out. */
function sizesText(rows: readonly Counted[]): string {
  const listText = (batches: readonly number[]) =>
    batches.map((batch) => batch.toLocaleString('en-US')).join(', ');
  const counted = BATCHES.filter((size) => rows.some(({ batch }) => batch === size));
  const left = BATCHES.filter((size) => !counted.includes(size));
  const missing = left.length === 0 ? '' : ` A quick run leaves ${listText(left)} out.`;
  return `Batches of ${listText(counted)}, each from ${listText(DEVICES)} devices, as far as a batch has so many messages.${missing}`;
}

function per(count: number, of: number): string {
  return String(Number((count / of).toFixed(3)));
}

function goalsOf(rows: readonly Counted[]): readonly Goal[] {
  const most = Math.max(...rows.map(({ store, batch }) => store / batch));
  const folded = rows.filter(({ copies }) => copies === 'in the batch');
  const mostFolded = Math.max(...folded.map(({ store, batch }) => store / batch));
  const above = rows.filter(({ receipts, devicesInBatch }) => receipts > devicesInBatch);
  return [
    {
      goal: 'at most 1 write for each delivery',
      got: `${per(most, 1)} at most`,
      isMet: most <= 1,
    },
    {
      goal: 'less than 1 with copies in the batch',
      got: `${per(mostFolded, 1)} at most, with 20 % of them`,
      isMet: mostFolded < 1,
    },
    {
      goal: 'no more publications of receipts than devices in the batch',
      got:
        above.length === 0
          ? 'as many as devices, in every row'
          : `more in ${[...new Set(above.map(aboveText))].join('; ')}`,
      isMet: above.length === 0,
    },
  ];
}

function aboveText({ batch, devicesInBatch, receipts }: Counted): string {
  return `a batch of ${batch} from ${devicesInBatch} (${receipts}, for a payload holds 128 KB)`;
}
