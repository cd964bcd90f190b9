import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { defineConfig, ruleName } from '../../core/config/route.ts';
import { ignoring, payload, topicLevel } from '../../core/config/sources.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { placesOf, problemsOf } from '../../tools/problems.ts';

describe('a configuration that is right', () => {
  it('passes: a route of charges, with every default filled in', () => {
    expect(checkConfig(defineConfig({ routes: { charges } }))).toEqual({
      name: 'tollbridge',
      routes: [
        {
          ...charges,
          name: 'charges',
          feed: 'queue',
          batch: { messages: 10, waitSeconds: 0 },
          receipts: 0,
          maxAgeDays: 366,
          indexShards: 1,
          trustTopicLevel: null,
          ignoring: null,
        },
      ],
    });
  });

  it('keeps what it says', () => {
    const said = {
      ...charges,
      feed: 'direct',
      receipts: 'none',
      maxAge: { days: 90 },
      indexShards: 100,
      trustTopicLevel: 'gateway gw-1 publishes for its meters',
    } as const;
    const bridge = checkConfig(defineConfig({ name: 'acme2', routes: { charges: said } }));
    expect(bridge.name).toBe('acme2');
    expect(bridge.routes[0]).toMatchObject({
      feed: 'direct',
      receipts: 'none',
      maxAgeDays: 90,
      indexShards: 100,
      trustTopicLevel: said.trustTopicLevel,
    });
  });

  it('needs no forward', () => {
    const { forward: _, ...rest } = charges;
    expect(checkConfig({ routes: { charges: rest } }).routes[0]?.forward).toBeNull();
  });

  it('survives JSON: the checked route is plain data', () => {
    const bridge = checkConfig({ routes: { charges } });
    expect(JSON.parse(JSON.stringify(bridge))).toEqual(bridge);
  });

  it('names the rule after bridge and route', () => {
    expect(ruleName({ name: 'tollbridge' }, { name: 'charges' })).toBe('tollbridge_charges');
  });
});

