/** The bill: quantities from the requests of a delivery, prices to the last digit. */
import Big from 'big.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type Case,
  type Counted,
  countCalls,
  createCountedTables,
} from '../../bench/calls/count.ts';
import { callsTable } from '../../bench/calls/index.ts';
import { linesTable, type Priced, settingsTable } from '../../bench/money/index.ts';
import { measureLogs } from '../../bench/money/logs.ts';
import {
  countsOf,
  type Line,
  LOG_BYTES,
  type Month,
  monthLines,
  totalOf,
  trafficLines,
} from '../../cli/cost/model.ts';
import { costOf, PRICES, type Price } from '../../cli/cost/prices.ts';
import { ledgerStore, type Store, type StoreWork } from '../../cli/cost/store.ts';
import { invocationOf, type Messaging, sizesOf } from '../../cli/cost/traffic.ts';
import { openTableEngine, type TableEngine } from '../../local/dynamodb/tables.ts';

const MILLION = new Big(1_000_000);
const ALONE: Messaging = {
  feed: 'direct',
  batch: 1,
  receipts: 'none',
  gathered: 1,
  basicIngest: false,
  bodyBytes: 300,
  subscribers: undefined,
};
const NONE = new Big(0);

const lineOf = (lines: readonly Line[], what: string): Line => {
  const found = lines.find((line) => line.what === what);
  if (found === undefined) throw new Error(`no line is called ${what}`);
  return found;
};
const usdOf = (messaging: Partial<Messaging>, what: string, copies = NONE) =>
  lineOf(
    trafficLines(MILLION, copies, { ...ALONE, ...messaging }, ledgerStore(300)),
    what,
  ).usd.toFixed();

describe('a price', () => {
  it('is that of the list for each unit', () => {
    expect(costOf('writeUnit', new Big(1)).toFixed()).toBe('0.000000625');
    expect(costOf('storage', new Big('1.5')).toFixed()).toBe('0.375');
  });

  it('falls for what is beyond a step, and not for what is below it', () => {
    expect(costOf('message', new Big(1_000_000_000)).toFixed()).toBe('1000');
    expect(costOf('message', new Big(1_000_000_001)).toFixed()).toBe('1000.0000008');
    expect(costOf('message', new Big(6_000_000_000)).toFixed()).toBe('4900');
  });

  it('goes through no float: a unit more or less shows in any quantity', () => {
    const [one, two] = ['9007199254740993', '9007199254740994'].map((n) =>
      costOf('writeUnit', new Big(n)),
    );
    expect(two?.minus(one ?? 0).toFixed()).toBe('0.000000625');
  });

  it.each(Object.entries<Price>(PRICES))('of %s is a decimal with its source', (_, price) => {
    expect(price.usd).toMatch(/^\d+\.\d+$/);
    expect(price.source.length).toBeGreaterThan(10);
    expect([1, 1_000_000]).toContain(price.per);
  });
});

describe('a million charges, one at a time', () => {
  it('cost what the price list says of each step', () => {
    expect(usdOf({}, 'messages of devices')).toBe('1');
    expect(usdOf({}, 'rule')).toBe('0.15');
    expect(usdOf({}, 'action of the rule')).toBe('0.15');
    expect(usdOf({}, 'invocations')).toBe('0.2');
    expect(usdOf({}, 'writes to tables')).toBe('0.625');
    expect(usdOf({}, 'writes to the index')).toBe('0.625');
    expect(usdOf({}, 'reads')).toBe('0');
  });

  it('cost no message with Basic Ingest, but rule and action', () => {
    expect(usdOf({ basicIngest: true }, 'messages of devices')).toBe('0');
    expect(usdOf({ basicIngest: true }, 'rule')).toBe('0.15');
  });

  it('cost two messages more for a receipt each, and three at QoS 1', () => {
    const receipts = (messaging: Partial<Messaging>) =>
      totalOf(
        trafficLines(MILLION, NONE, { ...ALONE, ...messaging }, ledgerStore(300)),
        'receipts',
      ).toFixed();
    expect(receipts({ receipts: 0 })).toBe('2');
    expect(receipts({ receipts: 1 })).toBe('3');
    expect(receipts({ receipts: 1, feed: 'queue', batch: 10, gathered: 10 })).toBe('0.3');
    expect(receipts({})).toBe('0');
  });

  it('cost a message for each forward, and two for each who receives it', () => {
    const forward = (subscribers: number | undefined) =>
      totalOf(
        trafficLines(MILLION, new Big('0.2'), { ...ALONE, subscribers }, ledgerStore(300)),
        'forward',
      ).toFixed();
    expect([undefined, 0, 1, 2].map(forward)).toEqual(['0', '1', '3', '5']);
  });

  it('cost a send for each, and a receive and a delete for up to ten of them', () => {
    const queue = (batch: number, bodyBytes = 300) =>
      usdOf({ feed: 'queue', batch, bodyBytes }, 'send, receive, delete');
    expect(queue(1)).toBe('1.2');
    expect(queue(10)).toBe('0.48');
    expect(queue(100)).toBe('0.48');
    // 90 KB are 120 KB in base64: two requests of 64 KB to send, nineteen to receive ten.
    expect(queue(10, 92_160)).toBe('1.6');
  });

  it('have no queue on the direct feed', () => {
    expect(() => usdOf({}, 'send, receive, delete')).toThrow(/no line/);
  });

  it('cost more of everything in steps where bodies are large', () => {
    expect(usdOf({ bodyBytes: 92_160 }, 'messages of devices')).toBe('19');
    expect(usdOf({ bodyBytes: 92_160 }, 'action of the rule')).toBe('3.75');
  });
});

