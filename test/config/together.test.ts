import { describe, expect, it } from 'vitest';
import type { Problem } from '../../core/config/problem.ts';
import { forwardFilter } from '../../core/config/route.ts';
import { topicLevel } from '../../core/config/sources.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { problemsOf as problemsIn } from '../../tools/problems.ts';

function problemsOf(routes: Readonly<Record<string, object>>): readonly Problem[] {
  const written = Object.fromEntries(
    Object.entries(routes).map(([name, route]) => [
      name,
      { ...charges, forward: undefined, ...route },
    ]),
  );
  return problemsIn({ routes: written });
}

describe('two routes', () => {
  it.each([
    ['billing/+/charges', 'billing/+/charges'],
    ['billing/+/charges', 'billing/+/+'],
    ['billing/+/charges', 'billing/+/#'],
    ['billing/+', 'billing/+/#'],
    ['billing/+/charges', 'billing/+/charges/#'],
  ])('are refused when a topic could match both: %s and %s', (one, other) => {
    const problems = problemsOf({ a: { topic: one }, b: { topic: other } });
    expect(problems).toMatchObject([
      { at: 'routes.b.topic', got: expect.stringContaining('routes.a') },
    ]);
  });

  it('are accepted when no topic matches both', () => {
    expect(
      problemsOf({ a: { topic: 'billing/+/charges' }, b: { topic: 'billing/+/credits' } }),
    ).toEqual([]);
  });

  it('are all compared with each other', () => {
    const topic = 'billing/+/charges';
    expect(problemsOf({ a: { topic }, b: { topic }, c: { topic } })).toHaveLength(3);
  });
});

describe('a filter is refused', () => {
  it.each([
    ['tollbridge/+/receipts', 2],
    ['tollbridge/+', 2],
    ['+/charges', 1],
    ['+/+', 2],
    ['+/#', 1],
  ])("that meets the bridge's own topics: %s", (topic, level) => {
    expect(problemsOf({ a: { topic, device: topicLevel(level) } })).toMatchObject([
      { at: 'routes.a.topic', got: expect.stringContaining('tollbridge/#') },
    ]);
  });

  it.each(['$aws/things/+', '$aws/rules/x/billing/+', '$share/+'])(
    'that belongs to AWS: %s',
    (topic) => {
      const level = topic.split('/').indexOf('+') + 1;
      expect(problemsOf({ a: { topic, device: topicLevel(level) } })).toMatchObject([
        { at: 'routes.a.topic', allowed: expect.stringContaining('$') },
      ]);
    },
  );
});

describe('a forward is refused', () => {
  it.each([
    'tollbridge',
    'tollbridge/{device}/receipts',
    '{device}/charges',
    'toll{device}/receipts',
    '{device}bridge/dev-1/receipts',
  ])("that can meet the bridge's own topics: %s", (forward) => {
    expect(problemsOf({ a: { forward } })).toMatchObject([
      { at: 'routes.a.forward', got: expect.stringContaining('tollbridge/#') },
    ]);
  });

  it.each(['$aws/things/{device}', '$x'])('that belongs to AWS: %s', (forward) => {
    expect(problemsOf({ a: { forward } })).toMatchObject([{ at: 'routes.a.forward' }]);
  });

  it.each([
    '{topic}',
    'billing/{device}/charges',
    'billing/x/charges',
    'billing/{device}/{route}',
    'billing/m-{device}/charges',
  ])('that its own route would take in again: %s', (forward) => {
    expect(problemsOf({ charges: { forward } })).toMatchObject([
      { at: 'routes.charges.forward', got: expect.stringContaining('routes.charges') },
    ]);
  });

  it.each(['other/{device}', 'other/meter-{device}', 'other/{route}'])(
    'that another route listens on: %s',
    (forward) => {
      const problems = problemsOf({ a: { forward }, b: { topic: 'other/+' } });
      expect(problems).toMatchObject([
        { at: 'routes.a.forward', got: expect.stringContaining('routes.b') },
      ]);
    },
  );

  it('that meets a fixed level of another route when a device is named to fit it', () => {
    // Device `1` publishes `alerts/meter-1/x`, which the other route takes in.
    const problems = problemsOf({
      a: { forward: 'alerts/meter-{device}/x' },
      b: { topic: 'alerts/meter-1/+', device: topicLevel(3) },
    });
    expect(problems).toMatchObject([{ at: 'routes.a.forward' }]);
  });

  it('whose topic always has too many slashes', () => {
    const problems = problemsOf({
      a: { topic: 'a/+/b/c/d/e/f', device: topicLevel(2), forward: 'booked/x/{topic}' },
    });
    expect(problems).toMatchObject([
      { at: 'routes.a.forward', got: expect.stringContaining('8 slashes') },
    ]);
  });

  it('but not when nothing listens there', () => {
    expect(problemsOf({ a: { forward: 'booked/{topic}' }, b: { topic: 'other/+' } })).toEqual([]);
    expect(
      problemsOf({ a: { forward: 'booked/all' }, b: { topic: 'other/+', forward: 'booked/all' } }),
    ).toEqual([]);
  });
});

describe('forwardFilter', () => {
  it('matches whatever a level that a placeholder fills in part can become', () => {
    const route = { name: 'charges', topic: 'billing/+/#' };
    expect(forwardFilter(route, 'booked/m-{device}/{route}')).toBe('booked/+/charges');
    expect(forwardFilter(route, 'booked/{topic}')).toBe('booked/billing/+/#');
    expect(forwardFilter(route, 'booked/{topic}x')).toBe('booked/billing/+/#');
  });
});

describe('problems of one route', () => {
  it('do not hide those that routes have together', () => {
    const problems = problemsOf({ a: { feed: 'x' }, b: { feed: 'y' } });
    expect(problems.map(({ at }) => at)).toEqual([
      'routes.a.feed',
      'routes.b.feed',
      'routes.b.topic',
    ]);
  });
});
