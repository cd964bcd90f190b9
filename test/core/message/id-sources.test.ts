/** Every place that an id can come from: the key it makes, what receipts call it, what it refuses. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../../core/base/hash.ts';
import { readJsonObject } from '../../../core/base/json.ts';
import { epochMillis } from '../../../core/base/time.ts';
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
} from '../../../core/config/sources.ts';
import { type Delivery, readEnvelope } from '../../../core/message/envelope.ts';
import { encodeId, idJson } from '../../../core/message/id.ts';
import { countedIn, readIdFrom } from '../../../core/message/id-sources.ts';
import { readMessage } from '../../../core/message/message.ts';
import { deliveryOf, NOW, reasonOf, windowRouteOf } from '../../../tools/handlers/samples.ts';

const TOPIC = 'billing/dev-1/charges';

function foundIn(body: string, changes: Partial<Delivery> = {}) {
  const delivery = deliveryOf(body, changes);
  const json = readJsonObject(delivery.body);
  return { delivery, body: json.ok ? json.value : {} };
}

/** The key and what receipts say, or the reason why there is none. */
function idOf(source: IdSource, body: string, changes: Partial<Delivery> = {}) {
  const reading = readIdFrom(source, foundIn(body, changes));
  return reading.ok ? [encodeId(reading.id), idJson(reading.id)] : reading.reason;
}

/** The key alone. */
function keyIn(source: IdSource, body: string, changes: Partial<Delivery> = {}): string {
  const reading = readIdFrom(source, foundIn(body, changes));
  if (!reading.ok) throw new Error(reading.detail);
  return encodeId(reading.id);
}

const text = (value: string) => JSON.stringify(value);
const seq = sequence('seq', { epoch: 'boot' });
const hashOf = (content: string) => `sha:${bodyHashOf(TOPIC, Buffer.from(content))}`;

describe('an id from the payload', () => {
  it.each([
    ['{"id":"c-1"}', ['c-1', '"c-1"']],
    ['{"id":7}', ['int:7', '7']],
    ['{"id":"7"}', ['7', '"7"']],
    ['{"id":9007199254740993}', ['int:9007199254740993', '9007199254740993']],
    ['{"id":"seq:a:1"}', ['str:seq:a:1', '"seq:a:1"']],
    ['{}', 'missing-id'],
    ['{"id":""}', 'missing-id'],
    ['{"id":null}', 'missing-id'],
    ['{"id":true}', 'invalid-id'],
    ['{"id":["a"]}', 'invalid-id'],
    ['{"id":{"a":1}}', 'invalid-id'],
    ['{"id":1.5}', 'invalid-id'],
    [`{"id":"${'x'.repeat(257)}"}`, 'too-long'],
  ])('of %.40s is %j', (body, expected) => {
    expect(idOf(payload('id'), body)).toEqual(expected);
  });

  it('is found inside objects, never inside arrays or inherited', () => {
    expect(idOf(payload('a.b'), '{"a":{"b":"x"}}')).toEqual(['x', '"x"']);
    expect(idOf(payload('a.0'), '{"a":["x"]}')).toBe('missing-id');
    expect(idOf(payload('constructor.name'), '{}')).toBe('missing-id');
  });
});

