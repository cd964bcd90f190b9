/** What the benches write down, and how they reckon. */
import { describe, expect, test } from 'vitest';
import { createLoad } from '../../bench/harness/deliveries.ts';
import { goalsText, markdownText, terminalText } from '../../bench/harness/print.ts';
import { reportText } from '../../bench/harness/report.ts';
import type { Table } from '../../bench/harness/table.ts';
import { bytesByPackage, packageOf } from '../../bench/start/packages.ts';
import { createEffects } from '../../bench/truth/effects.ts';
import { reckon } from '../../bench/truth/reckon.ts';

const table: Table = {
  name: 'handler',
  title: 'A table',
  columns: ['who', 'cost'],
  rows: [['a | b', '1']],
  notes: ['A note.'],
  goals: [{ goal: 'at most 2', got: '3', isMet: false }],
};

describe('printing', () => {
  test('a bar in a cell does not end it', () => {
    expect(markdownText(table)).toContain('| a \\| b | 1 |');
  });

  test('a goal that is missed is said to be missed, in terminal and document', () => {
    expect(terminalText(table)).toContain('MISSED: at most 2; got 3');
    expect(markdownText(table)).toContain('MISSED: at most 2; got 3');
    expect(goalsText([table])).toContain('| handler | at most 2 | 3 | **missed** |');
  });

  test('the document says what could not be measured, and of which run it is', () => {
    const facts = {
      date: '2026-11-21',
      machine: 'a machine',
      load: '0.10',
      minutes: 12.34,
      runs: 5,
      isQuick: false,
      names: ['handler', 'truth'],
    };
    const text = reportText([table], facts);
    expect(text).toContain('## truth\n\nIt could not be measured in this run.');
    expect(text).toContain('- date: 2026-11-21');
    expect(text).toContain('5 runs of each, interleaved, in 12.3 minutes');
  });
});

describe('the load', () => {
  test('a fifth of the deliveries are copies, each of a message that was sent', () => {
    const batches = createLoad({ batch: 10, copies: 0.2, devices: 3 })(200);
    const bodies = batches.flatMap(({ Records }) =>
      Records.map(({ body }) => (JSON.parse(body) as { body: string; deliveryId: string }).body),
    );
    const copies = bodies.length - new Set(bodies).size;
    expect(copies / bodies.length).toBeGreaterThan(0.18);
    expect(copies / bodies.length).toBeLessThanOrEqual(0.2);
  });

  test('each delivery has a name of its own, also that of a copy', () => {
    const [event] = createLoad({ batch: 500, copies: 0.5, devices: 1 })(1);
    const names = event?.Records.map(({ body }) => JSON.parse(body).deliveryId);
    expect(new Set(names).size).toBe(500);
  });
});

describe('the truth', () => {
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
  const put = (id: string, bookingId: string, status = 200) => ({
    operation: 'PutItem',
    request: bytes({ Item: { id: { S: id }, bookingId: { S: bookingId } } }),
    status,
    answer: bytes({}),
  });

  test('an entry that is put again is doubled, and one that was refused is not there', () => {
    const effects = createEffects();
    effects.see(put('a', 'first'));
    effects.see(put('a', 'second'));
    effects.see(put('b', 'refused', 400));
    expect(reckon(['a', 'b'], effects.list())).toEqual({
      meant: 2,
      booked: 1,
      lost: 1,
      doubled: 1,
    });
  });

  test('a copy that the one write only counts is no booking; another first delivery would be', () => {
    const effects = createEffects();
    const update = (deliveryId: string, before?: string, keeps = true) => ({
      operation: 'UpdateItem',
      request: bytes({
        Key: { pk: { S: 'charges#meter' }, id: { S: 'a' } },
        UpdateExpression: keeps
          ? 'SET #firstDeliveryId = if_not_exists(#firstDeliveryId, :firstDeliveryId)'
          : 'SET #firstDeliveryId = :firstDeliveryId',
        ExpressionAttributeValues: { ':firstDeliveryId': { S: deliveryId } },
      }),
      status: 200,
      answer: bytes(before === undefined ? {} : { Attributes: { firstDeliveryId: { S: before } } }),
    });
    effects.see(update('one'));
    effects.see(update('a copy', 'one'));
    expect(reckon(['a'], effects.list()).doubled).toBe(0);
    effects.see(update('two', 'one', false));
    expect(reckon(['a'], effects.list()).doubled).toBe(1);
    effects.see(update('three'));
    expect(reckon(['a'], effects.list()).doubled).toBe(2);
  });

  test('of a transaction the entry counts, not its marker', () => {
    const effects = createEffects();
    const items = [{ id: { S: 'a' } }, { id: { S: 'a' }, bookingId: { S: 'x' } }];
    effects.see({
      operation: 'TransactWriteItems',
      request: bytes({ TransactItems: items.map((Item) => ({ Put: { Item } })) }),
      status: 200,
      answer: bytes({}),
    });
    expect(effects.list()).toEqual([{ id: 'a', bookings: 1 }]);
  });

  test('what nobody meant is not reckoned', () => {
    const found = reckon(['a'], [{ id: 'x', bookings: 3 }]);
    expect(found).toEqual({ meant: 1, booked: 0, lost: 1, doubled: 0 });
  });
});

describe('bundles', () => {
  test('a nested package is counted for itself, the own code for the project', () => {
    expect(packageOf('lambda/ingest/exactly-once.ts')).toBe('tollbridge');
    expect(packageOf('node_modules/a/node_modules/@b/c/x.js')).toBe('@b/c');
    expect(packageOf('node_modules/@smithy/core/dist-es/submodules/cbor/x.js')).toBe(
      '@smithy/core/cbor',
    );
  });

  test('bytes add up by package, the largest first, and what is shaken out is not named', () => {
    const input = (bytesInOutput: number) => ({ bytesInOutput });
    const output = {
      bytes: 60,
      imports: [],
      exports: [],
      inputs: {
        'node_modules/a/1.js': input(10),
        'node_modules/a/2.js': input(20),
        'core/x.ts': input(29),
        'node_modules/gone/x.js': input(0),
      },
    };
    expect(bytesByPackage({ inputs: {}, outputs: { 'out.js': output } })).toEqual([
      { name: 'a', bytes: 30 },
      { name: 'tollbridge', bytes: 29 },
    ]);
  });
});
