/** Goal: the soak's comparison can fail. Method: books that agree, and one planted fault at a time. */
import { describe, expect, it } from 'vitest';
import { Books, countOf, type Differences, type Row, type Tables } from './books.ts';
import type { Meant, RouteName } from './plan.ts';
import { unexplainedBy } from './processes/mend.ts';

const AT = '2026-11-20T08:59:00.000Z';
const LATER = '2026-11-20T09:00:00.000Z';

function meant(number: number, route: RouteName, changes: Partial<Meant> = {}): Meant {
  const serial = `meter-001/${number}`;
  const id = route === 'status' ? undefined : `m-${number}`;
  const body = { kWh: '1.250', at: AT, serial };
  return { serial, device: 'meter-001', route, id, body, refusal: undefined, ...changes };
}

const charge = meant(1, 'charges');
const event = meant(2, 'events');
const older = meant(3, 'status');
const newest = meant(4, 'status', { body: { at: LATER, serial: 'meter-001/4' } });
const refused = meant(5, 'charges', { refusal: 'late' });

function rowOf({ route, device, id, body }: Meant, changes: Row = {}): Row {
  return {
    pk: { S: `${route}#${device}` },
    id: { S: id ?? '' },
    body: { S: JSON.stringify(body) },
    bookedAtMillis: { N: '7' },
    ...changes,
  };
}

const ledgerRow = rowOf(charge, { amount: { N: '1.25' }, releasedAt: { S: AT } });
const eventRow = rowOf(event, {
  windowEndsAtMillis: { N: '9' },
  firstDeliveryId: { S: 'd-1' },
});
const stateRow: Row = {
  pk: { S: 'meter-001' },
  id: { S: 'status/meter-001' },
  body: { S: JSON.stringify(newest.body) },
  version: { N: String(Date.parse(LATER)) },
};
const quarantineRow = rowOf(refused, { reason: { S: 'late' } });
const CHARGE = 'charges#meter-001#m-1';
const EVENT = 'events#meter-001#m-2#d-1';
const VALUE = `status#meter-001#status/meter-001#${Date.parse(LATER)}`;
const OLD_VALUE = `status#meter-001#status/meter-001#${Date.parse(AT)}`;

const agreeing: Tables = {
  ledger: [ledgerRow],
  dedupRecords: [eventRow],
  state: [stateRow],
  quarantine: [quarantineRow],
  effects: new Map([CHARGE, EVENT, VALUE, OLD_VALUE].map((id) => [id, 1])),
};

function compared(changes: Partial<Tables>, more: (books: Books) => void = () => {}): Differences {
  const books = new Books();
  for (const each of [charge, event, older, newest, refused]) {
    books.mean(each);
    books.keep(each.serial);
  }
  const told = { device: 'meter-001', route: 'charges', id: 'm-1' };
  books.receipt({ ...told, bookedAt: 7 });
  books.complete(told);
  more(books);
  return books.compare({ ...agreeing, ...changes });
}

function found(differences: Differences): readonly string[] {
  return Object.entries(differences).flatMap(([name, list]) => (list.length > 0 ? [name] : []));
}

describe('what was meant and what is there', () => {
  it('agree where they do', () => {
    expect(countOf(compared({}))).toBe(0);
  });

  it.each<readonly [string, Partial<Tables>, readonly string[]]>([
    [
      'a charge that no row holds',
      { ledger: [] },
      ['lost', 'untrue', 'unreleased', 'strangeEffects'],
    ],
    ['an event that no row holds', { dedupRecords: [] }, ['lost', 'strangeEffects']],
    [
      'one charge under two keys',
      { ledger: [ledgerRow, { ...ledgerRow, id: { S: 'other' } }] },
      ['doubled', 'unforwarded'],
    ],
    [
      'a row of what nobody meant',
      { ledger: [ledgerRow, rowOf(meant(9, 'charges'), { amount: { N: '1' } })] },
      ['strange', 'wrong', 'unforwarded'],
    ],
    [
      'a bad charge that is booked',
      { ledger: [ledgerRow, rowOf(refused, { amount: { N: '1.25' } })] },
      ['strange', 'unforwarded'],
    ],
    ['another amount', { ledger: [{ ...ledgerRow, amount: { N: '1.251' } }] }, ['wrong']],
    [
      'another time than the receipt says',
      { ledger: [{ ...ledgerRow, bookedAtMillis: { N: '8' } }] },
      ['untrue'],
    ],
    [
      'an id that was completed and is not released',
      { ledger: [rowOf(charge, { amount: { N: '1.25' } })] },
      ['unreleased'],
    ],
    [
      'an old value that stands',
      {
        state: [
          {
            ...stateRow,
            body: { S: JSON.stringify(older.body) },
            version: { N: String(Date.parse(AT)) },
          },
        ],
      },
      ['stale'],
    ],
    [
      'a quarantine row for another reason',
      { quarantine: [{ ...quarantineRow, reason: { S: 'early' } }] },
      ['unexplained'],
    ],
    [
      'a good charge in quarantine',
      { quarantine: [quarantineRow, rowOf(charge, { reason: { S: 'late' } })] },
      ['unexplained'],
    ],
    ['a refused charge that nothing holds', { quarantine: [] }, ['unkept']],
    [
      'a forward without an effect',
      {
        effects: new Map([
          [CHARGE, 1],
          [VALUE, 1],
        ]),
      },
      ['unforwarded'],
    ],
    [
      'an effect that happened twice',
      { effects: new Map([...agreeing.effects, [EVENT, 2]]) },
      ['repeatedEffects'],
    ],
    [
      'an effect of what is not booked',
      { effects: new Map([...agreeing.effects, ['x', 1]]) },
      ['strangeEffects'],
    ],
  ])('differ by %s', (_, changes, expected) => {
    expect(found(compared(changes))).toEqual(expected);
  });

  it('leave out what no device has said it keeps, and what a device itself refused as a conflict', () => {
    const unkept = compared({}, (books) => books.mean(meant(6, 'charges')));
    expect(countOf(unkept)).toBe(0);
    const books = new Books();
    books.mean(meant(7, 'charges', { refusal: 'conflict' }));
    books.untake('meter-001/7', 'ConflictError');
    expect(books.failed).toEqual([]);
    books.mean(charge);
    books.untake(charge.serial, 'OutboxFullError');
    expect(books.failed).toHaveLength(1);
  });
});

it('a missing forward is explained by one publication that was lost on its topic, and no more', () => {
  expect(unexplainedBy(['a', 'b'], ['a'])).toEqual([]);
  expect(unexplainedBy(['a', 'b'], ['a', 'a', 'c'])).toEqual(['a', 'c']);
});
