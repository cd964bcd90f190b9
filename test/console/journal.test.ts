/** What the console makes of the cloud's events, whatever they hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../core/config/route.ts';
import { Journal } from '../../local/console/journal.ts';
import type { CloudEvent } from '../../local/contracts.ts';
import { createEventFeed } from '../../local/feed.ts';
import { anyText } from '../../tools/any-text.ts';
import { NOW, routeOf, windowRouteOf } from '../../tools/handlers/samples.ts';

describe('events', () => {
  it('reach every listener, also when one of them throws', () => {
    const failures: unknown[] = [];
    const seen: string[] = [];
    const feed = createEventFeed((error) => failures.push(error));
    const event: CloudEvent = { kind: 'log', functionName: 'f', line: 'x' };
    feed.listen(() => {
      throw new Error('broken');
    });
    const stop = feed.listen(({ kind }) => seen.push(kind));
    feed.observe(event);
    feed.observe(event);
    stop();
    feed.observe(event);
    expect(seen).toEqual(['log', 'log']);
    expect(failures).toHaveLength(1);
  });

  it('of any kind and content never make the journal throw', () => {
    const tables = { ledger: 'L', dedupRecords: 'D', state: 'S', quarantine: 'Q' };
    const routes = new Map<string, Route>([
      ['r', routeOf()],
      ['w', windowRouteOf()],
    ]);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 80 }).map((raw) => Buffer.from(raw)),
      fc.json().map((text) => Buffer.from(text)),
    );
    const text = anyText(60);
    const event: fc.Arbitrary<CloudEvent> = fc.oneof(
      fc.record({
        kind: fc.constant('delivery' as const),
        rule: fc.constantFrom('r', 'w', 'x'),
        topic: text,
        clientId: fc.option(text, { nil: undefined }),
        payload: bytes,
        output: fc.oneof(text, fc.json()),
        traceId: text,
      }),
      fc.record({
        kind: fc.constant('table' as const),
        functionName: text,
        operation: fc.constantFrom('UpdateItem', 'PutItem', 'DeleteItem'),
        request: fc.oneof(
          bytes,
          fc
            .record({
              TableName: fc.constantFrom('L', 'D', 'S', 'Q'),
              Key: fc.jsonValue(),
              Item: fc.jsonValue(),
              ExpressionAttributeValues: fc.dictionary(
                fc.constantFrom(
                  ':body',
                  ':tries',
                  ':reason',
                  ':firstDeliveryId',
                  ':releasedAt',
                  ':bodyHash',
                  ':route',
                ),
                fc.jsonValue(),
              ),
            })
            .map((value) => Buffer.from(JSON.stringify(value))),
        ),
        status: fc.constantFrom(200, 400, 500),
        answer: bytes,
      }),
      fc.record({
        kind: fc.constant('published' as const),
        topic: fc.oneof(text, fc.constantFrom('tollbridge/d/receipts', 'booked/d/charges')),
        payload: fc.oneof(
          bytes,
          fc
            .record({
              v: fc.constant(1),
              route: fc.constantFrom('charges', 'x'),
              receipts: fc.jsonValue(),
              'tollbridge-id': fc.jsonValue(),
              device: fc.jsonValue(),
            })
            .map((value) => Buffer.from(JSON.stringify(value))),
        ),
        qos: fc.constantFrom(0 as const, 1 as const),
      }),
    );
    const journal = new Journal({
      routes,
      tables,
      clock: () => NOW,
      tell: (news) => JSON.stringify(news),
    });
    fc.assert(
      fc.property(event, (one) => journal.observe(one)),
      { numRuns: 2_000, seed: 5 },
    );
    expect(journal.counters.snapshot().unread).toBe(0);
    expect(journal.counters.snapshot().deliveries).toBeGreaterThan(300);
  });
});
