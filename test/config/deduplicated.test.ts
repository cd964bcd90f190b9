import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import type { Problem } from '../../core/config/problem.ts';
import { defineConfig } from '../../core/config/route.ts';
import {
  all,
  contentHash,
  correlationData,
  ignoring,
  payload,
  sequence,
  timestamp,
  topicLevel,
} from '../../core/config/sources.ts';
import { problemsOf as problemsIn } from '../../tools/problems.ts';

/** A route for events. */
const events = {
  guarantee: 'deduplicated',
  topic: 'events/+/#',
  device: topicLevel(2),
  id: contentHash('at', 'type'),
  time: payload('at'),
  window: { days: 7 },
  forward: 'deduplicated/{topic}',
} as const;

function problemsOf(changes: Readonly<Record<string, unknown>>): readonly Problem[] {
  return problemsIn({ routes: { events: { ...events, ...changes } } });
}

function placesOf(changes: Readonly<Record<string, unknown>>): readonly string[] {
  return problemsOf(changes).map(({ at }) => at.replace('routes.events.', ''));
}

describe('a deduplicated route', () => {
  it('passes, with every default filled in', () => {
    expect(checkConfig(defineConfig({ routes: { events } })).routes).toEqual([
      {
        name: 'events',
        guarantee: 'deduplicated',
        topic: 'events/+/#',
        device: topicLevel(2),
        id: contentHash('at', 'type'),
        time: payload('at'),
        windowSeconds: 604_800,
        mode: 'enforce',
        onStoreDown: 'hold',
        forward: 'deduplicated/{topic}',
        feed: 'queue',
        batch: { messages: 10, waitSeconds: 0 },
        receipts: 0,
        trustTopicLevel: null,
        ignoring: null,
      },
    ]);
  });

  it('keeps what it says', () => {
    const said = {
      ...events,
      id: sequence('seq', { epoch: 'boot' }),
      mode: 'shadow',
      onStoreDown: 'forward',
      feed: 'direct',
      receipts: 'none',
      sameBody: ignoring('sentAt'),
    } as const;
    const bridge = checkConfig(defineConfig({ routes: { events: said } }));
    expect(bridge.routes[0]).toMatchObject({
      id: said.id,
      mode: 'shadow',
      onStoreDown: 'forward',
      feed: 'direct',
      receipts: 'none',
      ignoring: ['sentAt'],
    });
  });

  it('needs neither time nor forward', () => {
    const { time: _time, forward: _forward, ...rest } = { ...events, id: payload('id') };
    expect(checkConfig({ routes: { events: rest } }).routes[0]).toMatchObject({
      time: null,
      forward: null,
    });
  });

  it('survives JSON', () => {
    const bridge = checkConfig({ routes: { events } });
    expect(JSON.parse(JSON.stringify(bridge))).toEqual(bridge);
  });

  it('can be known by a timestamp alone', () => {
    expect(problemsOf({ id: timestamp('at') })).toEqual([]);
  });

  it.each([
    ['id', undefined],
    ['id', 'id'],
    ['time', null],
    ['time', timestamp('at')],
    ['time', payload('')],
    ['mode', 'drop'],
    ['mode', null],
    ['onStoreDown', 'open'],
    ['onStoreDown', true],
    ['topic', 'events//+'],
    ['receipts', 2],
  ])('is refused when its %s is %j', (key, value) => {
    expect(placesOf({ [key]: value })).toEqual([key]);
  });

  it.each([
    ['entry', {}, "'exactly-once'"],
    ['maxAge', { days: 7 }, "'exactly-once'"],
    ['indexShards', 2, "'exactly-once'"],
    ['version', timestamp('at'), "'latest'"],
  ])('has no %s, and says which guarantee does', (key, value, guarantee) => {
    expect(problemsOf({ [key]: value })).toMatchObject([
      { at: `routes.events.${key}`, got: `a key of ${guarantee} routes` },
    ]);
  });

  it('is read as one when its guarantee is misspelt', () => {
    expect(placesOf({ guarantee: 'dedup', mode: 'drop' })).toEqual(['guarantee', 'mode']);
  });
});