describe('copies', () => {
  it('are a share of the deliveries, not of the events', () => {
    const counts = countsOf(MILLION, new Big('0.2'), { ...ALONE, receipts: 0 });
    expect(counts.deliveries.toFixed()).toBe('1250000');
    expect(counts.copies.toFixed()).toBe('250000');
    expect(counts.answers.toFixed()).toBe('1250000');
  });

  it('are charged for all but the index and the forward', () => {
    const copies = new Big('0.2');
    expect(usdOf({}, 'messages of devices', copies)).toBe('1.25');
    expect(usdOf({}, 'writes to tables', copies)).toBe('0.78125');
    expect(usdOf({}, 'writes to the index', copies)).toBe('0.625');
    expect(usdOf({ subscribers: 0 }, 'forwards published', copies)).toBe('1');
  });
});

describe('a month', () => {
  const month: Month = {
    eventsPerDay: new Big(100_000_000),
    copies: NONE,
    devices: 1_000,
    connectedHours: new Big(24),
    connectsPerDay: 1,
    keptMonths: 1,
  };
  const messaging: Messaging = { ...ALONE, receipts: 0, subscribers: 0 };
  const store = ledgerStore(300);

  it('shares the steps of a price among all that is bought at it', () => {
    const lines = monthLines(month, messaging, store);
    const messages = lines.filter(({ price }) => price === 'message');
    const quantity = messages.reduce((sum, line) => sum.plus(line.quantity), NONE);
    expect(messages.length).toBeGreaterThan(4);
    // Shares of it are rounded at the twentieth decimal.
    expect(totalOf(messages).toFixed(9)).toBe(costOf('message', quantity).toFixed(9));
  });

  it('adds up: the total is the sum of its lines, each that of its quantity', () => {
    const lines = monthLines({ ...month, eventsPerDay: new Big(1_000) }, messaging, store);
    const sum = lines.reduce((all, { price, quantity }) => all.plus(costOf(price, quantity)), NONE);
    expect(totalOf(lines).toFixed(9)).toBe(sum.toFixed(9));
  });

  it('charges connections by the minute, and each connection anew', () => {
    const lines = monthLines(month, messaging, store);
    expect(lineOf(lines, 'minutes connected').usd.toFixed()).toBe('3.456');
    expect(lineOf(lines, 'CONNECT and SUBSCRIBE').quantity.toFixed()).toBe('60000');
  });

  it('charges what is kept by the months of it', () => {
    const kept = (keptMonths: number) =>
      lineOf(monthLines({ ...month, keptMonths }, messaging, store), 'rows of tables and index')
        .usd;
    expect(kept(12).toFixed(9)).toBe(kept(1).times(12).toFixed(9));
    const { table, index } = store.storedBytes;
    const gigabytes = new Big(3_000_000_000).times(table + index).div(1_073_741_824);
    expect(kept(1).toFixed(9)).toBe(gigabytes.times('0.25').toFixed(9));
  });
});

describe('the assumed time of an invocation', () => {
  it('is made of the calls, slowed by the share of a processor, and of the waiting', () => {
    const { calls, millis } = invocationOf(NONE, { ...ALONE, receipts: 0 }, ledgerStore(300));
    expect(calls).toBe(2);
    // (2 × 0.85 + 0.04) × 1769 / 512 + 2 × 5
    expect(millis).toBe(17);
  });

  it('waits again for each twenty of a batch', () => {
    const of = (batch: number) =>
      invocationOf(NONE, { ...ALONE, feed: 'queue', batch }, ledgerStore(300)).millis;
    // (20 × 0.89) × 1769 / 512 + 5, and with one more a turn more
    expect([of(20), of(21)]).toEqual([67, 75]);
  });
});

