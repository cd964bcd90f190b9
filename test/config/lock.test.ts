import { describe, expect, it } from 'vitest';
import { compareLock, hasAdditions, lockOf } from '../../core/config/lock.ts';
import { formatLock, parseLock } from '../../core/config/lock-text.ts';
import {
  all,
  contentHash,
  ignoring,
  payload,
  sequence,
  timestamp,
  topicLevel,
} from '../../core/config/sources.ts';
import {
  bridgeOf,
  type Changes,
  changesOf,
  charges,
  events,
  lock,
  status,
} from './lock-fixture.ts';

describe('a lock', () => {
  it('pins what the records of each route hang on, readably, sorted, with a newline', () => {
    expect(formatLock(lock)).toBe(`{
  "bridge": "tollbridge",
  "lockVersion": 1,
  "routes": {
    "charges": {
      "device": "topicLevel(2)",
      "entry.account": "payload('account')",
      "entry.amount": "payload('kWh')",
      "entry.occurredAt": "payload('at')",
      "entry.unit": "kWh",
      "guarantee": "exactly-once",
      "id": "payload('id')",
      "indexShards": 1,
      "sameBody": "bytes",
      "topic": "billing/+/+",
      "trustTopicLevel": "no"
    },
    "events": {
      "device": "topicLevel(2)",
      "guarantee": "deduplicated",
      "id": "contentHash('at', 'type')",
      "sameBody": "bytes",
      "time": "payload('at')",
      "topic": "events/+/#",
      "trustTopicLevel": "no"
    },
    "status": {
      "device": "topicLevel(2)",
      "guarantee": "latest",
      "sameBody": "bytes",
      "topic": "status/+/+",
      "trustTopicLevel": "no",
      "version": "timestamp('at')"
    }
  }
}
`);
  });

  it('is read back as it was written, however it is indented', () => {
    expect(parseLock(formatLock(lock))).toEqual(lock);
    expect(parseLock(JSON.stringify(lock))).toEqual(lock);
    expect(parseLock(formatLock(lock).replaceAll('\n', '\r\n'))).toEqual(lock);
  });

  it('says the same whatever the order of routes and of fields', () => {
    const id = contentHash('type', 'at');
    const bridge = bridgeOf({ events: { ...events, id } });
    const turned = { ...bridge, routes: bridge.routes.toReversed() };
    expect(formatLock(lockOf(turned))).toBe(formatLock(lock));
  });

  it('has room for routes with the names of inherited fields', () => {
    const bridge = bridgeOf({ constructor: { ...charges, topic: 'other/+' } });
    const read = parseLock(formatLock(lockOf(bridge)));
    expect(compareLock(bridge, read)).toEqual([]);
    expect(hasAdditions(bridge, lock)).toBe(true);
    expect(compareLock(bridgeOf(), read)).toMatchObject([{ name: 'constructor' }]);
  });
});

describe('no change', () => {
  it('is a bridge that is as it was pinned', () => {
    expect(changesOf({})).toEqual([]);
    expect(hasAdditions(bridgeOf(), lock)).toBe(false);
  });

  it('is a new route', () => {
    const more = { meters: { ...charges, topic: 'meters/+' } };
    expect(changesOf(more)).toEqual([]);
    expect(hasAdditions(bridgeOf(more), lock)).toBe(true);
  });

  it('is whatever no record hangs on', () => {
    const changes = {
      charges: {
        ...charges,
        forward: 'booked/{device}',
        feed: 'direct',
        receipts: 'none',
        maxAge: { days: 30 },
      },
      events: { ...events, window: { days: 14 }, mode: 'shadow', forward: 'clean/{device}' },
    };
    expect(changesOf(changes)).toEqual([]);
  });
});

