import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonObject } from '../../../core/base/json.ts';
import { ID_BYTES_MAX } from '../../../core/base/limits.ts';
import {
  bookingIdOf,
  encodeId,
  idJson,
  keyOf,
  type MessageId,
  readId,
} from '../../../core/message/id.ts';

function read(json: string) {
  const reading = readJsonObject(Buffer.from(`{"id":${json}}`));
  if (!reading.ok) throw new Error(reading.detail);
  return readId(reading.value.id, 'the id (id)');
}

function idOf(json: string): MessageId {
  const reading = read(json);
  if (!reading.ok) throw new Error(reading.detail);
  return reading.id;
}

function reasonOf(json: string): string {
  const reading = read(json);
  return reading.ok ? 'read' : reading.reason;
}

describe('an id', () => {
  it('that is the number 1 is not the one that is the string "1"', () => {
    expect(encodeId(idOf('1'))).toBe('int:1');
    expect(encodeId(idOf('"1"'))).toBe('1');
  });

  it('that looks like an encoded one does not meet it', () => {
    const texts = ['"int:1"', '"str:int:1"', '"str:1"', '1', '"1"', '"abc:"', '"str:abc:"'];
    const encoded = texts.map((text) => encodeId(idOf(text)));
    expect(new Set(encoded).size).toBe(texts.length);
    expect(encodeId(idOf('"int:1"'))).toBe('str:int:1');
  });

  it('keeps every digit it was sent with', () => {
    expect(encodeId(idOf('9007199254740993'))).toBe('int:9007199254740993');
    expect(idJson(idOf('9007199254740993'))).toBe('9007199254740993');
    expect(encodeId(idOf('-5'))).toBe('int:-5');
  });

  it('is encoded so that no two ids share a key', () => {
    const prefixed = fc.tuple(
      fc.constantFrom('int:', 'str:', 'str:str:', 'abc:', ''),
      fc.string({ maxLength: 3 }),
    );
    const text = prefixed.map(
      ([prefix, rest]): MessageId => ({ kind: 'text', text: prefix + rest }),
    );
    const integer = fc
      .integer({ min: -99, max: 99 })
      .map((n): MessageId => ({ kind: 'integer', digits: String(n) }));
    const near = fc
      .integer({ min: -9, max: 9 })
      .map((n): MessageId => ({ kind: 'text', text: `int:${n}` }));
    const id = fc.oneof(text, integer, near);
    fc.assert(
      fc.property(fc.array(id, { minLength: 2, maxLength: 40 }), (ids) => {
        const meant = new Set(ids.map((one) => JSON.stringify(one)));
        expect(new Set(ids.map(encodeId)).size).toBe(meant.size);
      }),
      { seed: 20261120, numRuns: 500 },
    );
  });

  it.each([
    ['null', 'missing-id'],
    ['""', 'missing-id'],
    ['1.0', 'invalid-id'],
    ['1.5', 'invalid-id'],
    ['1e3', 'invalid-id'],
    ['true', 'invalid-id'],
    ['{}', 'invalid-id'],
    ['["a"]', 'invalid-id'],
    ['"\\ud800"', 'invalid-id'],
    ['"a\\udc00b"', 'invalid-id'],
  ])('that is %s is refused: %s', (json, reason) => {
    expect(reasonOf(json)).toBe(reason);
  });

  it('that is missing is refused', () => {
    expect(readId(undefined, 'the id')).toMatchObject({ ok: false, reason: 'missing-id' });
  });

  it.each([
    ['a', 256],
    ['é', 128],
    ['😀', 64],
  ])(`of ${ID_BYTES_MAX} bytes of %s is read, one byte more is not`, (char, count) => {
    expect(reasonOf(JSON.stringify(char.repeat(count)))).toBe('read');
    expect(reasonOf(JSON.stringify(`${char.repeat(count)}a`))).toBe('too-long');
  });

  it('is measured with its mark, for that is what the key holds', () => {
    expect(reasonOf('1'.repeat(252))).toBe('read');
    expect(reasonOf('1'.repeat(253))).toBe('too-long');
    expect(reasonOf(JSON.stringify(`abc:${'x'.repeat(248)}`))).toBe('read');
    expect(reasonOf(JSON.stringify(`abc:${'x'.repeat(249)}`))).toBe('too-long');
  });

  it('with #, spaces and newlines is kept as it is', () => {
    expect(encodeId(idOf('"a#b\\n +/"'))).toBe('a#b\n +/');
    expect(idJson(idOf('"a#b\\n\\u0000"'))).toBe('"a#b\\n\\u0000"');
  });
});

describe('a key', () => {
  it('holds route and device in one part and the id alone in the other', () => {
    expect(keyOf('charges', 'dev-1', { kind: 'integer', digits: '7' })).toEqual({
      pk: 'charges#dev-1',
      id: 'int:7',
    });
  });

  it('gives strangers different booking ids, whatever # their ids hold', () => {
    const part = fc.constantFrom('a', 'b', 'a-b');
    const text = fc.array(fc.constantFrom('#', 'a', 'b', '-'), { minLength: 1, maxLength: 5 });
    const key = fc.tuple(
      part,
      part,
      text.map((chars) => chars.join('')),
    );
    fc.assert(
      fc.property(key, key, (one, other) => {
        const name = ([route, device, id]: typeof one) =>
          bookingIdOf(keyOf(route, device, { kind: 'text', text: id }));
        expect(name(one) === name(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { seed: 20261120, numRuns: 1_000 },
    );
  });
});
