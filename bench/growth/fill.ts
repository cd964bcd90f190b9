/**
 * Fills the ledger of a local cloud that is not running, below the engine's API: through it, a
 * million rows would take a quarter of an hour. The rows are those that the engine itself stores.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

type Attribute = { readonly S: string } | { readonly N: string } | { readonly NULL: true };
type Item = Readonly<Record<string, Attribute>>;

interface Put {
  readonly type: 'put';
  readonly key: string;
  readonly value: Item;
}
interface SubStore {
  /** Gives no promise back: whoever does not wait to be told has all rows under way at once. */
  batch(operations: readonly Put[], told: (error: Error | null) => void): void;
}
interface TableDescription {
  readonly GlobalSecondaryIndexes?: readonly { readonly IndexName: string }[];
}
interface EngineStore {
  readonly getTable: (
    name: string,
    told: (error: Error | null, table: TableDescription) => void,
  ) => void;
  readonly getItemDb: (table: string) => SubStore;
  readonly getIndexDb: (type: 'Global', table: string, index: string) => SubStore;
  readonly db: { readonly close: () => Promise<void> };
}
/** The parts of dynalite 4's `db` that its own PutItem is made of. */
interface EngineParts {
  create(options: { readonly path: string }): EngineStore;
  createKey(item: Item, table: TableDescription): string;
  getIndexActions(
    indexes: readonly unknown[],
    old: undefined,
    item: Item,
    table: TableDescription,
  ): {
    readonly puts: readonly { readonly index: string; readonly key: string; readonly item: Item }[];
  };
}

const ROWS_TOGETHER = 1_000;

/** @param dataDir of the local cloud, which has made its tables there and has ended */
export async function fillLedger(dataDir: string, ledger: string, rows: number): Promise<void> {
  const engine = require('dynalite/db') as EngineParts;
  const store = engine.create({ path: join(dataDir, 'tables') });
  const table = await new Promise<TableDescription>((resolve, reject) => {
    store.getTable(ledger, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
  const items = store.getItemDb(ledger);
  for (let from = 0; from < rows; from += ROWS_TOGETHER) {
    const count = Math.min(ROWS_TOGETHER, rows - from);
    const all = Array.from({ length: count }, (_, at) => itemOf(from + at));
    const puts = all.map((value) => put(engine.createKey(value, table), value));
    await written(items, puts);
    const indexed = all.flatMap(
      (item) =>
        engine.getIndexActions(table.GlobalSecondaryIndexes ?? [], undefined, item, table).puts,
    );
    for (const index of new Set(indexed.map((one) => one.index))) {
      const those = indexed.filter((one) => one.index === index);
      const indexDb = store.getIndexDb('Global', ledger, index);
      await written(
        indexDb,
        those.map(({ key, item }) => put(key, item)),
      );
    }
  }
  await store.db.close();
}

function put(key: string, value: Item): Put {
  return { type: 'put', key, value };
}

function written(store: SubStore, puts: readonly Put[]): Promise<void> {
  return new Promise((resolve, reject) => {
    store.batch(puts, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** A row like the others, of a thousand devices and a hundred accounts. */
function itemOf(serial: number): Item {
  const device = `meter-${serial % 1_000}`;
  const id = `old-${serial}`;
  const account = `customer-${serial % 100}`;
  const at = '2026-11-01T00:00:00.000Z';
  return {
    pk: { S: `charges#${device}` },
    id: { S: id },
    rowVersion: { N: '2' },
    keyVersion: { N: '1' },
    route: { S: 'charges' },
    device: { S: device },
    topic: { S: `billing/${device}/charges` },
    body: { S: JSON.stringify({ id, account, kWh: '12.480', at, tariff: 'day', connector: 12 }) },
    fingerprint: { S: '62965412a7bbab44e0158b9b2744ad023b8a716a10611940fc605280836432bf' },
    receivedAt: { S: at },
    bookedAt: { S: at },
    bookedAtMillis: { N: '1793491200000' },
    principal: { NULL: true },
    firstDeliveryId: { S: `delivery-${serial}` },
    account: { S: account },
    amount: { N: '12.48' },
    unit: { S: 'kWh' },
    occurredAt: { S: at },
    occurredAtMillis: { N: '1793491200000' },
    epoch: { NULL: true },
    sequence: { NULL: true },
    accountPeriod: { S: `${account}#2026-11#0` },
    occurrence: { S: `${at}#${device}#${id}` },
    tries: { N: '1' },
    lastSeenAt: { S: at },
  };
}
