/** What becomes of copies, conflicts and refusals on `deduplicated` routes, in each mode. */
import { describe, expect, it } from 'vitest';
import { RetryableError } from '../../core/base/errors.ts';
import type { DeduplicatedRoute } from '../../core/config/route.ts';
import { contentHash, payload, topicLevel, userProperty } from '../../core/config/sources.ts';
import { envelopeOf, Ingest } from '../../tools/handlers/ingest.ts';
import {
  BODY,
  bodyWith,
  NOW,
  routeOf,
  stateRouteOf,
  windowRouteOf,
} from '../../tools/handlers/samples.ts';

const OTHER = BODY.replace('12.50', '99');
const newIngest = (changes: Partial<DeduplicatedRoute> = {}) =>
  new Ingest({}, windowRouteOf(changes));
const outcomes = (ingest: Ingest) => ingest.receiptsTo('dev-1').map(({ outcome }) => outcome);
const forwardIds = (ingest: Ingest) =>
  ingest.forwards.map(({ userProperties }) => userProperties?.[0]?.[1]);
const marks = (ingest: Ingest) =>
  ingest.forwards.map(({ payload, userProperties = [] }) => {
    const { duplicate, unverified } = JSON.parse(payload);
    return { duplicate, unverified, properties: userProperties.slice(1) };
  });
const unmarked = { duplicate: undefined, unverified: undefined, properties: [] };
const down = async () => {
  throw new RetryableError('throttled');
};

describe('a route that enforces', () => {
  it('drops copies, and answers all of them', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'));
    await ingest.failures(envelopeOf('d-3'));
    expect(forwardIds(ingest)).toEqual(['events#dev-1#c-1#d-1']);
    expect(marks(ingest)).toEqual([unmarked]);
    expect(outcomes(ingest)).toEqual(['accepted', 'duplicate', 'duplicate']);
    expect(ingest.counts.get('Accepted')).toBe(1);
    expect(ingest.counts.get('Duplicate')).toBe(2);
  });

  it('forwards neither a conflict nor what it refused', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1'));
    expect(await ingest.failures(envelopeOf('d-2', OTHER), envelopeOf('d-3', 'x'))).toEqual([]);
    expect(ingest.forwards).toHaveLength(1);
    const reasons = ingest.quarantine.list().map(({ reason }) => reason);
    expect(reasons.sort()).toEqual(['conflict', 'invalid-body']);
  });

  it('names the forward anew when an id comes back after its window, for it is another message', async () => {
    const ingest = newIngest();
    await ingest.failures(envelopeOf('d-1'));
    await ingest.failures(envelopeOf('d-2', OTHER, 'dev-1', { receivedAt: NOW + 600_001 }));
    expect(forwardIds(ingest)).toEqual(['events#dev-1#c-1#d-1', 'events#dev-1#c-1#d-2']);
  });
});

describe('copies in one batch', () => {
  const at = (id: string, millis: number, body = BODY) =>
    envelopeOf(id, body, 'dev-1', { receivedAt: NOW + millis });

  it('whose content comes again after the window are two true events', async () => {
    const ingest = newIngest({ id: contentHash() });
    expect(await ingest.failures(at('d-2', 600_001), at('d-1', 0), at('d-3', 600_002))).toEqual([]);
    expect(forwardIds(ingest).map((id) => id?.split('#').at(-1))).toEqual(['d-1', 'd-2']);
    expect(ingest.counts.get('Accepted')).toBe(2);
  });

  it('push the window of a device-made id as if they had come apart', async () => {
    const ingest = newIngest();
    await ingest.failures(at('d-1', 0), at('d-2', 600_000));
    await ingest.failures(at('d-3', 1_200_000));
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.counts.get('Duplicate')).toBe(2);
  });

  it('are taken in order of arrival, whichever write is quicker', async () => {
    const ingest = newIngest();
    const { beforeBook } = ingest;
    ingest.beforeBook = async (id) => {
      if (id === 'd-1') await new Promise((resolve) => setImmediate(resolve));
      return beforeBook(id);
    };
    await ingest.failures(at('d-2', 5), at('d-1', 0));
    expect(forwardIds(ingest)).toEqual(['events#dev-1#c-1#d-1']);
  });

  it('fail alone: one whose forward is down does not hold another that was answered', async () => {
    const ingest = newIngest();
    ingest.beforePublish = async ({ topic }) => {
      if (topic.startsWith('deduplicated/')) throw new RetryableError('down');
    };
    expect(await ingest.failures(at('d-1', 0), at('d-2', 1))).toEqual(['m-1']);
    ingest.beforePublish = async () => {};
    expect(await ingest.failures(at('d-1', 0))).toEqual([]);
    expect(forwardIds(ingest)).toEqual(['events#dev-1#c-1#d-1']);
  });
});

