import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  canonicalNumber,
  fingerprintOf,
  sameCanonical,
} from '../../../core/base/canonical.ts';
import { bodyHashOf } from '../../../core/base/hash.ts';
import { type JsonObject, readJsonObject } from '../../../core/base/json.ts';
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from '../../../core/base/limits.ts';
import { differingFields } from '../../../core/message/differences.ts';
import {
  drawn,
  type Fields,
  fewFields,
  fields,
  key,
  leaf,
  pickFrom,
  value,
  without,
  write,
} from '../../../tools/handlers/any-body.ts';

const SEED = 20261120;

function objectOf(text: string): JsonObject {
  const reading = readJsonObject(Buffer.from(text));
  if (!reading.ok) throw new Error(`${reading.detail}: ${text.slice(0, 200)}`);
  return reading.value;
}

function canonical(text: string, ...ignored: readonly string[]): string {
  return canonicalJson(objectOf(text), ignored);
}

function same(one: string, other: string, ...ignored: readonly string[]): boolean {
  return sameCanonical(objectOf(one), objectOf(other), ignored);
}

describe('the canonical text of a body', () => {
  it.each([
    ['{}', '{}'],
    [' { "b" : [ true , null , false ] , "a" : { } } ', '{"a":{},"b":[true,null,false]}'],
    ['{"10":"x","9":"y","a":"z"}', '{"10":"x","9":"y","a":"z"}'],
    ['{"a":"\\u0041\\/\\u00e9\\n\\u001f"}', '{"a":"A/é\\n\\u001f"}'],
    ['{"\\ud800":"\\uDFFF"}', '{"\\ud800":"\\udfff"}'],
    ['{"a":[1,10,1.5]}', '{"a":[1e0,1e1,15e-1]}'],
    ['{"__proto__":{"b":1,"a":2}}', '{"__proto__":{"a":2e0,"b":1e0}}'],
    ['{"n":{"isLosslessNumber":true,"value":"7"}}', '{"n":{"isLosslessNumber":true,"value":"7"}}'],
  ])('of %s is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it('sorts keys by UTF-16 code units, as in the example of RFC 8785', () => {
    const text = canonical(
      '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}',
    );
    const order = ['\\r', '"1"', '\u0080', 'ö', '€', '😀', '\ufb33'];
    const places = order.map((key) => text.indexOf(key));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('keeps the order of a list and every repeated item', () => {
    expect(same('{"a":[1,2]}', '{"a":[2,1]}')).toBe(false);
    expect(same('{"a":[1]}', '{"a":[1,1]}')).toBe(false);
    expect(same('{"a":[[1],2]}', '{"a":[1,[2]]}')).toBe(false);
  });

  it.each([
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":1}', '{"a":"1e0"}'],
    ['{"a":null}', '{}'],
    ['{"a":null}', '{"a":"null"}'],
    ['{"a":[]}', '{"a":{}}'],
    ['{"a":0}', '{"a":false}'],
    ['{"a":""}', '{"a":null}'],
    ['{"a":"é"}', '{"a":"e\\u0301"}'],
    ['{"a":"\\ud800"}', '{"a":"\\ufffd"}'],
    ['{"a":"\\ud800"}', '{"a":"\\\\ud800"}'],
    ['{"a":{"b":1}}', '{"a":{},"b":1}'],
    ['{"__proto__":1}', '{}'],
  ])('tells %s from %s', (one, other) => {
    expect(same(one, other)).toBe(false);
    const [first, second] = [one, other].map((text) => fingerprintOf('t', objectOf(text), []));
    expect(first).not.toBe(second);
  });

  it(`takes a body of ${BODY_DEPTH_MAX} levels`, () => {
    const deep = `{"a":${'['.repeat(BODY_DEPTH_MAX - 1)}${']'.repeat(BODY_DEPTH_MAX - 1)}}`;
    expect(canonical(deep)).toBe(deep);
  });
});

describe('ignored fields', () => {
  it.each([
    ['{"a":1,"sentAt":5}', ['sentAt'], '{"a":1e0}'],
    ['{"a":1}', ['sentAt'], '{"a":1e0}'],
    ['{"m":{"x":1,"y":2}}', ['m.x'], '{"m":{"y":2e0}}'],
    ['{"m":{"x":1}}', ['m.x'], '{"m":{}}'],
    ['{"m":{"x":1}}', ['m', 'm.x'], '{}'],
    ['{"m":{"x":1}}', ['m.x', 'm'], '{}'],
    ['{"m":{"x":1}}', ['x'], '{"m":{"x":1e0}}'],
    ['{"m":{"x":1}}', ['m.x.y'], '{"m":{"x":1e0}}'],
    ['{"m.x":1,"m":{"x":2}}', ['m.x'], '{"m":{},"m.x":1e0}'],
    ['{"l":[{"x":1}]}', ['l.0.x', 'l.x', 'l.0'], '{"l":[{"x":1e0}]}'],
    ['{"__proto__":1,"a":1}', ['__proto__'], '{"a":1e0}'],
    ['{"__proto__":{"x":1,"y":1}}', ['__proto__.x'], '{"__proto__":{"y":1e0}}'],
    ['{"a":{"toString":1}}', ['a.__proto__.toString', 'constructor'], '{"a":{"toString":1e0}}'],
    ['{"":{"":1,"a":1}}', ['.'], '{"":{"a":1e0}}'],
  ])('of %s, without %j, leave %s', (text, ignored, expected) => {
    expect(canonical(text, ...ignored)).toBe(expected);
  });

  it('never hide a change of the object that holds them into something else', () => {
    expect(same('{"m":{"x":1}}', '{"m":{"x":2}}', 'm.x')).toBe(true);
    expect(same('{"m":{"x":1}}', '{"m":{}}', 'm.x')).toBe(true);
    expect(same('{"m":{"x":1}}', '{}', 'm.x')).toBe(false);
    expect(same('{"m":{"x":1}}', '{"m":1}', 'm.x')).toBe(false);
    expect(same('{"m":{"x":1}}', '{"m":[]}', 'm.x')).toBe(false);
  });
});

describe('a number', () => {
  it.each([
    ['1e0', ['1', '1.0', '1.00', '10e-1', '0.1e1', '0.001E+03', '1e-0', '1e000']],
    ['1e2', ['100', '1e2', '1E2', '1e+2', '1e0002', '100.00', '0.01e4']],
    ['0e0', ['0', '-0', '0.0', '-0.00', '0e5', '-0e-999999999999999999999', '0E+9999999999']],
    ['-125e-1', ['-12.5', '-12.50', '-125e-1', '-0.125e2']],
    ['9007199254740993e0', ['9007199254740993', '9007199254740993.0', '9.007199254740993e15']],
    ['9007199254740992e0', ['9007199254740992']],
    ['1e999999999', ['1e999999999', '10e999999998', '0.1e1000000000']],
    ['1e-999999999', ['1e-999999999', '0.1e-999999998', '10e-1000000000']],
    [
      '1e99999999999999999999',
      ['1e99999999999999999999', '10e99999999999999999998', '0.1e100000000000000000000'],
    ],
    [
      '1e-100000000000000000000',
      ['1e-100000000000000000000', '0.1e-99999999999999999999', '10e-100000000000000000001'],
    ],
    ['1e999999999999999', ['1e999999999999999', '0.1e1000000000000000']],
    ['1e1000000000000000', ['1e1000000000000000', '10e999999999999999']],
  ])('is %s in each of its notations', (expected, notations) => {
    for (const text of notations) expect(canonicalNumber(text), text).toBe(expected);
    for (const text of notations) expect(same(`{"a":${text}}`, `{"a":${expected}}`)).toBe(true);
  });

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['0.1', '0.1000000000000000055511151231257827'],
    ['1', '-1'],
    ['1e1', '1e-1'],
    ['0', '1e-400'],
    ['1e400', '1e401'],
    ['1e99999999999999999999', '1e99999999999999999998'],
    ['12', '1.2'],
  ])('tells %s from %s', (one, other) => {
    expect(canonicalNumber(one)).not.toBe(canonicalNumber(other));
    expect(same(`{"a":${one}}`, `{"a":${other}}`)).toBe(false);
  });

  it('has the exponent that exact integers work out, however long it is', () => {
    const power = fc.oneof(
      fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
      fc
        .tuple(
          fc.constantFrom(1n, -1n),
          fc.integer({ min: 0, max: 60 }),
          fc.integer({ min: -9, max: 9 }),
        )
        .map(([sign, tens, near]) => sign * 10n ** BigInt(tens) + BigInt(near)),
    );
    const places = { minLength: 0, maxLength: 20 };
    const digit = fc.constantFrom('0', '0', '1', '9');
    const list = (most: number) => fc.array(digit, { ...places, maxLength: most });
    fc.assert(
      fc.property(power, list(20), list(20), (exponent, before, after) => {
        const whole = `7${before.join('')}`;
        const fraction = `${after.join('')}3`;
        const text = `${whole}.${fraction}e${exponent}`;
        const expected = `${whole}${fraction}e${exponent - BigInt(fraction.length)}`;
        expect(canonicalNumber(text)).toBe(expected);
        const zeros = '0'.repeat(before.length);
        expect(canonicalNumber(`-7${zeros}e${exponent}`)).toBe(
          `-7e${exponent + BigInt(zeros.length)}`,
        );
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('of a whole body’s length takes no more room than it was sent in', () => {
    const length = BODY_BYTES_MAX - 20;
    const hostile = [
      '9'.repeat(length),
      `1${'0'.repeat(length)}`,
      `1${'0'.repeat(length - 1)}1`,
      `0.${'0'.repeat(length)}`,
      `0.${'0'.repeat(length)}1`,
      `1.${'0'.repeat(length)}`,
      `1e${'9'.repeat(length)}`,
      `0.1e-${'9'.repeat(length)}`,
      `10e${'9'.repeat(length)}`,
      `10e-1${'0'.repeat(length)}`,
      `0e${'9'.repeat(length)}`,
      `1e${'0'.repeat(length)}`,
      `${'1'.repeat(length / 2)}e${'9'.repeat(length / 2)}`,
    ];
    for (const text of hostile) {
      expect(canonical(`{"a":${text}}`).length).toBeLessThanOrEqual(text.length + 16);
    }
    expect(new Set(hostile.map(canonicalNumber)).size).toBe(hostile.length - 2);
  });

  it('of five million digits is still read: no step looks at the rest again', () => {
    // With one that does, this would take hours.
    const zeros = '0'.repeat(5_000_000);
    const nines = '9'.repeat(5_000_000);
    expect(canonicalNumber(`1${zeros}1`)).toHaveLength(5_000_004);
    expect(canonicalNumber(`1${zeros}`)).toBe('1e5000000');
    expect(canonicalNumber(`1.${zeros}`)).toBe('1e0');
    expect(canonicalNumber(`10e${nines}`) === `1e1${zeros}`).toBe(true);
    expect(canonicalNumber(`0.1e1${zeros}`) === `1e${nines}`).toBe(true);
  });
});

describe('a fingerprint', () => {
  const body = objectOf('{"b":1.0,"a":"é","sentAt":5}');

  it('is the hash of topic, zero byte and canonical text', () => {
    const expected = createHash('sha256').update('t\0{"a":"é","b":1e0}').digest('hex');
    expect(fingerprintOf('t', body, ['sentAt'])).toBe(expected);
  });

  it('differs by topic', () => {
    expect(fingerprintOf('t', body, [])).not.toBe(fingerprintOf('u', body, []));
  });

  it('is the hash of the bytes for a body that was sent in canonical form, and for no other', () => {
    const text = canonicalJson(body, ['sentAt']);
    expect(fingerprintOf('t', objectOf(text), ['sentAt'])).toBe(bodyHashOf('t', Buffer.from(text)));
    const other = Buffer.from('{"a":"é","b":1.0}');
    expect(fingerprintOf('t', body, ['sentAt'])).not.toBe(bodyHashOf('t', other));
  });
});

/** What the runtime's own reader makes of a text, minus zero aside. */
function parsed(text: string): unknown {
  return JSON.parse(text, (_, item: unknown) => (item === 0 ? 0 : item));
}

describe('two texts of any body', () => {
  it('are the same whatever the order of keys, white space, escapes and notation of numbers', () => {
    fc.assert(
      fc.property(fields, drawn, drawn, (model, first, second) => {
        const one = objectOf(write(model, pickFrom(first)));
        const other = objectOf(write(model, pickFrom(second)));
        expect(canonicalJson(one, [])).toBe(canonicalJson(other, []));
        expect(fingerprintOf('t', one, [])).toBe(fingerprintOf('t', other, []));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('are the same only when the bodies are, and exactly then no differing field is named', () => {
    let alike = 0;
    const pair = fc.tuple(fewFields, fewFields, fc.subarray(['a', 'b', 'a.a', 'b.a', 'a.b']));
    fc.assert(
      fc.property(pair, drawn, ([one, other, ignored], choices) => {
        const pick = pickFrom(choices);
        const bare = (model: Fields) =>
          ignored.reduce((rest, path) => without(rest, path.split('.')), model);
        const expected = isDeepStrictEqual(bare(one), bare(other));
        if (expected) alike++;
        const texts = [write(one, pick), write(other, pick)] as const;
        expect(same(...texts, ...ignored)).toBe(expected);
        const said = texts.map((body) => ({ topic: 't', body }));
        const [booked = { topic: '', body: '' }, later = { topic: '', body: '' }] = said;
        expect(differingFields(booked, later, ignored).length === 0).toBe(expected);
      }),
      { seed: SEED, numRuns: 3_000 },
    );
    expect(alike).toBeGreaterThan(300);
    expect(alike).toBeLessThan(2_700);
  });

  it('differ when one leaf does', () => {
    fc.assert(
      fc.property(fields, key, leaf, leaf, drawn, (model, name, one, other, choices) => {
        const [first, second] = [one, other].map((item) =>
          objectOf(write(new Map(model).set('deep', [new Map([[name, item]])]), pickFrom(choices))),
        );
        if (first === undefined || second === undefined) throw new Error('two were made');
        const expected = isDeepStrictEqual(one, other);
        expect(sameCanonical(first, second, [])).toBe(expected);
        expect(fingerprintOf('t', first, []) === fingerprintOf('t', second, [])).toBe(expected);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('are the same whatever stands in ignored fields, or whether they are there', () => {
    fc.assert(
      fc.property(fields, value, value, drawn, (model, one, other, choices) => {
        const pick = pickFrom(choices);
        const ignored = ['sentAt', 'meta.attempt'];
        const texts = [
          new Map(model).set('sentAt', one).set('meta', new Map([['attempt', other]])),
          new Map(model).set('sentAt', other).set('meta', new Map([['attempt', one]])),
          new Map(without(model, ['sentAt'])).set('meta', new Map()),
        ].map((each) => canonical(write(each, pick), ...ignored));
        expect(new Set(texts).size).toBe(1);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('have a canonical text that is its own, without white space, and at most twice as long', () => {
    fc.assert(
      fc.property(fields, drawn, (model, choices) => {
        const text = write(model, pickFrom(choices));
        const once = canonical(text);
        expect(canonical(once)).toBe(once);
        expect(isDeepStrictEqual(parsed(once), parsed(text))).toBe(true);
        expect(once.length).toBeLessThanOrEqual(2 * text.length);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('of 90 KB of the shortest numbers stay below twice their length', () => {
    const text = `{"a":[${'1,'.repeat(BODY_BYTES_MAX / 2 - 10)}1]}`;
    expect(canonical(text).length).toBeLessThan(2 * text.length);
  });
});
