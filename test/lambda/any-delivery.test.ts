/** Anything at all, on every guarantee: it ends booked, quarantined, stale or unverified. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryableError } from '../../core/base/errors.ts';
import type { Route } from '../../core/config/route.ts';
import {
  all,
  contentHash,
  correlationData,
  payload,
  sequence,
  timestamp,
  topicLevel,
  userProperty,
} from '../../core/config/sources.ts';
import { readMessage } from '../../core/message/message.ts';
import { anyText } from '../../tools/any-text.ts';
import { envelopeOf, Ingest } from '../../tools/handlers/ingest.ts';
import {
  BODY,
  bodyWith,
  deliveryOf,
  NOW,
  routeOf,
  stateRouteOf,
  windowRouteOf,
} from '../../tools/handlers/samples.ts';

const ids = [
  payload('id'),
  sequence('seq', { epoch: 'id' }),
  timestamp('at'),
  contentHash(),
  contentHash('id', 'kWh'),
  userProperty('id'),
  correlationData(),
  topicLevel(3),
  all(timestamp('at'), payload('id'), userProperty('id')),
];
const flags = fc.record({
  id: fc.constantFrom(...ids),
  ignoring: fc.constantFrom(null, ['sentAt'], ['at', 'x.y']),
  forward: fc.constantFrom(null, 'out/{device}', '{topic}/{topic}/{topic}'),
  trustTopicLevel: fc.constantFrom(null, null, 'a gateway'),
});
const anyRoute: fc.Arbitrary<Route> = fc.oneof(
  flags.map((changes) => routeOf(changes)),
  fc
    .tuple(
      flags,
      fc.record({
        mode: fc.constantFrom('enforce' as const, 'mark' as const, 'shadow' as const),
        onStoreDown: fc.constantFrom('hold' as const, 'forward' as const),
        time: fc.constantFrom(null, payload('at')),
        windowSeconds: fc.constantFrom(1, 600, 366 * 86_400),
      }),
    )
    .map(([common, changes]) => windowRouteOf({ ...common, ...changes })),
  flags.map(({ id: _, ...changes }) => stateRouteOf(changes)),
);

const time = fc.oneof(
  fc.constantFrom(NOW, NOW - 1, NOW + 86_400_000, NOW + 86_400_001, 0, 8.64e15, -8.64e15, 1e300),
  fc.constantFrom('2026-11-20T08:59:00Z', '2126-01-01T00:00:00Z', '-1', 'x', ''),
);
const scalar = fc.oneof(anyText(6), fc.integer(), fc.double());
const anyField = fc.oneof(scalar, scalar, fc.jsonValue({ maxDepth: 2 }));
const anyBody = fc.oneof(
  fc.constantFrom('', '{}', '[]', 'null', '1'),
  fc.uint8Array({ maxLength: 40 }),
  fc
    .record(
      {
        id: fc.constantFrom<unknown>('c-1', 1, ''),
        seq: anyField,
        at: time,
        account: anyField,
        kWh: anyField,
        sentAt: anyField,
      },
      { requiredKeys: [] },
    )
    .map((body) => JSON.stringify(body)),
  fc.constantFrom('x'.repeat(92_161), `{"id":${'['.repeat(70)}`, '{"id":1,"id":2}'),
);
const hostileParts = {
  receivedAt: fc.constantFrom(NOW, NOW - 1, NOW + 600_001, 0, 253_402_300_799_999, NOW + 0.5),
  clientId: fc.constantFrom('dev-1', 'mallory', 'a/b', undefined),
  topic: fc.oneof(
    fc.constantFrom('billing/dev-1/charges', 'billing//charges', '', '$aws/rules/r/x', 'a/+'),
    anyText(300),
  ),
  userProperties: fc.oneof(
    fc.constantFrom([{ id: '' }], [{ id: 'u' }, { id: 'v' }], [{ id: '\ud800' }]),
    fc.jsonValue({ maxDepth: 2 }),
  ),
  correlationData: fc.constantFrom('', '\ud800', 7),
  principal: anyField,
};
const properties = { userProperties: [{ id: 'u' }], correlationData: 'AAE=' };
/** Mostly as it should be, so that more than refusals is tried. */
const anyEnvelope = fc
  .tuple(
    fc.constantFrom('d-1', 'd-2', 'd-3', 'd-4', 'd-5'),
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(BODY, BODY, bodyWith({ sentAt: '1' }), bodyWith({ kWh: '9' })),
      },
      { weight: 3, arbitrary: anyBody },
    ),
    fc.constantFrom('dev-1', 'dev-1', 'dev-2'),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant({}) },
      { weight: 2, arbitrary: fc.record({ receivedAt: hostileParts.receivedAt }) },
      { weight: 3, arbitrary: fc.record(hostileParts, { requiredKeys: [] }) },
    ),
  )
  .map(([deliveryId, body, device, changes]) =>
    envelopeOf(deliveryId, body, device, { ...properties, ...changes }),
  );
