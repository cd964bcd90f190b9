/** DynamoDB's units: the rules, what an engine itself says, and what the bridge's requests take. */
import {
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peerTitles } from '../../bench/peers/bundles.ts';
import { bookers, bridgeBooker } from '../../bench/units/bookers.ts';
import { BODY_SIZES, writesTable } from '../../bench/units/index.ts';
import { type Measured, measureBooker } from '../../bench/units/measure.ts';
import { type Recorder, startRecorder } from '../../bench/units/recorder.ts';
import { reportedUnits } from '../../bench/units/reported-units.ts';
import { clientOf, createTables, SHAPES } from '../../bench/units/tables.ts';
import { ledgerStore, sampleRow } from '../../cli/cost/store.ts';
import {
  type Item,
  inTransaction,
  itemBytes,
  readUnits,
  refusedUnits,
  type TableShape,
  writeUnits,
  writtenUnits,
} from '../../cli/cost/units.ts';
import { StateStack } from '../../lib/state-stack.ts';
import { openTableEngine, type TableEngine } from '../../local/dynamodb/tables.ts';
import { resourceOf, testApp } from '../infra/templates.ts';

const item = (bytes: number): Item => ({ pk: { S: 'p' }, x: { S: 'x'.repeat(bytes - 4) } });

describe('the size of an item', () => {
  it.each([
    ['a text is its bytes in UTF-8', { s: { S: 'aé€' } }, 1 + 6],
    ['a name is its bytes in UTF-8', { é: { S: '' } }, 2],
    ['a number has a byte for two digits, and one', { n: { N: '1795165251000' } }, 1 + 5 + 1],
    ['zeros at the ends of a number do not count', { n: { N: '0012.500' } }, 1 + 2 + 1],
    ['the sign of a number is a byte', { n: { N: '-7' } }, 1 + 1 + 1 + 1],
    ['bytes are the bytes themselves', { b: { B: new Uint8Array(9) } }, 1 + 9],
    ['null is a byte', { z: { NULL: true } }, 1 + 1],
    ['a truth value is a byte', { t: { BOOL: false } }, 1 + 1],
    [
      'a list has three bytes, and one for each element',
      { l: { L: [{ S: 'ab' }] } },
      1 + 3 + 1 + 2,
    ],
    ['so has a map, with the names', { m: { M: { ab: { N: '1' } } } }, 1 + 3 + 1 + 2 + 2],
    ['a set is its elements', { s: { SS: ['ab', 'c'] }, n: { NS: ['1'] } }, 1 + 3 + 1 + 2],
  ] as const)('%s', (_, value, bytes) => {
    expect(itemBytes(value as unknown as Item)).toBe(bytes);
  });

  it('of what is no attribute is refused by name', () => {
    expect(() => itemBytes({ x: { $unknown: ['X', 1] } })).toThrow(/\$unknown/);
  });
});

describe('units', () => {
  it('of writes are begun kilobytes, at least one', () => {
    expect([0, 1, 1_024, 1_025, 409_600].map(writeUnits)).toEqual([1, 1, 1, 2, 400]);
  });

  it('of reads are begun 4 KB, half as many where the read may be stale', () => {
    expect([0, 4_096, 4_097].map((bytes) => readUnits(bytes, true))).toEqual([1, 1, 2]);
    expect(readUnits(4_097, false)).toBe(1);
  });

  it('of a write are those of the larger item, before or after', () => {
    const shape: TableShape = { keys: ['pk'], indexes: [] };
    expect(writtenUnits(shape, item(3_000), item(100)).tableWrites).toBe(3);
    expect(writtenUnits(shape, item(100), item(3_000)).tableWrites).toBe(3);
    expect(writtenUnits(shape, undefined, undefined).tableWrites).toBe(1);
  });

  it('of a failed condition are those of the larger of what stands and what was to be put', () => {
    const units = (tableWrites: number) => ({ tableWrites, indexWrites: 0, reads: 0 });
    expect(refusedUnits(undefined)).toEqual(units(1));
    expect(refusedUnits(item(2_000))).toEqual(units(2));
    expect(refusedUnits(item(2_000), item(5_000))).toEqual(units(5));
  });

  it('of a transaction are twice those of the table, and once those of the index', () => {
    expect(inTransaction({ tableWrites: 2, indexWrites: 1, reads: 3 })).toEqual({
      tableWrites: 4,
      indexWrites: 1,
      reads: 6,
    });
  });
});

