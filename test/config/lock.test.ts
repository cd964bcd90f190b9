import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import {
  assertAccepted,
  compareLock,
  hasAdditions,
  type LockChange,
  LockError,
  lockOf,
} from '../../core/config/lock.ts';
import { formatLock, LockFileError, parseLock } from '../../core/config/lock-text.ts';
import type { Bridge } from '../../core/config/route.ts';
import {
  all,
  contentHash,
  ignoring,
  payload,
  sequence,
  timestamp,
  topicLevel,
} from '../../core/config/sources.ts';
import { charges as sample } from '../../tools/handlers/samples.ts';

const charges = { ...sample, topic: 'billing/+/+', forward: undefined };
const events = {
  guarantee: 'deduplicated',
  topic: 'events/+/#',
  device: topicLevel(2),
  id: contentHash('at', 'type'),
  time: payload('at'),
  window: { days: 7 },
};
const status = {
  guarantee: 'latest',
  topic: 'status/+/+',
  device: topicLevel(2),
  version: timestamp('at'),
};
const routes = { status, charges, events };

type Changes = Readonly<Record<string, unknown>>;

function bridgeOf(changes: Changes = {}, name = 'tollbridge'): Bridge {
  const written = Object.fromEntries(
    Object.entries({ ...routes, ...changes }).filter(([, route]) => route !== undefined),
  );
  const plain = Object.entries(written).map(([key, route]) => [key, withoutUndefined(route)]);
  return checkConfig({ name, routes: Object.fromEntries(plain) });
}

function withoutUndefined(route: unknown): unknown {
  return Object.fromEntries(
    Object.entries(route as Changes).filter(([, value]) => value !== undefined),
  );
}

const lock = lockOf(bridgeOf());

function changesOf(changes: Changes, name?: string): readonly LockChange[] {
  return compareLock(bridgeOf(changes, name), lock);
}

describe('a lock', () => {
  it('pins what the records of each route hang on, readably, sorted, with a newline', () => {
    expect(formatLock(lock)).toBe(`{
  "bridge": "tollbridge",
  "lockVersion": 1,
  "routes": {
    "charges": {
      "device": "topicLevel(2)",
      "entry.account": "payload('account')",
      "entry.occurredAt": "payload('at')",
      "guarantee": "exactly-once",
      "id": "payload('id')",
      "indexShards": 1,
      "sameBody": "bytes"
    },
    "events": {
      "device": "topicLevel(2)",
      "guarantee": "deduplicated",
      "id": "contentHash('at', 'type')",
      "sameBody": "bytes"
    },
    "status": {
      "device": "topicLevel(2)",
      "guarantee": "latest",
      "sameBody": "bytes",
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
        entry: { ...charges.entry, amount: payload('litres'), unit: 'l' },
        forward: 'booked/{device}',
        feed: 'direct',
        receipts: 'none',
        maxAge: { days: 30 },
        trustTopicLevel: 'gateway gw-1 publishes for all',
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

describe('acceptance', () => {
  const changes = changesOf({
    charges: { ...charges, id: payload('uuid'), device: topicLevel(3) },
  });

  function refusalOf(accepted: readonly string[], of = changes): LockError {
    try {
      assertAccepted(of, accepted);
    } catch (error) {
      if (error instanceof LockError) return error;
      throw error;
    }
    throw new Error('nothing was refused');
  }

  it('is by name, of every change', () => {
    expect(() => assertAccepted(changes, ['charges.id', 'charges.device'])).not.toThrow();
    expect(() => assertAccepted([], [])).not.toThrow();
  });

  it('is asked for with every change in one message, and the command that accepts them', () => {
    const { message, changes: refused } = refusalOf([]);
    expect(refused).toEqual(changes);
    for (const { name, pinned, now, effect } of changes) {
      for (const part of [name, pinned, now, effect]) expect(message).toContain(part);
    }
    expect(message).toContain('npx cdk synth -c accept=charges.device,charges.id');
    expect(message).toContain('TOLLBRIDGE_ACCEPT=charges.device,charges.id npm start');
  });

  it('of one change leaves the other refused, and nothing is half accepted', () => {
    const error = refusalOf(['charges.id']);
    expect(error.changes.map(({ name }) => name)).toEqual(['charges.device']);
    expect(error.message).toContain('accept=charges.device,charges.id');
  });

  it('of a name that accepts nothing is refused as a slip of the pen', () => {
    const error = refusalOf(['charges.id', 'charges.device', 'charges.ids']);
    expect(error).toMatchObject({ changes: [], unknownNames: ['charges.ids'] });
    expect(error.message).toContain("'charges.ids', which accepts nothing");
    expect(error.message).toContain('what has changed is charges.device, charges.id');
    expect(refusalOf(['charges'], []).message).toContain('may be in the lock file already');
  });

  it('is not possible for a whole route at once while the route is there', () => {
    expect(refusalOf(['charges']).unknownNames).toEqual(['charges']);
  });
});

describe('a lock file is refused', () => {
  const pins = { ...lock.routes.charges };
  const having = (changes: Changes) => JSON.stringify({ ...lock, ...changes });
  const pinning = (changes: Changes) => having({ routes: { charges: { ...pins, ...changes } } });

  it.each([
    ['is empty', '', 'not JSON'],
    ['holds a merge', `<<<<<<< HEAD\n${formatLock(lock)}`, 'not JSON'],
    ['is cut off', formatLock(lock).slice(0, -3), 'not JSON'],
    ['is no object', '[]', 'not a JSON object'],
    [
      'has a key twice',
      '{"lockVersion":1,"bridge":"a","bridge":"b","routes":{}}',
      "Duplicate key 'bridge'",
    ],
    ['has no version', having({ lockVersion: undefined }), 'lockVersion is missing'],
    ['comes from a later version', having({ lockVersion: 2 }), 'lockVersion is 2'],
    ['has no bridge', having({ bridge: undefined }), 'bridge is not'],
    ['has no routes', having({ routes: undefined }), 'routes is not'],
    ['has more than it should', having({ comment: 'x' }), 'comment is unknown'],
    ['has a route with an odd name', having({ routes: { 'a-b': pins } }), 'routes.a-b is not'],
    ['has a route that is a text', having({ routes: { charges: 'x' } }), 'routes.charges is not'],
    ['has no such guarantee', pinning({ guarantee: 'best' }), 'guarantee is none'],
    ['lacks a pin', pinning({ id: undefined }), 'routes.charges.id is missing'],
    ['has a pin of another guarantee', pinning({ version: 'x' }), 'version is unknown'],
    ['has a pin that is no text', pinning({ device: 2 }), 'device is not a text'],
    ['has half a shard', pinning({ indexShards: 1.5 }), 'indexShards is not a whole number'],
  ])('that %s', (_, text, fault) => {
    expect(() => parseLock(text)).toThrow(LockFileError);
    expect(() => parseLock(text)).toThrow(fault);
    expect(() => parseLock(text)).toThrow('git checkout tollbridge.lock.json');
  });
});
