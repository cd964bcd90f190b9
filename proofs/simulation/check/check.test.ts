/** The checker itself: a true history passes, and each lie that is put into it is found. */
import { describe, expect, it } from 'vitest';
import { START_MILLIS } from '../start.ts';
import {
  booked,
  forwarded,
  handled,
  meant,
  quarantined,
  receipt,
  row,
  said,
} from './histories-fixture.ts';
import type { Event } from './history.ts';

const MINUTE = 60_000;
const WEEKS = 19 * 86_400_000;

const DEDUPLICATED = { table: 'dedupRecords' } as const;
/** Of a copy. */
const LATER = { arrival: 9, invocation: 9 };
const FOREIGN: Event = { kind: 'asked', by: 'raw-2', as: 'raw-1', invocation: 7 };

describe('a history is true', () => {
  it('when a message is booked, forwarded and answered once', () => {
    expect(said([meant(0), ...booked(0)])).toBeUndefined();
  });

  it('when the same id with another body is kept, and says in what it differs', () => {
    const conflict = quarantined(1, 'conflict', { fields: ['serial'], booked: 0 });
    const told = receipt(1, { outcome: 'rejected', reason: 'conflict', fields: ['serial'] });
    const events = [meant(0, { name: 'k' }), meant(1, { name: 'k' }), ...booked(0)];
    expect(said([...events, ...handled(1, [conflict, told])])).toBeUndefined();
  });

  it('when a copy without a time comes after its window and counts as new', () => {
    const again = [
      row(0, { ...DEDUPLICATED, change: 'replaced', invocation: 9 }),
      ...forwarded(0, 9),
    ];
    const events = [meant(0, { route: 'alerts' }), ...booked(0, DEDUPLICATED)];
    const later = handled(0, again, { arrival: 9, invocation: 9, at: 11 * MINUTE });
    expect(said([...events, ...later])).toBeUndefined();
  });

  it('when an outbox was lost before anybody had heard of its message', () => {
    const lost: Event[] = [
      { kind: 'kept', device: 'lib-1', serial: 0 },
      { kind: 'wiped', device: 'lib-1', serials: [0] },
    ];
    expect(said([meant(0, { by: 'lib-1', as: 'lib-1' }), ...lost])).toBeUndefined();
  });
});