const anyRecord = fc.oneof(
  { weight: 9, arbitrary: anyEnvelope },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.jsonValue()) },
);

const ENDS = [
  'Accepted',
  'Resumed',
  'Duplicate',
  'Conflict',
  'Rejected',
  'Stale',
  'Unverified',
] as const;
const endedIn = (ingest: Ingest) =>
  ENDS.reduce((sum, name) => sum + (ingest.counts.get(name) ?? 0), 0);

describe('any delivery on any route', () => {
  it('ends booked, quarantined or stale, each counted once, and comes to the same end again', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        anyRoute,
        fc.array(anyRecord, { minLength: 1, maxLength: 6 }),
        async (route, records) => {
          const ingest = new Ingest({}, route);
          expect(await ingest.failures(...records)).toEqual([]);
          expect(endedIn(ingest)).toBe(records.length);
          const rows = () =>
            [ingest.ledger, ingest.dedupRecords, ingest.state].map(({ rows }) => rows.size);
          const [booked, kept] = [rows(), ingest.quarantine.rows.size];
          expect(await ingest.failures(...records)).toEqual([]);
          expect(rows()).toEqual(booked);
          if (route.guarantee === 'exactly-once') expect(ingest.quarantine.rows.size).toBe(kept);
          for (const [name, count] of ingest.counts) {
            seen.set(name, (seen.get(name) ?? 0) + count);
          }
        },
      ),
      { seed: 20261121, numRuns: 2_500 },
    );
    for (const name of ['Accepted', 'Resumed', 'Duplicate', 'Conflict', 'Rejected', 'Stale']) {
      expect(seen.get(name) ?? 0, name).toBeGreaterThan(10);
    }
  });

  it('fails for a store that is down alone: held, or forwarded unverified and unanswered', async () => {
    await fc.assert(
      fc.asyncProperty(anyRoute, anyRecord, async (route, record) => {
        const ingest = new Ingest({}, route);
        ingest.beforeBook = async () => {
          throw new RetryableError('throttled');
        };
        ingest.beforeFind = () => ingest.beforeBook('');
        const failed = await ingest.failures(record);
        const unverified = ingest.counts.get('Unverified') ?? 0;
        expect(failed.length + unverified + (ingest.counts.get('Rejected') ?? 0)).toBe(1);
        const failsOpen = route.guarantee === 'deduplicated' && route.onStoreDown === 'forward';
        if (unverified > 0) {
          expect(failsOpen).toBe(true);
          expect(ingest.published.every(({ topic }) => !topic.startsWith('tollbridge/'))).toBe(
            true,
          );
          const ends = ingest.forwards.length + ingest.quarantine.rows.size;
          expect(ends).toBe(1);
        }
      }),
      { seed: 20261121, numRuns: 2_000 },
    );
  });

  it('is answered to nobody but the client that published it', async () => {
    await fc.assert(
      fc.asyncProperty(anyRoute, anyEnvelope, async (route, envelope) => {
        const ingest = new Ingest({}, { ...route, trustTopicLevel: null });
        await ingest.failures(envelope);
        for (const { topic } of ingest.published) {
          if (topic.startsWith('tollbridge/')) {
            expect(topic).toBe(`tollbridge/${envelope.clientId}/receipts`);
          }
        }
      }),
      { seed: 20261121, numRuns: 1_000 },
    );
  });

  it('is read the same way every time, whatever it holds', () => {
    fc.assert(
      fc.property(anyRoute, anyBody, anyText(60), (route, body, topic) => {
        for (const changes of [{}, { topic }]) {
          const bytes = typeof body === 'string' ? Buffer.from(body) : body;
          const delivery = deliveryOf(bytes, changes);
          expect(readMessage(route, delivery)).toEqual(readMessage(route, delivery));
        }
      }),
      { seed: 20261121, numRuns: 2_000 },
    );
  });
});