describe('a configuration is refused', () => {
  it.each([[undefined], [null], [7], ['text'], [[]], [() => 1], [Symbol('x')], [10n], [new Map()]])(
    'that is %s',
    (config) => {
      expect(problemsOf(config).map(({ at }) => at)).toContain('routes');
    },
  );

  it('that has no route', () => {
    expect(problemsOf({ routes: {} })).toMatchObject([{ at: 'routes', got: 'no route' }]);
  });

  it.each(['Toll', '1toll', 'toll-bridge', 'toll_bridge', '', 'a'.repeat(21), 7, null, 'a\n'])(
    'that is named %j',
    (name) => {
      expect(problemsOf({ name, routes: { charges } }).map(({ at }) => at)).toEqual(['name']);
    },
  );

  it.each(['Charges', '1a', 'a-b', 'a_b', 'a#b', '', 'a'.repeat(41), '__proto__'])(
    'for a route named %j',
    (name) => {
      const routes = Object.fromEntries([[name, charges]]);
      expect(problemsOf({ routes }).map(({ at }) => at)).toEqual([`routes.${name}`]);
    },
  );

  it.each([null, undefined, 'exactly-once', [], 3])('for a route that is %j', (route) => {
    expect(problemsOf({ routes: { charges: route } }).map(({ at }) => at)).toContain(
      'routes.charges',
    );
  });

  it.each([
    ['guarantee', undefined],
    ['guarantee', 'at-least-once'],
    ['guarantee', 'constructor'],
    ['guarantee', ['latest']],
    ['topic', undefined],
    ['topic', 7],
    ['topic', ''],
    ['topic', 'billing//+'],
    ['topic', 'billing/+/#/x'],
    ['topic', "billing/+/'; DROP"],
    ['topic', `billing/+/$${'{x}'}`],
    ['topic', `billing/+/${'x'.repeat(256)}`],
    ['topic', 'billing/+/a/b/c/d/e/f/g'],
    ['device', undefined],
    ['device', 'topicLevel(2)'],
    ['device', 2],
    ['device', payload('device')],
    ['device', topicLevel(1)],
    ['device', topicLevel(3)],
    ['device', topicLevel(4)],
    ['device', topicLevel(0)],
    ['device', topicLevel(-1)],
    ['device', topicLevel(1.5)],
    ['device', topicLevel(Number.NaN)],
    ['device', { from: 'topic-level', level: '2' }],
    ['id', undefined],
    ['id', null],
    ['id', 'id'],
    ['id', topicLevel(2)],
    ['id', payload('')],
    ['id', payload('a..b')],
    ['id', payload('.a')],
    ['id', { from: 'payload', path: 7 }],
    ['entry', undefined],
    ['entry', []],
    ['forward', null],
    ['forward', 7],
    ['forward', ''],
    ['forward', 'booked/+/x'],
    ['forward', 'booked/#'],
    ['forward', 'booked/{id}'],
    ['forward', 'booked/{device'],
    ['forward', 'booked//x'],
    ['forward', 'booked/a b'],
    ['feed', 'stream'],
    ['feed', null],
    ['receipts', 2],
    ['receipts', '0'],
    ['receipts', true],
    ['maxAge', 90],
    ['maxAge', null],
    ['indexShards', 0],
    ['indexShards', 101],
    ['indexShards', 1.5],
    ['indexShards', '2'],
    ['sameBody', 'sentAt'],
    ['sameBody', ['sentAt']],
    ['sameBody', null],
    ['sameBody', {}],
    ['sameBody', ignoring()],
    ['sameBody', ignoring('')],
    ['sameBody', ignoring('a..b')],
    ['sameBody', { ignoring: 'sentAt' }],
    ['sameBody', { ignoring: ['sentAt', 7] }],
    ['trustTopicLevel', true],
    ['trustTopicLevel', 'because'],
    ['trustTopicLevel', '  a  b  '],
  ])('whose %s is %j', (key, value) => {
    expect(placesOf({ [key]: value })).toContain(`routes.charges.${key}`);
  });

  it.each([{}, { days: 0 }, { days: 3_661 }, { days: 1.5 }, { days: '90' }, { days: null }])(
    'whose maxAge is %j',
    (maxAge) => {
      expect(placesOf({ maxAge })).toEqual(['routes.charges.maxAge.days']);
    },
  );

  it.each(['account', 'amount', 'occurredAt', 'unit'])('whose entry has no %s', (key) => {
    const entry = Object.fromEntries(
      Object.entries(charges.entry).filter(([name]) => name !== key),
    );
    expect(placesOf({ entry })).toEqual([`routes.charges.entry.${key}`]);
  });

  it.each(['', ' kWh', 'kWh ', 'x'.repeat(33), 'a\nb', '\u0000', '\ud800', 7, null])(
    'whose unit is %j',
    (unit) => {
      expect(placesOf({ entry: { ...charges.entry, unit } })).toEqual([
        'routes.charges.entry.unit',
      ]);
    },
  );

  it.each(['kWh', 'm³', 'a b', 'x'.repeat(32), '😀'.repeat(32)])(
    'but not when its unit is %s',
    (unit) => {
      expect(placesOf({ entry: { ...charges.entry, unit } })).toEqual([]);
    },
  );

  it.each([
    [{ nmae: 'x', routes: { charges } }, 'config.nmae'],
    [{ routes: { charges: { ...charges, recipts: 0 } } }, 'routes.charges.recipts'],
    [{ routes: { charges: { ...charges, name: 'x' } } }, 'routes.charges.name'],
    [
      { routes: { charges: { ...charges, entry: { ...charges.entry, tax: 1 } } } },
      'routes.charges.entry.tax',
    ],
    [
      { routes: { charges: { ...charges, maxAge: { days: 1, hours: 1 } } } },
      'routes.charges.maxAge.hours',
    ],
    [
      { routes: { charges: { ...charges, id: { ...charges.id, optional: true } } } },
      'routes.charges.id.optional',
    ],
    [
      { routes: { charges: { ...charges, device: { ...charges.device, x: 1 } } } },
      'routes.charges.device.x',
    ],
  ])('for an unknown key: %#', (config, at) => {
    expect(problemsOf(config)).toMatchObject([{ at, got: 'an unknown key' }]);
  });

  it.each([
    ['window', { days: 7 }, "'deduplicated'"],
    ['mode', 'mark', "'deduplicated'"],
    ['time', payload('at'), "'deduplicated'"],
    ['onStoreDown', 'hold', "'deduplicated'"],
    ['version', payload('at'), "'latest'"],
  ])('for %s, a key of another guarantee, and says of which', (key, value, guarantee) => {
    const problems = problemsOf({ routes: { charges: { ...charges, [key]: value } } });
    expect(problems).toMatchObject([
      {
        at: `routes.charges.${key}`,
        got: `a key of ${guarantee} routes`,
        allowed: expect.stringContaining("'exactly-once'"),
        fix: `take it out, or write guarantee: ${guarantee}`,
      },
    ]);
  });

  it('for __proto__ as a key that JSON brought in', () => {
    const text = JSON.stringify({ routes: { charges } }).replace(
      '{"guarantee"',
      '{"__proto__":{"feed":"x"},"guarantee"',
    );
    expect(problemsOf(JSON.parse(text)).map(({ at }) => at)).toEqual(['routes.charges.__proto__']);
  });
});

