import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import type { Problem } from '../../core/config/problem.ts';
import { recoveryWarnings } from '../../core/config/recovery.ts';
import { sourceText } from '../../core/config/source-text.ts';
import {
  all,
  contentHash,
  correlationData,
  type IdPart,
  type IdSource,
  payload,
  sequence,
  timestamp,
  topicLevel,
  userProperty,
} from '../../core/config/sources.ts';
import { charges } from '../../tools/handlers/samples.ts';
import { problemsOf as problemsIn } from '../../tools/problems.ts';

/** What is said of an id on a billing route; its `occurredAt` reads `at`. */
function problemsOf(id: unknown, topic = 'billing/+/charges/+/#'): readonly Problem[] {
  return problemsIn({ routes: { charges: { ...charges, topic, id } } });
}

const everyPart: readonly IdPart[] = [
  payload('meter.id'),
  sequence('seq', { epoch: 'boot' }),
  timestamp('endedAt'),
  contentHash('at', 'kWh'),
  userProperty('message-id'),
  correlationData(),
  topicLevel(4),
];

describe('an id', () => {
  it.each(
    everyPart.filter(({ from }) => from !== 'timestamp').map((part) => [sourceText(part), part]),
  )('can be %s', (_, id) => {
    expect(problemsOf(id)).toEqual([]);
  });

  it.each(everyPart.map((part) => [sourceText(part), part] as const))(
    'can be %s joined with another part',
    (_, part) => {
      const id = all(part, payload('connector'));
      expect(problemsOf(id)).toEqual([]);
      const bridge = checkConfig({
        routes: { charges: { ...charges, topic: 'billing/+/charges/+/#', id } },
      });
      expect(bridge.routes[0]).toMatchObject({ id });
    },
  );

  it('can join five parts', () => {
    expect(problemsOf(all(...everyPart.slice(0, 5)))).toEqual([]);
  });

  it.each([
    ['nothing', all()],
    ['one part', all(payload('id'))],
    ['six parts', all(...'abcdef'.split('').map((path) => payload(path)))],
    ['a part twice', all(payload('id'), payload('id'))],
    ['no list', { from: 'all', parts: payload('id') }],
  ])('cannot join %s', (_, id) => {
    expect(problemsOf(id).map(({ at }) => at)).toEqual(['routes.charges.id']);
  });

  it('cannot join what is joined', () => {
    const id = { from: 'all', parts: [payload('a'), all(payload('b'), payload('c'))] };
    expect(problemsOf(id)).toMatchObject([{ at: 'routes.charges.id.parts[1]' }]);
  });

  it('has each of its parts checked, all in one report', () => {
    const id = {
      from: 'all',
      parts: [payload(''), topicLevel(3), 7, { ...sequence('s', { epoch: 'e' }), x: 1 }],
    };
    expect(problemsOf(id).map(({ at }) => at)).toEqual([
      'routes.charges.id.parts[0]',
      'routes.charges.id.parts[1]',
      'routes.charges.id.parts[2]',
      'routes.charges.id.parts[3].x',
    ]);
  });

  it('with a part that is wrong hears of the others all the same', () => {
    const id = { from: 'all', parts: [payload('id'), payload(''), payload('id')] };
    expect(problemsOf(id).map(({ at, got }) => [at, got])).toEqual([
      ['routes.charges.id.parts[1]', "payload('')"],
      ['routes.charges.id', "payload('id') twice"],
    ]);
  });

  it.each([
    ['a source that has no text for a name', { from: Object.create(null) }],
    ['an unknown source', { from: 'header', name: 'x' }],
    ['an inherited name', { from: 'constructor' }],
    ['no path', { from: 'timestamp' }],
    ['a sequence without an epoch', { from: 'sequence', path: 'seq' }],
    ['a sequence that is its own epoch', sequence('seq', { epoch: 'seq' })],
    [
      'a sequence without its epoch, as plain JavaScript may write it',
      (sequence as (path: string) => unknown)('seq'),
    ],
    ['a sequence without a path', sequence('', { epoch: 'boot' })],
    ['a hash of no list', { from: 'content-hash', paths: 'at' }],
    ['a hash of an empty path', contentHash('at', '')],
    ['a hash of a field twice', contentHash('at', 'at', 'kWh')],
    ['a user property without a name', userProperty('')],
    ['a user property with a name of two lines', userProperty('a\nb')],
    ['a user property with a name of a kilobyte', userProperty('x'.repeat(1_000))],
    ['a user property with half a character', userProperty('\ud800')],
    ['a level of text', { from: 'topic-level', level: '4' }],
    ['a level between two', topicLevel(1.5)],
    ['level 0', topicLevel(0)],
  ])('is refused when it is %s', (_, id) => {
    expect(problemsOf(id).map(({ at }) => at)).toEqual(['routes.charges.id']);
  });
});

