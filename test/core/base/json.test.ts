import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fieldAt,
  isJsonNumber,
  isJsonObject,
  readJsonObject,
  readUtf8,
} from '../../../core/base/json.ts';
import { BODY_DEPTH_MAX } from '../../../core/base/limits.ts';

function read(text: string) {
  return readJsonObject(Buffer.from(text));
}

function objectOf(text: string) {
  const reading = read(text);
  if (!reading.ok) throw new Error(reading.detail);
  return reading.value;
}

function faultOf(text: string): string {
  const reading = read(text);
  return reading.ok ? 'none' : reading.detail;
}

describe('readJsonObject', () => {
  it('keeps every digit of a number', () => {
    const { n, m } = objectOf('{"n":9007199254740993,"m":1.10}');
    expect(isJsonNumber(n) && n.value).toBe('9007199254740993');
    expect(isJsonNumber(m) && m.value).toBe('1.10');
  });

  it('gives the text back as it was sent', () => {
    const text = ' {"b" : 1.0,\n"a":"\\u00e9é"} ';
    expect(read(text)).toMatchObject({ ok: true, text });
  });

  it.each(['', ' ', 'null', '1', '"a"', '[]', '[{"id":1}]', 'true'])(
    'refuses %j: not an object',
    (text) => {
      expect(read(text).ok).toBe(false);
    },
  );

  it.each([
    '{"a":1,}',
    '{a:1}',
    '{"a":01}',
    '{"a":.5}',
    '{"a":NaN}',
    '{"a":1}x',
    '{"a":"\t"}',
    "{'a':1}",
    '{"a":1',
  ])('refuses %j: not JSON', (text) => {
    expect(faultOf(text)).toContain('not JSON');
  });

  it('refuses a byte order mark, which RFC 8259 forbids to send', () => {
    expect(faultOf('\ufeff{"a":1}')).toContain('not JSON');
  });

  it('refuses bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(readJsonObject(bytes)).toEqual({ ok: false, detail: 'the body is not UTF-8' });
  });

  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":1}',
    '{"a":1,"\\u0061":2}',
    '{"x":[{"a":{},"a":{}}]}',
    '{"__proto__":1,"__proto__":1}',
  ])('refuses the repeated key of %s', (text) => {
    expect(faultOf(text)).toMatch(/repeats a key|Duplicate key/);
  });

  it('does not take a colon or brace inside a string for structure', () => {
    expect(read('{"a":"\\":{[:","b":"\\\\"}').ok).toBe(true);
  });

  it('keeps __proto__ a plain field', () => {
    const value = objectOf('{"__proto__":{"id":"x"},"constructor":1}');
    expect(fieldAt(value, 'id')).toBeUndefined();
    expect(fieldAt(value, '__proto__.id')).toBe('x');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('takes an object that poses as a number for an object', () => {
    const value = objectOf('{"id":{"isLosslessNumber":true,"value":"7"}}');
    expect(isJsonNumber(value.id)).toBe(false);
    expect(isJsonObject(value.id)).toBe(true);
  });

  it(`reads ${BODY_DEPTH_MAX} levels and refuses one more`, () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(read(nested(BODY_DEPTH_MAX)).ok).toBe(true);
    expect(faultOf(nested(BODY_DEPTH_MAX + 1))).toContain('deeper');
  });

  it.each(['[', '{"a":', '{"a":[', ']', '"'])(
    'ends without exhausting the stack on 30,000 times %s',
    (text) => {
      expect(read(text.repeat(30_000)).ok).toBe(false);
    },
  );

  it('bounds the detail and takes the teeth out of it', () => {
    const long = faultOf(`{"${'k'.repeat(50_000)}":1,"${'k'.repeat(50_000)}":2}`);
    expect(long.length).toBeLessThan(400);
    const hostile = faultOf('{"a":"\u001b[31m"}');
    expect(hostile).toContain('u{1b}');
    expect(hostile).not.toMatch(/\p{Cc}/u);
    expect(faultOf('{"\\ud800":1,"\\ud800":2}').isWellFormed()).toBe(true);
  });

  it('agrees with JSON.parse on what it accepts', () => {
    let accepted = 0;
    const json = fc.json({ maxDepth: 4 }).map((text) => `{"v":${text}}`);
    const torn = fc
      .tuple(json, fc.nat(), fc.constantFrom('', '"', ',', '}', ':', '\\', '0'))
      .map(
        ([text, at, put]) =>
          text.slice(0, at % text.length) + put + text.slice((at % text.length) + 1),
      );
    fc.assert(
      fc.property(fc.oneof(json, torn), (text) => {
        if (!read(text).ok) return;
        accepted++;
        expect(isJsonObject(objectOf(text))).toBe(true);
        expect(Object.keys(objectOf(text))).toEqual(Object.keys(JSON.parse(text)));
      }),
      { seed: 20261120, numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });
});

describe('readUtf8', () => {
  it('gives back exactly the bytes it was given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const text = readUtf8(bytes);
        if (text !== undefined) expect(Buffer.from(text).equals(Buffer.from(bytes))).toBe(true);
      }),
      { seed: 20261120, numRuns: 2_000 },
    );
    expect(readUtf8(Buffer.from('\ufeffa'))).toBe('\ufeffa');
  });
});

describe('fieldAt', () => {
  const body = objectOf('{"a":{"b":{"c":1},"l":[1]},"n":null,"s":"text"}');

  it('follows dots into objects alone', () => {
    expect(isJsonNumber(fieldAt(body, 'a.b.c'))).toBe(true);
    expect(fieldAt(body, 'n')).toBeNull();
    for (const path of [
      'x',
      'a.x',
      'n.x',
      's.length',
      'a.l.0',
      'a.l.length',
      'toString',
      '__proto__',
      'a.b.c.value',
    ]) {
      expect(fieldAt(body, path), path).toBeUndefined();
    }
  });
});