describe('an id from a sequence', () => {
  it.each([
    ['{"boot":"e1","seq":7}', ['seq:e1:7', '"e1:7"']],
    ['{"boot":"e1","seq":"7"}', ['seq:e1:7', '"e1:7"']],
    ['{"boot":"e1","seq":0}', ['seq:e1:0', '"e1:0"']],
    ['{"boot":5,"seq":7}', ['seq:int:5:7', '"5:7"']],
    ['{"boot":"5","seq":7}', ['seq:5:7', '"5:7"']],
    ['{"boot":"a:b","seq":7}', ['seq:a:b:7', '"a:b:7"']],
    ['{"seq":7}', 'missing-id'],
    ['{"boot":"","seq":7}', 'missing-id'],
    ['{"boot":"e1"}', 'missing-id'],
    ['{"boot":"e1","seq":""}', 'missing-id'],
    ['{"boot":"e1","seq":null}', 'missing-id'],
    ['{"boot":"e1","seq":"07"}', 'invalid-id'],
    ['{"boot":"e1","seq":-1}', 'invalid-id'],
    ['{"boot":"e1","seq":-0}', 'invalid-id'],
    ['{"boot":"e1","seq":7.0}', 'invalid-id'],
    ['{"boot":"e1","seq":1e2}', 'invalid-id'],
    ['{"boot":"e1","seq":"7:8"}', 'invalid-id'],
    ['{"boot":"e1","seq":true}', 'invalid-id'],
    ['{"boot":"e1","seq":[7]}', 'invalid-id'],
    ['{"boot":["e1"],"seq":7}', 'invalid-id'],
    [`{"boot":"e1","seq":${'1'.repeat(300)}}`, 'too-long'],
    [`{"boot":"${'e'.repeat(253)}","seq":7}`, 'too-long'],
  ])('of %.40s is %j', (body, expected) => {
    expect(idOf(seq, body)).toEqual(expected);
  });

  it('tells epoch and number apart for finding gaps, alone and as a part', () => {
    const counted = { epoch: 'a:b', number: '7' };
    expect(countedIn(seq, foundIn('{"boot":"a:b","seq":7}'))).toEqual(counted);
    const joined = all(payload('id'), seq);
    expect(countedIn(joined, foundIn('{"boot":"a:b","seq":"7","id":1}'))).toEqual(counted);
    expect(countedIn(payload('id'), foundIn('{"id":1}'))).toBeNull();
  });

  it('is another one for every other epoch or number', () => {
    const epoch = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ':', '1', '"'), minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 12 }),
    );
    const pair = fc.tuple(epoch, fc.nat({ max: 120 }));
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        const keyOf = ([boot, n]: typeof one) => keyIn(seq, JSON.stringify({ boot, seq: n }));
        expect(keyOf(one) === keyOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { seed: 20261121, numRuns: 2_000 },
    );
  });
});

describe('an id from a time', () => {
  it.each([
    ['{"at":"2026-11-20T08:59:00Z"}', 'tim:1795165140000'],
    ['{"at":"2026-11-20T09:59:00.000+01:00"}', 'tim:1795165140000'],
    ['{"at":1795165140000}', 'tim:1795165140000'],
    ['{"at":0}', 'tim:0'],
  ])('of %s is %s', (body, key) => {
    expect(idOf(timestamp('at'), body)).toEqual([key, text(key)]);
  });

  it.each([
    ['{}', 'missing-id'],
    ['{"at":""}', 'missing-id'],
    ['{"at":null}', 'missing-id'],
    ['{"at":"yesterday"}', 'invalid-id'],
    ['{"at":"2026-11-20"}', 'invalid-id'],
    ['{"at":1.5}', 'invalid-id'],
    ['{"at":[1]}', 'invalid-id'],
  ])('of %s is refused: %s', (body, reason) => {
    expect(idOf(timestamp('at'), body)).toBe(reason);
  });
});

