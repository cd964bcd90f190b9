/** Release and query know ids by what receipts told: it must lead back to the very key. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldAt, type JsonValue, readJsonObject } from '../../../core/base/json.ts';
import { ID_BYTES_MAX } from '../../../core/base/limits.ts';
import {
  all,
  contentHash,
  correlationData,
  type IdSource,
  payload,
  sequence,
  timestamp,
  topicLevel,
  userProperty,
} from '../../../core/config/sources.ts';
import { encodeId, idJson } from '../../../core/message/id.ts';
import { readIdFrom } from '../../../core/message/id-sources.ts';
import { displayId, idTellingOf, parseReceiptId } from '../../../core/wire/receipt-ids.ts';
import { deliveryOf, stateRouteOf, windowRouteOf } from '../../../tools/handlers/samples.ts';

const sources: Readonly<Record<string, IdSource>> = {
  'payload(…)': payload('id'),
  'topicLevel(…)': topicLevel(3),
  'sequence(…)': sequence('seq', { epoch: 'id' }),
  'timestamp(…)': timestamp('at'),
  'contentHash(…)': contentHash('id'),
  'contentHash()': contentHash(),
  'userProperty(…)': userProperty('id'),
  'correlationData()': correlationData(),
  'all(…)': all(payload('id'), sequence('seq', { epoch: 'at' })),
};

/** A value as it stands in a request, where every number keeps its digits. */
function inRequest(json: string): JsonValue | undefined {
  const reading = readJsonObject(Buffer.from(`{"id":${json}}`));
  if (!reading.ok) throw new Error(reading.detail);
  return fieldAt(reading.value, 'id');
}

const keysOf = (source: IdSource, json: string) =>
  parseReceiptId(idTellingOf(windowRouteOf({ id: source })), inRequest(json)).map(encodeId);

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.constantFrom('seq:a:1', 'int:7', 'str:x', ':', '7', '-7', 'a:b:3', '\n', '"'),
);
const anyId = fc.oneof(
  anyText.map((text) => JSON.stringify(text)),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
);

describe('an epoch', () => {
  it('is taken for a number as well only where all of it is digits', () => {
    expect(keysOf(sequence('seq', { epoch: 'id' }), '"7:1"')).toEqual(['seq:7:1', 'seq:int:7:1']);
    expect(keysOf(sequence('seq', { epoch: 'id' }), '"7a:1"')).toEqual(['seq:7a:1']);
    expect(keysOf(sequence('seq', { epoch: 'id' }), '"a7:1"')).toEqual(['seq:a7:1']);
  });
});

describe.each(Object.entries(sources))('an id of %s', (_, source) => {
  it('is found again by what receipts call it', () => {
    fc.assert(
      fc.property(anyId, anyText, fc.nat(), (id, text, seq) => {
        const body = `{"id":${id},"seq":${seq},"at":${1_795_165_251_000 + seq}}`;
        const delivery = deliveryOf(body, {
          topic: 'billing/dev-1/charges',
          userProperties: [['id', text]],
          correlationData: Buffer.from(text).toString('base64'),
        });
        const json = readJsonObject(delivery.body);
        if (!json.ok) throw new Error(json.detail);
        const reading = readIdFrom(source, { delivery, body: json.value });
        if (!reading.ok) return fc.pre(false);
        const told = idJson(reading.id);
        expect(keysOf(source, told)).toContain(encodeId(reading.id));
        const value = inRequest(told);
        expect(value === undefined ? '' : idJson(displayId(value))).toBe(told);
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});

describe('what is told of a counted id', () => {
  const seq = sequence('seq', { epoch: 'boot' });

  it('can mean two ids where the epoch is all digits, and one elsewhere', () => {
    expect(keysOf(seq, '"7:3"')).toEqual(['seq:7:3', 'seq:int:7:3']);
    expect(keysOf(seq, '"b-1:3"')).toEqual(['seq:b-1:3']);
    expect(keysOf(seq, '"a:b:3"')).toEqual(['seq:a:b:3']);
  });

  it.each(['"7"', '"7:"', '":3"', '"7:03"', '"7:-3"', '7', 'true', '{}', '["7:3"]'])(
    'is no id as %s',
    (json) => {
      expect(keysOf(seq, json)).toEqual([]);
    },
  );
});

it('an id of a route without ids leads to no key', () => {
  const telling = idTellingOf(stateRouteOf());
  expect(parseReceiptId(telling, 'anything')).toEqual([]);
});

it.each(['payload(…)', 'sequence(…)', 'all(…)', 'correlationData()'])(
  'what is longer than a key is no id of %s',
  (name) => {
    const source = sources[name] ?? payload('id');
    const longest = 'x'.repeat(ID_BYTES_MAX);
    expect(keysOf(source, JSON.stringify(`${longest}:1`))).toEqual([]);
    expect(keysOf(source, JSON.stringify(`${longest}é`))).toEqual([]);
  },
);