describe('a change', () => {
  const entry = charges.entry;
  it.each<[string, Changes, string, string]>([
    [
      'charges.id',
      { charges: { ...charges, id: sequence('seq', { epoch: 'boot' }) } },
      "payload('id')",
      "sequence('seq', { epoch: 'boot' })",
    ],
    [
      'charges.device',
      { charges: { ...charges, device: topicLevel(3) } },
      'topicLevel(2)',
      'topicLevel(3)',
    ],
    [
      'charges.sameBody',
      { charges: { ...charges, sameBody: ignoring('sentAt', 'attempt') } },
      'bytes',
      "ignoring('attempt', 'sentAt')",
    ],
    [
      'charges.entry.account',
      { charges: { ...charges, entry: { ...entry, account: payload('payer') } } },
      "payload('account')",
      "payload('payer')",
    ],
    [
      'charges.entry.occurredAt',
      { charges: { ...charges, entry: { ...entry, occurredAt: payload('endedAt') } } },
      "payload('at')",
      "payload('endedAt')",
    ],
    ['charges.topic', { charges: { ...charges, topic: 'bill/+/+' } }, 'billing/+/+', 'bill/+/+'],
    [
      'charges.entry.amount',
      { charges: { ...charges, entry: { ...entry, amount: payload('Wh') } } },
      "payload('kWh')",
      "payload('Wh')",
    ],
    [
      'charges.entry.unit',
      { charges: { ...charges, entry: { ...entry, unit: 'Wh' } } },
      'kWh',
      'Wh',
    ],
    [
      'charges.trustTopicLevel',
      { charges: { ...charges, trustTopicLevel: 'gateway gw-1 publishes for all' } },
      'no',
      'yes',
    ],
    ['charges.indexShards', { charges: { ...charges, indexShards: 4 } }, '1', '4'],
    [
      'events.id',
      { events: { ...events, id: all(timestamp('at'), payload('type')) } },
      "contentHash('at', 'type')",
      "all(timestamp('at'), payload('type'))",
    ],
    [
      'status.version',
      { status: { ...status, version: timestamp('sentAt') } },
      "timestamp('at')",
      "timestamp('sentAt')",
    ],
    ['status.guarantee', { status: { ...charges, topic: status.topic } }, 'latest', 'exactly-once'],
    ['events', { events: undefined }, 'a route that is deduplicated', 'not there'],
    [
      'charges',
      { charges: undefined, tolls: charges },
      'a route that is exactly-once',
      'not there; new is tolls',
    ],
  ])('has a name, both sides and its effect: %s', (name, changes, pinned, now) => {
    const found = changesOf(changes);
    expect(found).toMatchObject([{ name, pinned, now }]);
    expect(found[0]?.effect).toMatch(/^[A-Z].{60,}\.$/);
  });

  it('of the name of the bridge stands for all of it', () => {
    expect(changesOf({}, 'other')).toMatchObject([
      { name: 'bridge.name', pinned: 'tollbridge', now: 'other' },
    ]);
  });

  it('of an id says what it costs: a second bill, or a second forward', () => {
    const changes = {
      charges: { ...charges, id: payload('uuid') },
      events: { ...events, id: payload('uuid') },
    };
    const [bill, forward] = changesOf(changes);
    expect(bill?.effect).toContain('billed a second time');
    expect(forward?.effect).toContain('forwarded a second time');
  });

  it('of an index key says that nothing is billed twice, but invoices miss rows', () => {
    for (const { effect } of changesOf({ charges: { ...charges, indexShards: 4 } })) {
      expect(effect).toContain('misses charges');
      expect(effect).not.toContain('second time');
    }
  });

  it('of the time of a message is one, for it says which window a copy falls into', () => {
    const named = { ...events, id: payload('id') };
    const before = lockOf(bridgeOf({ events: named }));
    const now = bridgeOf({ events: { ...named, time: payload('sentAt') } });
    expect(compareLock(now, before)).toMatchObject([
      { name: 'events.time', pinned: "payload('at')", now: "payload('sentAt')" },
    ]);
  });

  it('of a name says that both rules book what is sent while they stand', () => {
    const [renamed] = changesOf({ charges: undefined, tolls: charges });
    expect(renamed?.effect).toContain('tolls listens where it did');
    const elsewhere = { ...charges, topic: 'tolls/+/+' };
    const [moved] = changesOf({ charges: undefined, tolls: elsewhere });
    expect(moved?.effect).not.toContain('listens where it did');
  });

  it('never comes alone when there are more', () => {
    const changes = {
      charges: { ...charges, id: payload('uuid'), device: topicLevel(3) },
      status: undefined,
    };
    expect(changesOf(changes, 'other').map(({ name }) => name)).toEqual([
      'bridge.name',
      'charges.device',
      'charges.id',
      'status',
    ]);
  });
});