describe('an id from the content', () => {
  it('is the hash of topic and bytes where no field is named, whatever the bytes are', () => {
    for (const body of ['', 'not JSON', '{"a":1}', '{ "a":1}']) {
      expect(idOf(contentHash(), body)).toEqual([hashOf(body), text(hashOf(body))]);
    }
    const keys = ['{"a":1}', '{ "a":1}'].map((body) => keyIn(contentHash(), body));
    expect(new Set(keys).size).toBe(2);
  });

  it('of fields counts these alone, however they are written and in whatever order', () => {
    const source = contentHash('at', 'm.type');
    const same = [
      '{"at":1,"m":{"type":"x"},"other":1}',
      '{"m":{"type":"\\u0078","n":2},"at":1.0}',
      '{"at":10e-1,"m":{"type":"x"}}',
    ];
    expect(new Set(same.map((body) => keyIn(source, body))).size).toBe(1);
    const others = ['{"at":2,"m":{"type":"x"}}', '{"at":"1","m":{"type":"x"}}'];
    const keys = [...same.slice(0, 1), ...others].map((body) => keyIn(source, body));
    expect(new Set(keys).size).toBe(3);
  });

  it('keeps fields apart whose contents could run into one another', () => {
    const keyOf = (a: string, b: string) => keyIn(contentHash('a', 'b'), JSON.stringify({ a, b }));
    const pairs: readonly [string, string][] = [
      ['a:b', 'c'],
      ['a', 'b:c'],
      ['a","b":"b', 'c'],
      ['a', 'b'],
      ['b', 'a'],
    ];
    expect(new Set(pairs.map(([a, b]) => keyOf(a, b))).size).toBe(pairs.length);
  });

  it('includes the topic', () => {
    const topic = 'billing/dev-1/other';
    for (const source of [contentHash(), contentHash('a')]) {
      expect(idOf(source, '{"a":1}', { topic })).not.toEqual(idOf(source, '{"a":1}'));
    }
  });

  it.each([
    ['{"a":1}', 'missing-id'],
    ['{"a":1,"b":null}', 'missing-id'],
    ['{"a":1,"b":""}', 'missing-id'],
    ['{"a":1,"b":{}}', 'invalid-id'],
    ['{"a":1,"b":[1]}', 'invalid-id'],
  ])('with a part of %s is refused: %s', (body, reason) => {
    expect(idOf(contentHash('a', 'b'), body)).toBe(reason);
    expect(keyIn(contentHash('a', 'b'), '{"a":0,"b":false}')).toMatch(/^sha:[0-9a-f]{64}$/);
  });
});

describe('an id from MQTT 5', () => {
  const property = (...userProperties: readonly (readonly [string, string])[]) =>
    idOf(userProperty('id'), '', { userProperties });

  it('is the user property of that name, as text', () => {
    expect(property(['x', '1'], ['id', '7'])).toEqual(['7', '"7"']);
    expect(property(['id', 'int:7'])).toEqual(['str:int:7', '"int:7"']);
  });

  it('is refused when the property is missing, empty, there twice, too long or no Unicode', () => {
    expect(property()).toBe('missing-id');
    expect(property(['ID', 'x'])).toBe('missing-id');
    expect(property(['id', ''])).toBe('missing-id');
    expect(property(['id', 'x'], ['id', 'x'])).toBe('invalid-id');
    expect(property(['id', 'x'.repeat(257)])).toBe('too-long');
    expect(property(['id', '\ud800'])).toBe('invalid-id');
    expect(idOf(userProperty('id'), '')).toBe('missing-id');
  });

  it('is the correlation data, told as it is', () => {
    const correlation = (data: string) => idOf(correlationData(), '', { correlationData: data });
    expect(correlation('AAE=')).toEqual(['cor:AAE=', '"AAE="']);
    expect(correlation('')).toBe('missing-id');
    expect(correlation('A'.repeat(252))[0]).toBe(`cor:${'A'.repeat(252)}`);
    expect(correlation('A'.repeat(256))).toBe('too-long');
    expect(correlation('\ud800')).toBe('invalid-id');
    expect(idOf(correlationData(), '')).toBe('missing-id');
  });

  it.each([userProperty('id'), correlationData(), all(topicLevel(2), userProperty('id'))])(
    'is missing on the error-action path, which carries no properties: %j',
    (id) => {
      const envelope = {
        topic: TOPIC,
        cloudwatchTraceId: 'trace-1',
        clientId: 'dev-1',
        base64OriginalPayload: 'e30=',
        userProperties: [{ id: 'x' }],
        correlationData: 'AAE=',
      };
      const reading = readEnvelope(envelope, epochMillis(NOW));
      if (!reading.ok) throw new Error(reading.detail);
      const route = windowRouteOf({ id });
      expect(reasonOf(readMessage(route, reading.delivery))).toBe('missing-id');
    },
  );
});