describe('an index', () => {
  const shape: TableShape = {
    keys: ['pk'],
    indexes: [{ name: 'i', keys: ['k'], projected: ['p'] }],
  };
  const row = (changes: Readonly<Record<string, string>>): Item =>
    Object.fromEntries(
      Object.entries({ pk: '1', k: 'k', p: 'p', other: 'o', ...changes }).map(([name, S]) => [
        name,
        { S },
      ]),
    );
  const { k: _, ...unindexed } = row({});
  it.each([
    ['is written once for an item that comes', undefined, row({}), 1],
    ['is written once for an item that goes', row({}), undefined, 1],
    ['is not written for an item without its key', undefined, unindexed, 0],
    ['is not written where nothing that it holds changes', row({}), row({ other: 'x' }), 0],
    ['is written once where something that it holds changes', row({}), row({ p: 'x' }), 1],
    ['is written twice where its key changes', row({}), row({ k: 'x' }), 2],
    ['is written once where the item comes to have its key', unindexed, row({}), 1],
    [
      'is charged by what it holds, not by the item',
      undefined,
      row({ other: 'o'.repeat(9_000) }),
      1,
    ],
    ['is charged for each kilobyte it holds', undefined, row({ p: 'p'.repeat(1_024) }), 2],
  ] as const)('%s', (__, before, after, units) => {
    expect(writtenUnits(shape, before, after).indexWrites).toBe(units);
  });

  it('that holds everything is written by every change', () => {
    const all: TableShape = {
      keys: ['pk'],
      indexes: [{ name: 'i', keys: ['k'], projected: 'all' }],
    };
    expect(writtenUnits(all, row({}), row({ other: 'x' })).indexWrites).toBe(1);
  });
});

reportedUnits('dynalite', () => openTableEngine({}));