describe('a window', () => {
  it.each([
    [{ seconds: 1 }, 1],
    [{ days: 366 }, 31_622_400],
    [{ days: 1, hours: 2, minutes: 3, seconds: 4 }, 93_784],
    [{ hours: 0, minutes: 90 }, 5_400],
    [{ days: undefined, seconds: 300 }, 300],
  ])('of %j is so many seconds: %i', (window, seconds) => {
    const bridge = checkConfig({ routes: { events: { ...events, window } } });
    expect(bridge.routes[0]).toMatchObject({ windowSeconds: seconds });
  });

  it.each([
    [undefined, 'window'],
    [null, 'window'],
    [7, 'window'],
    ['7d', 'window'],
    [[7], 'window'],
    [{}, 'window'],
    [{ days: undefined }, 'window'],
    [{ days: 0 }, 'window'],
    [{ days: 366, seconds: 1 }, 'window'],
    [{ days: 1e300 }, 'window'],
    [{ days: -1 }, 'window.days'],
    [{ hours: 1.5 }, 'window.hours'],
    [{ days: 7, hours: 1e-20 }, 'window.hours'],
    [{ minutes: '5' }, 'window.minutes'],
    [{ seconds: Number.NaN }, 'window.seconds'],
    [{ seconds: Number.POSITIVE_INFINITY }, 'window.seconds'],
    [{ days: null }, 'window.days'],
    [{ days: 1, weeks: 1 }, 'window.weeks'],
  ])('cannot be %j', (window, at) => {
    expect(placesOf({ window })).toEqual([at]);
  });
});

describe('a content hash', () => {
  const { time: _, ...timeless } = events;

  it('without a time is known for up to five minutes', () => {
    const route = { ...timeless, window: { minutes: 5 } };
    expect(() => checkConfig({ routes: { events: route } })).not.toThrow();
    const longer = { time: undefined, window: { minutes: 5, seconds: 1 } };
    expect(problemsOf(longer)).toMatchObject([
      {
        at: 'routes.events.window',
        got: '301 seconds, with a content hash and no time',
        allowed: expect.stringContaining('300 seconds'),
        fix: expect.stringContaining("time: payload('at')"),
      },
    ]);
  });

  it('that is joined to others counts as one', () => {
    const id = all(contentHash('type'), payload('connector'));
    expect(placesOf({ time: undefined, id })).toEqual(['window']);
  });

  it.each([
    ['holds the time', contentHash('at', 'type')],
    ['is of the whole body', contentHash()],
    ['has the time beside it', all(contentHash('type'), timestamp('at'))],
  ])('with a time can be known for longer when it %s', (_case, id) => {
    expect(problemsOf({ id })).toEqual([]);
  });

  it('that leaves the time out is not: events that differ in it alone would be one', () => {
    expect(problemsOf({ id: contentHash('type') })).toMatchObject([
      { at: 'routes.events.id', fix: expect.stringContaining("add 'at' to contentHash(…)") },
    ]);
    expect(problemsOf({ id: contentHash('type'), window: { minutes: 5 } })).toEqual([]);
  });

  it('is the one kind of id that the window asks for a time', () => {
    for (const id of [payload('id'), correlationData(), sequence('n', { epoch: 'boot' })]) {
      expect(problemsOf({ id, time: undefined })).toEqual([]);
    }
  });
});

describe('what becomes of copies and of an outage', () => {
  it.each([
    ['mode', 'mark'],
    ['mode', 'shadow'],
    ['onStoreDown', 'forward'],
  ])('needs a forward when %s is %s', (key, value) => {
    expect(problemsOf({ [key]: value, forward: undefined })).toMatchObject([
      { at: `routes.events.${key}`, got: `'${value}' without a forward` },
    ]);
    expect(problemsOf({ [key]: value })).toEqual([]);
  });

  it('needs none when copies are dropped and deliveries are held', () => {
    expect(problemsOf({ mode: 'enforce', onStoreDown: 'hold', forward: undefined })).toEqual([]);
  });

  it('says nothing of a forward that is wrong itself', () => {
    expect(placesOf({ mode: 'mark', forward: 'a/+' })).toEqual(['forward']);
  });
});

describe('sameBody of a deduplicated route', () => {
  it.each([
    [payload('id'), 'id', 'id'],
    [payload('a.b.id'), 'a', 'id'],
    [sequence('seq', { epoch: 'boot' }), 'boot', 'id'],
    [sequence('seq', { epoch: 'boot' }), 'seq', 'id'],
    [all(timestamp('sent.at'), payload('n')), 'sent', 'id'],
    [payload('id'), 'at', 'time'],
  ])('for %j cannot ignore %s, which %s reads', (id, path, by) => {
    expect(problemsOf({ id, sameBody: ignoring(path) })).toMatchObject([
      { at: 'routes.events.sameBody', got: expect.stringContaining(`which ${by} reads`) },
    ]);
  });

  it('can ignore what nothing reads, also inside of an object that is read in part', () => {
    expect(problemsOf({ id: payload('a.id'), sameBody: ignoring('a.sentAt', 'try') })).toEqual([]);
  });
});