it('sizes are those of the texts themselves', () => {
  const sizes = sizesOf({ ...ALONE, gathered: 10 });
  expect(sizes.message).toBe(300 + 'billing/meter-000000/charges'.length);
  expect(sizes.envelope).toBeGreaterThan(400);
  expect(sizes.receipts).toBeGreaterThan(10 * 64);
  expect(sizesOf({ ...ALONE, gathered: 11 }).receipts - sizes.receipts).toBe(
    sizes.receipts - sizesOf({ ...ALONE, gathered: 9 }).receipts,
  );
});

describe('tables', () => {
  const work = (tableWrites: number, indexWrites: number, requests: number): StoreWork => ({
    units: { tableWrites, indexWrites, reads: 0 },
    requests,
    roundTrips: requests,
  });
  const bridge: Priced = { booker: 'Tollbridge', store: ledgerStore(300) };
  const peerOf = (first: number): Priced => {
    const store: Store = {
      first: work(first, 1, 3),
      copy: work(1, 0, 1),
      storedBytes: { table: 1_000, index: 400 },
    };
    return { booker: '(a) somebody', store };
  };
  const met = (peer: Priced) => settingsTable([bridge, peer]).goals.map(({ isMet }) => isMet);

  it('say that a goal is missed where it is', () => {
    expect(met(peerOf(3))).toEqual([true, true]);
    // 1 of 2.4 units is more than 0.4 of them without a copy being cheaper.
    expect(met(peerOf(2))[0]).toBe(false);
    const dear: Priced = { ...bridge, store: { ...bridge.store, first: work(5, 1, 1) } };
    expect(settingsTable([dear, peerOf(3)]).goals.map(({ isMet }) => isMet)).toEqual([
      false,
      false,
    ]);
  });

  it('have a cell for each column, and a total that is the sum of the row', () => {
    const { columns, rows } = settingsTable([bridge, peerOf(3)]);
    expect(rows).toHaveLength(18);
    for (const row of rows) {
      expect(row).toHaveLength(columns.length);
      const parts = row.slice(2, -2).reduce((sum, cell) => sum.plus(cell), NONE);
      expect(Math.abs(Number(parts.minus(row.at(-2) ?? 0)))).toBeLessThan(0.005);
    }
  });

  it('show every line item, with what each buyer pays', () => {
    const { rows, columns } = linesTable([bridge, peerOf(3)]);
    for (const row of rows) expect(row).toHaveLength(columns.length);
    const writes = rows.find(([name]) => name === 'database: writes to tables');
    expect(writes?.slice(2)).toEqual([
      '1,250,000 → 0.781',
      '1,250,000 → 0.781',
      '3,250,000 → 2.031',
    ]);
  });
});

describe('with an engine', () => {
  let engine: TableEngine;
  beforeAll(async () => {
    engine = await openTableEngine({});
    await createCountedTables(engine.url);
    vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'tollbridge');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await engine.close();
  });

  it('a log of the bytes that the model has is written', async () => {
    const { invocation, copy } = await measureLogs(engine.url);
    expect(Math.abs(invocation / LOG_BYTES.invocation - 1)).toBeLessThan(0.05);
    expect(Math.abs(copy / LOG_BYTES.copy - 1)).toBeLessThan(0.05);
  });

  const cases: readonly (readonly [Case, Omit<Counted, keyof Case>])[] = [
    [
      { batch: 10, devices: 10, copies: 'none' },
      { devicesInBatch: 10, store: 10, receipts: 10, forwards: 10 },
    ],
    [
      { batch: 10, devices: 1, copies: 'in the batch' },
      { devicesInBatch: 1, store: 8, receipts: 1, forwards: 8 },
    ],
    [
      { batch: 10, devices: 1, copies: 'of earlier batches' },
      { devicesInBatch: 1, store: 10, receipts: 1, forwards: 8 },
    ],
  ];
  it.each(cases)('a batch of %o asks as often as it must', async (each, expected) => {
    expect(await countCalls(engine.url, each)).toEqual({ ...each, ...expected });
  });
});

it('the table of calls says which batch has more receipts than devices', () => {
  const row: Counted = {
    batch: 10,
    devices: 1,
    copies: 'in the batch',
    devicesInBatch: 1,
    store: 8,
    receipts: 1,
    forwards: 8,
  };
  const met = (...rows: Counted[]) => callsTable(rows).goals.map(({ isMet }) => isMet);
  expect(met(row)).toEqual([true, true, true]);
  expect(met(row, { ...row, receipts: 2 })).toEqual([true, true, false]);
  expect(met(row, { ...row, store: 10 })).toEqual([true, false, true]);
  expect(met(row, { ...row, store: 11, copies: 'none' })).toEqual([false, true, true]);
});
