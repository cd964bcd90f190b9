/** Goal: the bytes of a message are made once, are what was meant, and are what the bridge reads. */
import fc from 'fast-check';
import { LosslessNumber } from 'lossless-json';
import { describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../../core/base/hash.ts';
import { fieldAt, readJsonObject } from '../../../core/base/json.ts';
import { BODY_BYTES_MAX } from '../../../core/base/limits.ts';
import { idText, readId } from '../../../core/message/id.ts';
import { readReceipts } from '../../../core/wire/receipts.ts';
import {
  countAskable,
  countReleasable,
  queryPayload,
  releasePayload,
} from '../../../core/wire/requests.ts';
import { draftOf, type GivenId } from '../../../device/publish/body.ts';
import {
  checkRoutes,
  type DeviceRoute,
  type RouteProfile,
} from '../../../device/publish/profile.ts';

const ids = { draw: () => 'drawn', nextNumber: () => ({ epoch: 'e1', seq: 7 }) };

function routeFrom(profile: RouteProfile): DeviceRoute {
  const problems: string[] = [];
  const route = checkRoutes({ r: profile }, problems).get('r');
  if (route === undefined) throw new Error(problems.join());
  return route;
}

const field = routeFrom({ topic: 't/m', idField: 'id' });
const nested = routeFrom({ topic: 't/m', idField: 'meta.id' });
const counter = routeFrom({ topic: 't/m', epochField: 'boot', seqField: 'seq' });
const hashed = routeFrom({ topic: '$aws/rules/tollbridge_r/t/m', idFrom: 'body' });

const text = (route: DeviceRoute, body: unknown, id?: GivenId) =>
  draftOf(route, body, id, ids).bytes.toString();

describe('the body', () => {
  it('gets the id in its field, drawn, given, or already there', () => {
    expect(text(field, { a: 1 })).toBe('{"a":1,"id":"drawn"}');
    expect(text(field, { a: 1 }, 'mine')).toBe('{"a":1,"id":"mine"}');
    expect(text(field, { id: 'own', a: 1 })).toBe('{"id":"own","a":1}');
    expect(text(field, { id: 'own', a: 1 }, 'own')).toBe('{"id":"own","a":1}');
    expect(text(field, { id: null, a: 1 })).toBe('{"id":"drawn","a":1}');
    expect(text(nested, { meta: { v: 2 } })).toBe('{"meta":{"v":2,"id":"drawn"}}');
    expect(text(nested, {})).toBe('{"meta":{"id":"drawn"}}');
  });

  it('keeps an integer id an integer, however long', () => {
    const draft = draftOf(field, {}, 123456789012345678901234567890n, ids);
    expect(draft.bytes.toString()).toBe('{"id":123456789012345678901234567890}');
    expect(draft.id).toEqual({ kind: 'integer', digits: '123456789012345678901234567890' });
    expect(draftOf(field, { id: 7 }, undefined, ids).id).toEqual({ kind: 'integer', digits: '7' });
  });

  it('of a counter gets epoch and number, told as receipts tell them', () => {
    const draft = draftOf(counter, { a: 1 }, undefined, ids);
    expect(draft.bytes.toString()).toBe('{"a":1,"boot":"e1","seq":7}');
    expect(idText(draft.id)).toBe('e1:7');
  });

  it('is hashed with its topic, without the prefix of Basic Ingest', () => {
    const draft = draftOf(hashed, { a: 1 }, undefined, ids);
    expect(draft.hash).toBe(bodyHashOf('t/m', Buffer.from('{"a":1}')));
    expect(idText(draft.id)).toBe(draft.hash);
  });

  it('keeps every digit of bigints, lossless numbers and dates', () => {
    const at = new Date(0);
    expect(
      text(hashed, { b: 2n ** 70n, l: new LosslessNumber('1.10'), at, f: 0.1, none: undefined }),
    ).toBe('{"b":1180591620717411303424,"l":1.10,"at":"1970-01-01T00:00:00.000Z","f":0.1}');
  });

  const itself: Record<string, unknown> = {};
  itself.again = itself;
  const deep = JSON.parse(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`) as object;
  it.each<[string, unknown, string]>([
    ['NaN', { a: Number.NaN }, 'the body.a is NaN'],
    ['Infinity', { a: [1, Number.POSITIVE_INFINITY] }, 'the body.a[1] is Infinity'],
    ['a function', { a: () => 1 }, 'the body.a is a function'],
    ['a symbol', { a: Symbol('x') }, 'the body.a is a symbol'],
    ['a Map', { a: new Map() }, 'the body.a is a Map'],
    ['a Set', { a: new Set() }, 'the body.a is a Set'],
    ['a hole', { a: Object.assign(new Array(2), { 0: 1 }) }, 'the body.a[1] is undefined'],
    ['itself', itself, 'or the body holds itself'],
    ['too many levels', deep, '64 levels'],
    ['a text', 'x', 'the body is a string'],
    ['an array', [1], 'the body is an array'],
    ['null', null, 'the body is null'],
    [
      'no number',
      { a: Object.assign(Object.create({}), { isLosslessNumber: true, value: '1,5' }) },
      'is no JSON number',
    ],
    ['nothing of the id’s object', { meta: 7 }, 'meta is no object'],
  ])('that is or holds %s is refused in words', (_, body, words) => {
    expect(() => draftOf(nested, body, undefined, ids)).toThrow(
      expect.objectContaining({ code: 'invalid-body', message: expect.stringContaining(words) }),
    );
  });

  it('that holds another id, or a counter of its own, is refused', () => {
    expect(() => text(field, { id: 'own' }, 'mine')).toThrow(/another id in id, "own"/);
    expect(() => text(field, { id: 1 }, '1')).toThrow(/another id/);
    expect(() => text(counter, { seq: 3 })).toThrow(/holds 3 in seq/);
    expect(() => text(counter, {}, 'mine')).toThrow(
      expect.objectContaining({ code: 'invalid-id' }),
    );
    expect(() => text(hashed, {}, 'mine')).toThrow(/makes the id of the body/);
  });

  it.each<[string, GivenId, object]>([
    ['empty', '', {}],
    ['half a character', '\ud800', {}],
    ['longer than 256 bytes', 'x'.repeat(257), {}],
    ['a fraction', 1.5, {}],
    ['an unsafe integer', 2 ** 53, {}],
    ['an object', undefined, { id: {} }],
    ['a boolean', undefined, { id: true }],
    ['a fraction in the body', undefined, { id: 0.5 }],
  ])('with an id that is %s is refused', (_, id, body) => {
    expect(() => draftOf(field, body, id, ids)).toThrow(
      expect.objectContaining({ code: 'invalid-id' }),
    );
  });

  it('that the place of its id makes too deep is refused, for the bridge would not read it', () => {
    const path = Array.from({ length: 70 }, () => 'a').join('.');
    const deepId = routeFrom({ topic: 't/m', idField: path });
    const counted = routeFrom({ topic: 't/m', epochField: path, seqField: 'n' });
    for (const route of [deepId, counted]) {
      expect(() => draftOf(route, {}, undefined, ids)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^invalid-(body|id)$/) }),
      );
    }
  });

  it('of 90 KB is taken and of a byte more refused, the id included', () => {
    const room = BODY_BYTES_MAX - Buffer.byteLength('{"a":"","id":"drawn"}');
    expect(draftOf(field, { a: 'x'.repeat(room) }, undefined, ids).bytes).toHaveLength(
      BODY_BYTES_MAX,
    );
    expect(() => draftOf(field, { a: 'x'.repeat(room + 1) }, undefined, ids)).toThrow(
      expect.objectContaining({ code: 'body-too-long', bytes: BODY_BYTES_MAX + 1 }),
    );
    expect(() => draftOf(counter, { a: 'x'.repeat(room) }, undefined, ids)).toThrow(/split it/);
  });

  it('is what the bridge reads, with the id that it says, whatever JSON it is', () => {
    const body = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
    fc.assert(
      fc.property(body, (value) => {
        delete value.id;
        const draft = draftOf(field, value, undefined, ids);
        const reading = readJsonObject(draft.bytes);
        if (!reading.ok) throw new Error(reading.detail);
        const id = readId(fieldAt(reading.value, 'id'), 'id');
        expect(id).toEqual({ ok: true, id: draft.id });
        const { id: _, ...rest } = JSON.parse(draft.bytes.toString()) as Record<string, unknown>;
        // As JSON itself would have it, −0 and all.
        expect(JSON.stringify(rest)).toBe(JSON.stringify(JSON.parse(JSON.stringify(value))));
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe('the wire', () => {
  it('never throws at receipts, whatever they are', () => {
    const hash = fc.constantFrom('0'.repeat(64), 'x', 5, null);
    const receipt = fc.record(
      {
        id: fc.oneof(fc.string(), fc.jsonValue()),
        bodyHash: hash,
        outcome: fc.oneof(
          fc.constantFrom('accepted', 'duplicate', 'rejected', 'completed', 'unknown'),
          fc.jsonValue(),
        ),
        bookedAt: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
        reason: fc.jsonValue(),
        detail: fc.jsonValue(),
        fields: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((json) => Buffer.from(json)),
      fc
        .record({
          v: fc.constantFrom(1, 1, 1, 2, '1'),
          route: fc.oneof(fc.constant('r'), fc.jsonValue()),
          receipts: fc.oneof(fc.array(fc.oneof(receipt, fc.jsonValue())), fc.jsonValue()),
        })
        .map((value) => Buffer.from(JSON.stringify(value))),
    );
    fc.assert(
      fc.property(payload, (bytes) => {
        const reading = readReceipts(bytes);
        if (!reading.ok) {
          expect(reading.detail).not.toBe('');
          return;
        }
        for (const answer of reading.receipts) {
          if (answer.outcome !== 'completed') expect(answer.bodyHash).toMatch(/^[0-9a-f]{64}$/);
        }
      }),
      { seed: 4, numRuns: 2_000 },
    );
  });

  it('reads every answer of a payload that IoT Core delivers, and nothing of a longer one', () => {
    const of = (count: number, receipt: unknown) =>
      readReceipts(
        Buffer.from(JSON.stringify({ v: 1, route: 'r', receipts: Array(count).fill(receipt) })),
      );
    const full = of(4_225, { id: 1, outcome: 'completed' });
    expect(full).toMatchObject({ ok: true, odd: [], receipts: { length: 4_225 } });
    expect(of(65_000, 0)).toMatchObject({
      ok: true,
      receipts: [],
      odd: expect.arrayContaining([expect.stringMatching(/^more than 4228 receipts/)]),
    });
    expect(of(65_600, 0)).toMatchObject({ ok: false, detail: expect.stringContaining('131072') });
  });

  it('asks and releases as much at a time as the bridge answers, to the byte', () => {
    const id = (n: number) => ({ kind: 'text' as const, text: `${n % 10}${'\u0001'.repeat(155)}` });
    const ids = Array.from({ length: 100 }, (_, n) => id(n));
    const messages = ids.map((each) => ({ id: each, hash: '0'.repeat(64) }));
    const releasable = countReleasable('r', ids);
    expect(releasePayload('r', ids.slice(0, releasable)).length).toBeLessThanOrEqual(92_160);
    expect(releasePayload('r', ids.slice(0, releasable + 1)).length).toBeGreaterThan(92_160);
    const askable = countAskable('r', messages);
    expect(queryPayload('r', messages.slice(0, askable)).length).toBeLessThanOrEqual(92_160);
    expect(queryPayload('r', messages.slice(0, askable + 1)).length).toBeGreaterThan(92_160);
  });
});