describe('an id from the topic', () => {
  it('is the level as text, from 1', () => {
    expect(idOf(topicLevel(2), '')).toEqual(['dev-1', '"dev-1"']);
    expect(idOf(topicLevel(1), '', { topic: '42/x' })).toEqual(['42', '"42"']);
  });

  it('is refused where the level is empty, is not there or is too long', () => {
    expect(idOf(topicLevel(2), '', { topic: 'a//b' })).toBe('missing-id');
    expect(idOf(topicLevel(9), '')).toBe('missing-id');
    expect(idOf(topicLevel(1), '', { topic: 'x'.repeat(257) })).toBe('too-long');
  });
});

describe('a joined id', () => {
  const joined = all(payload('a'), payload('b'));
  const keyOf = (a: unknown, b: unknown) => keyIn(joined, JSON.stringify({ a, b }));

  it('is the list of its parts’ keys, and is told as that', () => {
    expect(
      idOf(all(timestamp('at'), payload('n'), seq), '{"at":5,"n":7,"boot":"e","seq":1}'),
    ).toEqual(['all:["tim:5","int:7","seq:e:1"]', text('all:["tim:5","int:7","seq:e:1"]')]);
  });

  it('keeps a:b and c apart from a and b:c, and the number 1 from the text', () => {
    expect(keyOf('a:b', 'c')).not.toBe(keyOf('a', 'b:c'));
    expect(keyOf('a","b', 'c')).not.toBe(keyOf('a', 'b","c'));
    expect(keyOf(1, '1')).not.toBe(keyOf('1', 1));
    expect(keyOf('int:1', 'x')).not.toBe(keyOf(1, 'x'));
  });

  it('is another one for every other list of parts, and never meets an id of another kind', () => {
    const part = fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', ':', '"', ',', '[', '\\'),
        minLength: 1,
        maxLength: 4,
      }),
      fc.constantFrom('int:1', 'str:a', 'all:["a","b"]', 'é', '\u0000'),
      fc.integer({ min: 0, max: 3 }),
    );
    const pair = fc.tuple(part, part);
    fc.assert(
      fc.property(pair, pair, part, ([a, b], [c, d], e) => {
        expect(keyOf(a, b) === keyOf(c, d)).toBe(JSON.stringify([a, b]) === JSON.stringify([c, d]));
        expect(keyIn(payload('id'), JSON.stringify({ id: e }))).not.toBe(keyOf(a, b));
        expect(keyOf(a, b).startsWith('all:[')).toBe(true);
      }),
      { seed: 20261121, numRuns: 3_000 },
    );
  });

  it('is too long when its parts are so together', () => {
    expect(keyOf('a'.repeat(100), 'b'.repeat(100))).toMatch(/^all:/);
    expect(idOf(joined, JSON.stringify({ a: 'a'.repeat(130), b: 'b'.repeat(130) }))).toBe(
      'too-long',
    );
  });

  it('with a part that is missing, empty or no scalar is refused, whichever it is', () => {
    const parts: readonly (readonly [IdPart, readonly string[]])[] = [
      [payload('p'), ['{}', '{"p":""}', '{"p":null}', '{"p":[]}', '{"p":{}}']],
      [seq, ['{"boot":"e"}', '{"seq":1}', '{"boot":"","seq":1}', '{"boot":"e","seq":""}']],
      [timestamp('t'), ['{}', '{"t":""}', '{"t":null}', '{"t":{}}']],
      [contentHash('h'), ['{}', '{"h":""}', '{"h":null}', '{"h":[]}']],
      [userProperty('u'), ['{}']],
      [correlationData(), ['{}']],
      [topicLevel(9), ['{}']],
    ];
    for (const [part, bodies] of parts) {
      for (const body of bodies) {
        for (const source of [part, all(part, topicLevel(1)), all(topicLevel(1), part)]) {
          const reading = readIdFrom(source, foundIn(body));
          expect(reading.ok ? encodeId(reading.id) : 'refused', body).toBe('refused');
        }
      }
    }
  });
});