describe('a route that marks', () => {
  it('forwards copies under the first one’s name, marked in envelope and user property', async () => {
    const ingest = newIngest({ mode: 'mark' });
    await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'));
    await ingest.failures(envelopeOf('d-3'));
    const mark = { duplicate: true, unverified: undefined, properties: [['duplicate', 'true']] };
    expect(marks(ingest)).toEqual([unmarked, mark, mark]);
    expect(new Set(forwardIds(ingest))).toEqual(new Set(['events#dev-1#c-1#d-1']));
    expect(outcomes(ingest)).toEqual(['accepted', 'duplicate', 'duplicate']);
    expect(ingest.counts.get('Forwarded')).toBe(3);
  });

  it('forwards a try that is resumed without a mark', async () => {
    const ingest = newIngest({ mode: 'mark' });
    ingest.beforePublish = down;
    expect(await ingest.failures(envelopeOf('d-1'))).toEqual(['m-1']);
    ingest.beforePublish = async () => {};
    await ingest.failures(envelopeOf('d-1'));
    expect(marks(ingest)).toEqual([unmarked]);
  });

  it('forwards no conflict and nothing that it refused', async () => {
    const ingest = newIngest({ mode: 'mark' });
    await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2', OTHER), envelopeOf('d-3', 'x'));
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.quarantine.rows.size).toBe(2);
  });
});

describe('a shadow route', () => {
  it('forwards every copy as if nobody had looked, each under a name of its own', async () => {
    const ingest = newIngest({ mode: 'shadow' });
    await ingest.failures(envelopeOf('d-1'), envelopeOf('d-2'));
    await ingest.failures(envelopeOf('d-3'));
    expect(marks(ingest)).toEqual([unmarked, unmarked, unmarked]);
    expect(forwardIds(ingest)).toEqual(['d-1', 'd-2', 'd-3'].map((id) => `events#dev-1#c-1#${id}`));
    expect(ingest.counts.get('Duplicate')).toBe(2);
  });

  it('keeps conflicts and refusals, tells the device, and forwards them all the same', async () => {
    const ingest = newIngest({ mode: 'shadow', time: payload('at') });
    await ingest.failures(envelopeOf('d-1', bodyWith({ at: String(NOW) })));
    const late = bodyWith({ id: '"c-2"', at: '0' });
    const conflict = bodyWith({ at: String(NOW), kWh: '99' });
    await ingest.failures(
      envelopeOf('d-2', conflict),
      envelopeOf('d-3', 'no JSON'),
      envelopeOf('d-4', late),
      envelopeOf('d-5', '{"at":1}'),
    );
    expect(forwardIds(ingest).slice(1).sort()).toEqual([
      'events#dev-1##d-3',
      'events#dev-1##d-5',
      'events#dev-1#c-1#d-2',
      'events#dev-1#c-2#d-4',
    ]);
    expect(marks(ingest)).toEqual(Array.from({ length: 5 }, () => unmarked));
    const unread = ingest.forwards.find(({ payload }) => payload.includes('d-3'));
    expect(JSON.parse(unread?.payload ?? '')).toMatchObject({
      device: 'dev-1',
      bodyBase64: Buffer.from('no JSON').toString('base64'),
    });
    expect(
      ingest.quarantine
        .list()
        .map(({ reason }) => reason)
        .sort(),
    ).toEqual(['conflict', 'invalid-body', 'late', 'missing-id']);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      ...Array.from({ length: 4 }, () => 'rejected'),
    ]);
  });

  it('never forwards what a stranger published on a device’s topic', async () => {
    const ingest = newIngest({ mode: 'shadow' });
    for (const clientId of ['mallory', undefined, 'a/b']) {
      await ingest.failures(envelopeOf(`d-${clientId}`, BODY, 'victim', { clientId }));
    }
    expect(ingest.forwards).toEqual([]);
    expect(ingest.quarantine.list()).toMatchObject([{ reason: 'wrong-device' }]);
  });

  it('never forwards a record that is no envelope', async () => {
    const ingest = newIngest({ mode: 'shadow' });
    expect(await ingest.failures('not JSON')).toEqual([]);
    expect(ingest.forwards).toEqual([]);
  });
});