describe('the recorder', () => {
  let engine: TableEngine;
  let recorder: Recorder;
  let measured: readonly Measured[];
  beforeAll(async () => {
    engine = await openTableEngine({});
    recorder = await startRecorder(engine.url);
    measured = await measureBooker(engine.url, bridgeBooker, [...BODY_SIZES, 310, 330]);
    await createTables(recorder.url, { any: { keys: ['pk'], indexes: [] } });
  });
  afterAll(async () => {
    await recorder.close();
    await engine.close();
  });
  const at = (bytes: number) => {
    const found = measured.find(({ bodyBytes }) => bodyBytes === bytes);
    if (found === undefined) throw new Error(`${bytes} bytes were not measured`);
    return found;
  };

  it('a booking takes one unit and one of the index, a copy one and none', () => {
    const { first, copy } = at(300).occasions;
    expect(first).toEqual({
      units: { tableWrites: 1, indexWrites: 1, reads: 0 },
      requests: 1,
      roundTrips: 1,
    });
    expect(copy.units).toEqual({ tableWrites: 1, indexWrites: 0, reads: 0 });
    expect(copy.requests).toBe(1);
  });

  it('a conflict takes a failed condition and a row of the quarantine, and reads nothing', () => {
    const { conflict } = at(300).charged;
    expect(conflict.map(({ outcome }) => outcome)).toEqual(['refused', 'written']);
    expect(at(300).occasions.conflict.units).toMatchObject({ indexWrites: 1, reads: 0 });
  });

  it('bodies of the sample fit one unit as far as the notes say', () => {
    expect([310, 330].map((bytes) => at(bytes).occasions.first.units.tableWrites)).toEqual([1, 2]);
    const beside = itemBytes(sampleRow(300)) - 300;
    const notes = writesTable(measured).notes.join(' ');
    expect(notes).toContain(`${beside} bytes of names, keys and facts`);
    expect(notes).toContain('bodies up to about 310 bytes');
  });

  it('what the model of the bill is made of is what was recorded', () => {
    for (const { bodyBytes, store } of measured) expect(ledgerStore(bodyBytes)).toEqual(store);
  });

  it('(a) has a partition for each marker, and writes it twice beside the entry', async () => {
    const booker = bookers().find(({ name }) => name === peerTitles.powertools);
    if (booker === undefined) throw new Error('nobody books with Powertools');
    expect(booker.tables['powertools-markers']).toEqual({ keys: ['pk'], indexes: [] });
    const [size] = await measureBooker(engine.url, booker, [300]);
    expect(size?.occasions.first.units).toEqual({ tableWrites: 3, indexWrites: 1, reads: 0 });
    const client = clientOf(engine.url);
    const { Items = [] } = await client.send(new ScanCommand({ TableName: 'powertools-markers' }));
    client.destroy();
    const partitions = new Set(Items.map(({ pk }) => pk?.S));
    expect(Items.length).toBeGreaterThan(0);
    expect(partitions.size).toBe(Items.length);
  });

  it('a transaction is carried out or taken back as a whole, and is charged either way', async () => {
    const client = clientOf(recorder.url);
    const put = (pk: string, bytes: number) => ({
      Put: {
        TableName: 'any',
        Item: { pk: { S: pk }, x: { S: 'x'.repeat(bytes) } },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    });
    const has = async (pk: string) => {
      const request = { TableName: 'any', Key: { pk: { S: pk } }, ConsistentRead: true };
      return (await client.send(new GetItemCommand(request))).Item !== undefined;
    };
    const transact = (...TransactItems: ReturnType<typeof put>[]) =>
      client.send(new TransactWriteItemsCommand({ TransactItems }));
    await transact(put('t-1', 100), put('t-2', 1_500));
    const [done] = recorder.take();
    expect(done?.units.tableWrites).toBe(2 * (1 + 2));
    await expect(transact(put('t-3', 100), put('t-1', 100), put('t-4', 100))).rejects.toMatchObject(
      {
        name: 'TransactionCanceledException',
        CancellationReasons: [
          { Code: 'None' },
          { Code: 'ConditionalCheckFailed' },
          { Code: 'None' },
        ],
      },
    );
    const [cancelled] = recorder.take();
    expect(cancelled?.outcome).toBe('refused');
    expect(cancelled?.units.tableWrites).toBe(2 * 3);
    expect([await has('t-1'), await has('t-2'), await has('t-3'), await has('t-4')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    client.destroy();
  });

  it('a failed condition gives the old item to who asks for it, as DynamoDB does', async () => {
    const client = clientOf(recorder.url);
    const Item = { pk: { S: 'old' }, x: { B: new Uint8Array([1, 2, 255]) } };
    const put = new PutItemCommand({
      TableName: 'any',
      Item,
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await client.send(put);
    await expect(client.send(put)).rejects.toMatchObject({ Item });
    client.destroy();
  });

  it('an operation without a price is refused by its name', async () => {
    const answer = await fetch(recorder.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'DynamoDB_20120810.BatchWriteItem' },
      body: '{}',
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('BatchWriteItem');
  });
});

it.each([
  ['ledger', /^Ledger/],
  ['quarantine', /^Quarantine/],
] as const)('the %s is counted with the keys and the projection of the template', (name, id) => {
  const template = Template.fromStack(new StateStack(testApp(), 'State'));
  const { properties } = resourceOf(template, 'AWS::DynamoDB::GlobalTable', id) as unknown as {
    readonly properties: {
      readonly KeySchema: readonly { readonly AttributeName: string }[];
      readonly GlobalSecondaryIndexes: readonly {
        readonly IndexName: string;
        readonly KeySchema: readonly { readonly AttributeName: string }[];
        readonly Projection: { readonly NonKeyAttributes: readonly string[] };
      }[];
    };
  };
  const keysOf = (schema: readonly { readonly AttributeName: string }[]) =>
    schema.map(({ AttributeName }) => AttributeName);
  expect(SHAPES[name]).toEqual({
    keys: keysOf(properties.KeySchema),
    indexes: properties.GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) => ({
      name: IndexName,
      keys: keysOf(KeySchema),
      projected: Projection.NonKeyAttributes,
    })),
  });
});