describe('a refusal', () => {
  it('names the + that the device may be', () => {
    const [problem] = problemsOf({ routes: { charges: { ...charges, device: topicLevel(3) } } });
    expect(problem).toEqual({
      at: 'routes.charges.device',
      got: "topicLevel(3), which is 'charges'",
      allowed: "topicLevel(n) where level n of 'billing/+/charges' is a +: 2",
      fix: 'write device: topicLevel(2)',
    });
  });

  it('lists all problems at once, each with got, allowed and fix', () => {
    const config = {
      name: 'Bad Name',
      extra: 1,
      routes: {
        a: { ...charges, topic: 'a//+', feed: 'x', receipts: 3, id: undefined },
        b: { ...charges, device: topicLevel(9), maxAge: { days: -1 }, typo: true },
        c: { ...charges, guarantee: 'some', entry: { unit: '' }, indexShards: 0 },
      },
    };
    const places = problemsOf(config).map(({ at }) => at);
    expect(places).toEqual(
      expect.arrayContaining([
        'name',
        'config.extra',
        'routes.a.topic',
        'routes.a.feed',
        'routes.a.receipts',
        'routes.a.id',
        'routes.b.device',
        'routes.b.maxAge.days',
        'routes.b.typo',
        'routes.c.guarantee',
        'routes.c.entry.unit',
        'routes.c.entry.account',
        'routes.c.entry.amount',
        'routes.c.entry.occurredAt',
        'routes.c.indexShards',
        'routes.c.topic',
      ]),
    );
    for (const { got, allowed, fix } of problemsOf(config)) {
      expect(Math.min(got.length, allowed.length, fix.length)).toBeGreaterThan(0);
    }
    expect(() => checkConfig(config)).toThrow(`has ${places.length} problems`);
    for (const place of places) expect(() => checkConfig(config)).toThrow(place);
  });

  it('quotes hostile values short, and without what a terminal would obey', () => {
    const topic = `\u001b[31m${'x'.repeat(5_000)}\u202e`;
    const problems = problemsOf({ routes: { charges: { ...charges, topic, feed: () => topic } } });
    expect(problems).toHaveLength(2);
    for (const { got } of problems) {
      expect(got.length).toBeLessThan(150);
      expect(got).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});
