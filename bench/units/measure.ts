/** Charges a way of booking for a first delivery, a copy and a conflict, by its real requests. */
import { sampleId } from '../../cli/cost/sample.ts';
import { type Store, type StoreWork, storedBytesOf } from '../../cli/cost/store.ts';
import { addUnits, itemBytes, NO_UNITS, type TableShape } from '../../cli/cost/units.ts';
import type { Charged } from './charge.ts';
import type { SampleDelivery } from './deliveries.ts';
import { type Recorder, startRecorder, type Transactions } from './recorder.ts';
import { createTables } from './tables.ts';

/** A way of booking, as its own code does it. */
export interface Booker {
  readonly name: string;
  readonly tables: Readonly<Record<string, TableShape>>;
  /** @param url of the engine, which answers publications as well */
  open(url: string): Promise<OpenBooker>;
}

interface OpenBooker {
  /** Handles one delivery, which must neither fail nor be left for later. */
  handle(delivery: SampleDelivery): Promise<void>;
  close(): Promise<void>;
}

export type Occasion = 'first' | 'copy' | 'conflict';

export interface Measured {
  readonly booker: string;
  readonly bodyBytes: number;
  readonly occasions: Readonly<Record<Occasion, StoreWork>>;
  /** What the requests were, and what the engine itself says of them. */
  readonly charged: Readonly<Record<Occasion, readonly Charged[]>>;
  readonly store: Store;
  /** Bytes of the largest item that the first delivery has written. */
  readonly itemBytes: number;
}

/** @param engineUrl of an engine with no table of the booker's names */
export async function measureBooker(
  engineUrl: string,
  booker: Booker,
  bodySizes: readonly number[],
  transactions: Transactions = 'in turn',
): Promise<readonly Measured[]> {
  const recorder = await startRecorder(engineUrl, transactions);
  try {
    await createTables(recorder.url, booker.tables);
    const opened = await booker.open(recorder.url);
    try {
      recorder.take();
      const measured: Measured[] = [];
      for (const [n, bytes] of bodySizes.entries()) {
        measured.push(await measureSize(recorder, booker.name, opened, bytes, sampleId(n)));
      }
      return measured;
    } finally {
      await opened.close();
    }
  } finally {
    await recorder.close();
  }
}

async function measureSize(
  recorder: Recorder,
  booker: string,
  { handle }: OpenBooker,
  bytes: number,
  id: string,
): Promise<Measured> {
  const charge = async (delivery: SampleDelivery) => {
    await handle(delivery);
    return recorder.take();
  };
  const message = { id, bytes };
  const charged = {
    first: await charge({ ...message, deliveryId: sampleId(0xa1) }),
    copy: await charge({ ...message, deliveryId: sampleId(0xa2) }),
    conflict: await charge({ ...message, amount: '12.481', deliveryId: sampleId(0xa3) }),
  };
  const occasions = {
    first: workOf(charged.first),
    copy: workOf(charged.copy),
    conflict: workOf(charged.conflict),
  };
  const stored = await storedOf(recorder, charged.first);
  return {
    booker,
    bodyBytes: bytes,
    occasions,
    charged,
    itemBytes: Math.max(...stored.map(({ item }) => itemBytes(item))),
    store: {
      first: occasions.first,
      copy: occasions.copy,
      storedBytes: stored
        .map(({ shape, item }) => storedBytesOf(shape, item))
        .reduce((sum, each) => ({ table: sum.table + each.table, index: sum.index + each.index }), {
          table: 0,
          index: 0,
        }),
    },
  };
}

/** A delivery by itself: its requests wait for one another. */
function workOf(charged: readonly Charged[]): StoreWork {
  return {
    units: charged.map(({ units }) => units).reduce(addUnits, NO_UNITS),
    requests: charged.length,
    roundTrips: charged.length,
  };
}

/** What is in the tables after it: of each item the last state. */
async function storedOf(recorder: Recorder, charged: readonly Charged[]) {
  const items = charged.flatMap(({ after }) => after);
  const withShapes = await Promise.all(
    items.map(async (each) => ({ ...each, shape: await recorder.shapeOf(each.table) })),
  );
  const last = new Map(
    withShapes.map((each) => {
      const key = each.shape.keys.map((name) => each.item[name]?.S);
      return [JSON.stringify([each.table, ...key]), each];
    }),
  );
  return [...last.values()];
}
