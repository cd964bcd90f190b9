/** What a transaction is charged where the engine carries it out. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../bench/units/engine.ts';
import { chargeByEngine } from '../../bench/units/transactions.ts';
import type { Item } from '../../cli/cost/units.ts';

const SHAPE = {
  keys: ['pk'],
  indexes: [{ name: 'i', keys: ['k'], projected: 'all' as const }],
};
const CONSUMED = [
  { Table: { CapacityUnits: 4 } },
  {
    Table: { CapacityUnits: 8 },
    GlobalSecondaryIndexes: { i: { CapacityUnits: 4 } },
  },
];

/** An engine with one table, whose transactions end as they are told to. */
function engineOf(rows: Map<string, Item>, end: 'done' | 'cancelled' | 'refused'): Engine {
  return {
    shapeOf: async () => SHAPE,
    keyIn: (_, { pk }) => ({ pk }) as Item,
    read: async (_, key) => rows.get((key as { pk: { S: string } }).pk.S),
    restore: async () => {},
    close: () => {},
    async ask(_, body) {
      if (end === 'refused') return { status: 400, body: { __type: 'x#ValidationException' } };
      if (end === 'cancelled') {
        return { status: 400, body: { __type: 'x#TransactionCanceledException' } };
      }
      for (const { Put } of (body as { TransactItems: { Put: { Item: Item } }[] }).TransactItems) {
        rows.set(Put.Item.pk?.S ?? '', Put.Item);
      }
      return { status: 200, body: { ConsumedCapacity: CONSUMED } };
    },
  };
}

const put = (pk: string, bytes: number) => ({
  Put: {
    TableName: 'any',
    Item: { pk: { S: pk }, k: { S: 'k' }, x: { S: 'x'.repeat(bytes) } },
  },
});
const transaction = { TransactItems: [put('marker', 10), put('entry', 1_500)] };

describe('a transaction that the engine carries out', () => {
  it('is charged twice its writes and once its index, beside what the engine reports', async () => {
    const rows = new Map<string, Item>();
    const { charged } = await chargeByEngine(engineOf(rows, 'done'), transaction);
    expect(charged.outcome).toBe('written');
    expect(charged.units).toEqual({ tableWrites: 2 * (1 + 2), indexWrites: 1 + 2, reads: 0 });
    expect(charged.reported).toEqual({ table: 12, indexes: 4 });
    expect(charged.after.map(({ item }) => item.pk?.S)).toEqual(['marker', 'entry']);
  });

  it('is charged when it is cancelled, but for the index, by the larger of what stands and comes', async () => {
    const rows = new Map<string, Item>([['marker', put('marker', 3_000).Put.Item as Item]]);
    const { charged } = await chargeByEngine(engineOf(rows, 'cancelled'), transaction);
    expect(charged.outcome).toBe('refused');
    expect(charged.units).toEqual({ tableWrites: 2 * (3 + 2), indexWrites: 0, reads: 0 });
    expect(charged.reported).toBeUndefined();
    expect(charged.after).toEqual([]);
  });

  it('that the engine refuses for another reason is no figure', async () => {
    await expect(chargeByEngine(engineOf(new Map(), 'refused'), transaction)).rejects.toThrow(
      /ValidationException/,
    );
  });
});