describe('a topic level in an id', () => {
  it.each([4, 5, 8])('can be a + or lie at or under the #: %i', (level) => {
    expect(problemsOf(topicLevel(level))).toEqual([]);
  });

  it.each([
    [1, "which is 'billing'"],
    [3, "which is 'charges'"],
    [9, 'which the filter does not have'],
  ])('cannot be %i, %s', (level, why) => {
    expect(problemsOf(topicLevel(level))).toMatchObject([
      {
        got: `topicLevel(${level}), ${why}`,
        allowed: expect.stringContaining('level n: 2 or 4 or 5 to 8'),
      },
    ]);
  });

  it("cannot be the device's own alone, which never changes", () => {
    for (const id of [topicLevel(2), all(topicLevel(2), topicLevel(2))]) {
      expect(problemsOf(id).map(({ got }) => got)).toContainEqual(
        expect.stringContaining("the device's own level"),
      );
    }
    expect(problemsOf(all(topicLevel(2), payload('id')))).toEqual([]);
  });

  it('is not held against a topic that is wrong itself', () => {
    expect(problemsOf(topicLevel(7), 'billing//+').map(({ at }) => at)).toEqual([
      'routes.charges.topic',
    ]);
  });
});

describe('a billing id', () => {
  it.each<[string, IdSource]>([
    ['a timestamp', timestamp('endedAt')],
    ['two timestamps', all(timestamp('at'), timestamp('endedAt'))],
    ["a timestamp and the device's level", all(timestamp('at'), topicLevel(2))],
    ['the field that entry.occurredAt reads', payload('at')],
    ['one time read in two ways', all(timestamp('at'), payload('at'))],
    ['a hash of nothing but the time', contentHash('at')],
  ])('cannot be %s alone: two charges in one millisecond would be one', (_, id) => {
    expect(problemsOf(id)).toMatchObject([
      {
        at: 'routes.charges.id',
        got: `${sourceText(id)}, which is nothing but a time`,
        allowed: expect.stringContaining('thingsboard/thingsboard#8215'),
        fix: expect.stringContaining("all(timestamp('at'), payload('connector'))"),
      },
    ]);
  });

  it('can be a timestamp when another kind of field is joined to it', () => {
    for (const part of [payload('connector'), topicLevel(4), userProperty('n'), contentHash()]) {
      expect(problemsOf(all(timestamp('at'), part))).toEqual([]);
    }
  });

  it('that hashes the content has to hash the time: equal charges of two days are two', () => {
    expect(problemsOf(contentHash('kWh', 'account'))).toMatchObject([
      { at: 'routes.charges.id', fix: expect.stringContaining("add 'at' to contentHash(…)") },
    ]);
    expect(problemsOf(all(contentHash('kWh'), payload('connector')))).toHaveLength(1);
  });

  it.each<[string, IdSource]>([
    ['the whole body', contentHash()],
    ['the time too', contentHash('at', 'kWh')],
    ['the rest, with the time joined', all(contentHash('kWh'), timestamp('at'))],
  ])('can hash %s', (_, id) => {
    expect(problemsOf(id)).toEqual([]);
  });

  it('with a part that is wrong is told of that alone', () => {
    expect(problemsOf(all(timestamp('at'), payload('')))).toHaveLength(1);
    expect(problemsOf(contentHash('kWh', ''))).toHaveLength(1);
  });
});

describe('recoveryWarnings', () => {
  const { forward: _, ...plain } = charges;

  it('say which ids the error action does not carry, and what to do', () => {
    const bridge = checkConfig({
      routes: {
        body: { ...plain, topic: 'a/+' },
        property: { ...plain, topic: 'b/+', id: userProperty('message-id') },
        joined: { ...plain, topic: 'c/+', id: all(correlationData(), payload('id')) },
        state: {
          guarantee: 'latest',
          topic: 'd/+',
          device: topicLevel(2),
          version: timestamp('at'),
        },
      },
    });
    expect(recoveryWarnings(bridge)).toEqual([
      "routes.property.id reads userProperty('message-id'), and the envelope of the rule's error " +
        'action has no MQTT 5 properties: a delivery that takes this path is quarantined as ' +
        'missing-id; put the id into the body or the topic as well.',
      expect.stringMatching(/^routes\.joined\.id reads correlationData\(\), /),
    ]);
  });
});

describe('the text of a source', () => {
  it('differs for sources that differ', () => {
    const texts = [
      contentHash('a', 'b'),
      contentHash("a', 'b"),
      contentHash('a\\', 'b'),
      payload('a'),
      timestamp('a'),
      all(payload('a'), payload('b')),
      payload("a'), payload('b"),
    ].map(sourceText);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('is one for a content hash whatever the order of its fields', () => {
    expect(sourceText(contentHash('b', 'a'))).toBe("contentHash('a', 'b')");
  });
});