describe('two bodies of one id', () => {
  const sentAt = (time: string, fields = {}) => bodyWith({ sentAt: text(time), ...fields });
  const text = (value: string) => JSON.stringify(value);

  it('that differ in what the route ignores are copies, however their numbers are written', async () => {
    const ingest = newIngest({ ignoring: ['sentAt'] });
    await ingest.failures(envelopeOf('d-1', sentAt('1')));
    await ingest.failures(envelopeOf('d-2', sentAt('2', { kWh: '1.25e1' })));
    await ingest.failures(envelopeOf('d-3', bodyWith()));
    expect(outcomes(ingest)).toEqual(['accepted', 'duplicate', 'duplicate']);
    const hashes = ingest.receiptsTo('dev-1').map(({ bodyHash }) => bodyHash);
    expect(new Set(hashes).size).toBe(3);
    expect(ingest.quarantine.rows.size).toBe(0);
  });

  it('that differ elsewhere are a conflict which names only the fields that count', async () => {
    const ingest = newIngest({ ignoring: ['sentAt'] });
    await ingest.failures(envelopeOf('d-1', sentAt('1')));
    await ingest.failures(envelopeOf('d-2', sentAt('2', { kWh: '99' })));
    expect(ingest.receiptsTo('dev-1')[1]).toMatchObject({ reason: 'conflict', fields: ['kWh'] });
    expect(ingest.quarantine.list()).toMatchObject([{ fields: ['kWh'] }]);
  });

  it.each([
    ['a window', windowRouteOf({ ignoring: null }), windowRouteOf({ ignoring: ['sentAt'] })],
    ['a window, taken back', windowRouteOf({ ignoring: ['sentAt'] }), windowRouteOf()],
    ['a state', stateRouteOf(), stateRouteOf({ ignoring: ['sentAt'] })],
  ])(
    'are compared again from the stored body when sameBody has changed: %s',
    async (_, old, now) => {
      const ingest = new Ingest({}, old);
      await ingest.failures(envelopeOf('d-1', sentAt('1')));
      ingest.deploy(now);
      await ingest.failures(envelopeOf('d-2', sentAt('1')));
      expect(outcomes(ingest)).toEqual(['accepted', 'duplicate']);
      await ingest.failures(envelopeOf('d-3', sentAt('2')));
      expect(outcomes(ingest)[2]).toBe(now.ignoring === null ? 'rejected' : 'duplicate');
      await ingest.failures(envelopeOf('d-4', sentAt('1', { kWh: '99' })));
      expect(outcomes(ingest)[3]).toBe('rejected');
    },
  );

  it('are compared again on a ledger, too, and the copy still pays the forward it owes', async () => {
    const ingest = new Ingest();
    ingest.beforePublish = down;
    expect(await ingest.failures(envelopeOf('d-1', sentAt('1')))).toEqual(['m-1']);
    ingest.beforePublish = async () => {};
    ingest.deploy(routeOf({ ignoring: ['sentAt'] }));
    expect(await ingest.failures(envelopeOf('d-1', sentAt('1')))).toEqual([]);
    expect(ingest.forwards).toHaveLength(1);
    await ingest.failures(envelopeOf('d-2', sentAt('2')));
    expect(outcomes(ingest)).toEqual(['accepted', 'duplicate']);
    expect([...ingest.ledger.rows.values()]).toMatchObject([{ tries: 3, body: sentAt('1') }]);
  });
});

describe('a body that the route need not look into', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);

  it.each([
    ['a content hash', contentHash()],
    ['a level of the topic', topicLevel(3)],
    ['a user property', userProperty('id')],
  ])('is kept as its bytes and forwarded as base64, with an id from %s', async (_, id) => {
    const ingest = newIngest({ id });
    const properties = { userProperties: [{ id: 'u-1' }] };
    expect(await ingest.failures(envelopeOf('d-1', bytes, 'dev-1', properties))).toEqual([]);
    expect(await ingest.failures(envelopeOf('d-2', bytes, 'dev-1', properties))).toEqual([]);
    expect(outcomes(ingest)).toEqual(['accepted', 'duplicate']);
    const [row] = ingest.dedupRecords.rows.values();
    expect(Buffer.from(row?.body ?? '').equals(Buffer.from(bytes))).toBe(true);
    const forward = JSON.parse(ingest.forwards[0]?.payload ?? '');
    expect(forward).not.toHaveProperty('body');
    expect(Buffer.from(forward.bodyBase64, 'base64').equals(Buffer.from(bytes))).toBe(true);
  });

  it('is text in the row where it is text, and JSON in the forward where it is JSON', async () => {
    const ingest = newIngest({ id: contentHash() });
    await ingest.failures(envelopeOf('d-1', 'plain text'), envelopeOf('d-2', '{"n":1.10}'));
    expect([...ingest.dedupRecords.rows.values()].map(({ body }) => body)).toEqual([
      'plain text',
      '{"n":1.10}',
    ]);
    expect(
      ingest.forwards.find(({ payload }) => payload.endsWith('"body":{"n":1.10}}')),
    ).toBeDefined();
  });

  it('is a conflict without fields when other bytes come under its id', async () => {
    const ingest = newIngest({ id: topicLevel(3) });
    await ingest.failures(envelopeOf('d-1', bytes));
    await ingest.failures(envelopeOf('d-2', 'other'));
    expect(ingest.quarantine.list()).toMatchObject([
      { reason: 'conflict', body: 'other', bookedBody: Buffer.from(bytes), fields: [] },
    ]);
  });

  it('has to be JSON as soon as anything is read from it', async () => {
    for (const changes of [
      { id: contentHash('a') },
      { id: topicLevel(3), time: payload('at') },
      { id: topicLevel(3), ignoring: ['sentAt'] },
    ]) {
      const ingest = newIngest(changes);
      await ingest.failures(envelopeOf('d-1', 'plain text'));
      expect(ingest.quarantine.list()).toMatchObject([{ reason: 'invalid-body' }]);
    }
  });
});
