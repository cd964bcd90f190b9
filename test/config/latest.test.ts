import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import type { Problem } from '../../core/config/problem.ts';
import { defineConfig } from '../../core/config/route.ts';
import { ignoring, payload, timestamp, topicLevel } from '../../core/config/sources.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { problemsOf as problemsIn } from '../../tools/problems.ts';

/** A route for states. */
const status = {
  guarantee: 'latest',
  topic: 'status/+',
  device: topicLevel(2),
  version: timestamp('at'),
} as const;

function problemsOf(changes: Readonly<Record<string, unknown>>): readonly Problem[] {
  return problemsIn({ routes: { status: { ...status, ...changes } } });
}

describe('a latest route', () => {
  it('passes, with every default filled in', () => {
    expect(checkConfig(defineConfig({ routes: { status } })).routes).toEqual([
      {
        ...status,
        name: 'status',
        forward: null,
        feed: 'queue',
        batch: { messages: 10, waitSeconds: 0 },
        receipts: 0,
        trustTopicLevel: null,
        ignoring: null,
      },
    ]);
  });

  it('stands beside the other guarantees', () => {
    const events = {
      guarantee: 'deduplicated',
      topic: 'events/+/#',
      device: topicLevel(2),
      id: payload('id'),
      window: { hours: 1 },
    } as const;
    const bridge = checkConfig(defineConfig({ routes: { charges, events, status } }));
    expect(bridge.routes.map(({ name, guarantee }) => [name, guarantee])).toEqual([
      ['charges', 'exactly-once'],
      ['events', 'deduplicated'],
      ['status', 'latest'],
    ]);
  });

  it.each([
    undefined,
    null,
    'at',
    payload('at'),
    timestamp(''),
    timestamp('a..b'),
    { from: 'timestamp' },
    { from: 'timestamp', path: 7 },
    7,
  ])('needs a version that is a time of the body, not %j', (version) => {
    expect(problemsOf({ version })).toMatchObject([
      { at: 'routes.status.version', fix: "write version: timestamp('at')" },
    ]);
  });

  it('has an unknown key of its version refused', () => {
    expect(problemsOf({ version: { ...timestamp('at'), unit: 's' } })).toMatchObject([
      { at: 'routes.status.version.unit', got: 'an unknown key' },
    ]);
  });

  it.each([
    ['id', payload('id'), "'exactly-once' and 'deduplicated'"],
    ['entry', {}, "'exactly-once'"],
    ['window', { days: 7 }, "'deduplicated'"],
    ['mode', 'mark', "'deduplicated'"],
    ['onStoreDown', 'hold', "'deduplicated'"],
    ['maxAge', { days: 7 }, "'exactly-once'"],
  ])('has no %s, and says which guarantee does', (key, value, guarantees) => {
    expect(problemsOf({ [key]: value })).toMatchObject([
      { at: `routes.status.${key}`, got: `a key of ${guarantees} routes` },
    ]);
  });

  it('is read as one when its guarantee is misspelt', () => {
    expect(problemsOf({ guarantee: 'newest', version: 7 }).map(({ at }) => at)).toEqual([
      'routes.status.guarantee',
      'routes.status.version',
    ]);
  });

  it('can ignore fields of the body, but not its version', () => {
    expect(problemsOf({ sameBody: ignoring('sentAt') })).toEqual([]);
    expect(problemsOf({ version: timestamp('sent.at'), sameBody: ignoring('sent') })).toMatchObject(
      [{ at: 'routes.status.sameBody', got: expect.stringContaining('which version reads') }],
    );
  });

  it('is held to the rules of every route: device, filter, forward, trust', () => {
    const changes = {
      device: topicLevel(1),
      forward: 'status/{device}',
      trustTopicLevel: 'because',
      receipts: 7,
    };
    expect(problemsOf(changes).map(({ at }) => at)).toEqual([
      'routes.status.device',
      'routes.status.receipts',
      'routes.status.trustTopicLevel',
      'routes.status.forward',
    ]);
    expect(problemsOf({ topic: 'tollbridge/+' }).map(({ at }) => at)).toEqual([
      'routes.status.topic',
    ]);
  });

  it('may not listen where another guarantee does, nor forward there', () => {
    const overlapping = { charges, status: { ...status, topic: 'billing/+/#' } };
    const looping = { charges, status: { ...status, forward: 'billing/{device}/charges' } };
    expect(() => checkConfig({ routes: overlapping })).toThrow('overlaps');
    expect(() => checkConfig({ routes: looping })).toThrow("reaches 'billing/+/charges'");
  });
});