const falsehoods: readonly (readonly [string, string, readonly Event[]])[] = [
  ['I1', 'a message has two rows', [meant(0), ...booked(0), row(0, { entry: 'other' })]],
  [
    'I1',
    'what was written first is changed',
    [meant(0), ...booked(0), row(0, { change: 'altered', changed: ['bookedAt'] })],
  ],
  ['I1', 'a row of the ledger is deleted', [meant(0), ...booked(0), row(0, { change: 'deleted' })]],
  ['I2', 'a delivery ends nowhere', [meant(0), ...handled(0, [])]],
  [
    'I2',
    'a delivery never ends',
    [meant(0), ...booked(0), { kind: 'stuck', arrival: 0, serial: 0 }],
  ],
  [
    'I2',
    'a message on a disk is never sent',
    [meant(0), { kind: 'kept', device: 'lib-1', serial: 0 }],
  ],
  [
    'I2',
    'a device drops a message at the PUBACK',
    [meant(0), ...booked(0), { kind: 'dropped', device: 'raw-1', serial: 0 }],
  ],
  [
    'I2',
    'a device drops a message at the receipt of another',
    [
      ...[meant(0), meant(1), ...booked(0), ...booked(1)],
      { kind: 'told', device: 'raw-1', serial: 1, outcome: 'accepted' },
      { kind: 'dropped', device: 'raw-1', serial: 0 },
    ],
  ],
  [
    'I2',
    'a device is never answered',
    [meant(0), ...booked(0), { kind: 'waiting', device: 'lib-1', serial: 0 }],
  ],
  [
    'I3',
    'a receipt comes before the row',
    [meant(0), ...handled(0, [receipt(0), row(0), ...forwarded(0)])],
  ],
  [
    'I3',
    'a conflict is answered as a duplicate',
    [
      ...[meant(0, { name: 'k' }), meant(1, { name: 'k' }), ...booked(0)],
      ...handled(1, [
        quarantined(1, 'conflict', { fields: ['serial'], booked: 0 }),
        receipt(1, { outcome: 'duplicate' }),
      ]),
    ],
  ],
  [
    'I3',
    'a receipt names no body',
    [meant(0), ...booked(0), { ...receipt(0), serial: undefined } as Event],
  ],
  ['I4', 'a booking never goes out', [meant(0), ...handled(0, [row(0), receipt(0)])]],
  [
    'I4',
    'a copy goes out',
    [
      ...[meant(0), ...booked(0)],
      ...handled(0, [...forwarded(0, 9), receipt(0)], { arrival: 9, invocation: 9 }),
    ],
  ],
  [
    'I4',
    'a booking goes out twice though nothing failed',
    [meant(0), ...handled(0, [row(0), ...forwarded(0), ...forwarded(0)])],
  ],
  ['I4', 'a receiver does its work twice', [meant(0), ...booked(0), { kind: 'effect', serial: 0 }]],
  [
    'I5',
    'one id is booked twice',
    [meant(0, { name: 'k' }), meant(1, { name: 'k' }), ...booked(0), ...booked(1)],
  ],
  [
    'I5',
    'a message is a conflict of a stranger',
    [
      ...[meant(0), meant(1), ...booked(0)],
      ...handled(1, [quarantined(1, 'conflict', { fields: ['serial'], booked: 0 })]),
    ],
  ],
  [
    'I5',
    'a conflict does not say in what it differs',
    [
      ...[meant(0, { name: 'k' }), meant(1, { name: 'k' }), ...booked(0)],
      ...handled(1, [quarantined(1, 'conflict', { booked: 0 })]),
    ],
  ],
  ['I5', 'a message without an id is booked', [meant(0, { form: 'no-id' }), ...booked(0)]],
  [
    'I5',
    'two bodies of one id count in one window',
    [
      ...[meant(0, { route: 'alerts', name: 'k' }), meant(1, { route: 'alerts', name: 'k' })],
      ...[...booked(0, DEDUPLICATED), ...booked(1, DEDUPLICATED)],
    ],
  ],
  [
    'I6',
    "a row stands in another device's name",
    [meant(0, { as: 'raw-2', form: 'foreign-topic' }), ...booked(0, { device: 'raw-2' })],
  ],
  [
    'I6',
    "a device uses up another's id",
    [
      ...[meant(0, { by: 'raw-2', as: 'raw-2' }), meant(1)],
      ...handled(0, [row(0, { device: 'raw-2' }), ...forwarded(0)]),
      ...handled(1, [quarantined(1, 'conflict', { fields: ['by'], booked: 0 })]),
    ],
  ],
  [
    'I6',
    'a device hears of a message of another',
    [meant(0), ...booked(0), receipt(0, { device: 'raw-2' })],
  ],
  [
    'I7',
    'a copy inside the window counts as new',
    [
      ...[meant(0, { route: 'alerts' }), ...booked(0, DEDUPLICATED)],
      ...handled(
        0,
        [row(0, { ...DEDUPLICATED, change: 'replaced', invocation: 9 }), ...forwarded(0, 9)],
        { arrival: 9, invocation: 9, at: 9 * MINUTE },
      ),
    ],
  ],
  [
    'I7',
    'a copy with a time counts as new after weeks',
    [
      ...[meant(0, { route: 'readings' }), ...booked(0, DEDUPLICATED)],
      ...handled(0, [row(0, { ...DEDUPLICATED, invocation: 9 }), ...forwarded(0, 9)], {
        ...{ arrival: 9, invocation: 9, at: WEEKS },
      }),
    ],
  ],
  [
    'I7',
    'equal content in the window counts twice',
    [
      ...[meant(0, { route: 'signals', name: 'k' }), meant(1, { route: 'signals', name: 'k' })],
      ...[...booked(0, DEDUPLICATED), ...booked(1, DEDUPLICATED)],
    ],
  ],
  [
    'I7',
    'an older value takes the place of a newer one',
    [
      ...[meant(0, { route: 'status' }), meant(1, { route: 'status', ownTime: START_MILLIS - 1 })],
      ...booked(0, { table: 'state' }),
      ...booked(1, { table: 'state', change: 'replaced' }),
    ],
  ],
  [
    'I7',
    'a message that came in time is late',
    [meant(0), ...handled(0, [quarantined(0, 'late')])],
  ],
  ['I1', 'another amount is booked', [meant(0), ...booked(0, { amount: '2.51' })]],
  ['I1', 'another time is booked', [meant(0), ...booked(0, { occurredAt: START_MILLIS + 1 })]],
  [
    'I2',
    'a refused body is kept nowhere',
    [meant(0), ...booked(0), receipt(0, { outcome: 'rejected', reason: 'conflict' })],
  ],
  [
    'I4',
    'a message goes out before its row stands',
    [meant(0), ...handled(0, [...forwarded(0), row(0), receipt(0)])],
  ],
  [
    'I4',
    'one try forwards twice, although a copy came as well',
    [meant(0), ...handled(0, [row(0), ...forwarded(0), ...forwarded(0)]), ...handled(0, [], LATER)],
  ],
  [
    'I4',
    'a booking never goes out, and a later copy is refused as late',
    [
      ...[meant(0, { route: 'readings' }), ...handled(0, [row(0, DEDUPLICATED)])],
      ...handled(0, [quarantined(0, 'late', { invocation: 9 })], { ...LATER, at: WEEKS }),
    ],
  ],
  [
    'I5',
    'a copy is a conflict with its own row',
    [
      ...[meant(0), ...booked(0)],
      ...handled(0, [quarantined(0, 'conflict', { invocation: 9, booked: 0 })], LATER),
    ],
  ],
  [
    'I6',
    'a query in the name of another is answered',
    [meant(0), ...booked(0), FOREIGN, receipt(0, { invocation: 7 })],
  ],
  [
    'I6',
    'a release in the name of another marks a row',
    [meant(0), ...booked(0), FOREIGN, { kind: 'released', serial: 0, invocation: 7 }],
  ],
  [
    'I7',
    'an id is released while a PUBLISH of it is under way',
    [meant(0), ...booked(0), { kind: 'released-early', device: 'raw-1', serial: 0 }],
  ],
  [
    'I2',
    'equal content is swallowed long after its window',
    [
      ...[meant(0, { route: 'signals', name: 'k' }), meant(1, { route: 'signals', name: 'k' })],
      ...[...booked(0, DEDUPLICATED), ...handled(1, [], { at: 6 * MINUTE })],
    ],
  ],
];

describe('the checker objects', () => {
  it.each(falsehoods)('as %s when %s', (invariant, _, events) => {
    expect(said(events)?.slice(0, 2)).toBe(invariant);
  });

  it('for every invariant in these examples', () => {
    const invariants = new Set(falsehoods.map(([invariant]) => invariant));
    expect([...invariants].toSorted()).toEqual(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7']);
  });
});
