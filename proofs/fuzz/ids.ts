/** Ids from every source, and what counts as the same message. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { canonicalJson } from '../../core/base/canonical.ts';
import { readJsonObject } from '../../core/base/json.ts';
import { ID_BYTES_MAX } from '../../core/base/limits.ts';
import type { IdSource } from '../../core/config/sources.ts';
import type { Delivery } from '../../core/message/envelope.ts';
import { encodeId, idJson, idText, type MessageId } from '../../core/message/id.ts';
import { readIdFrom } from '../../core/message/id-sources.ts';
import { readMessage } from '../../core/message/message.ts';
import { candidatesOf } from '../../core/operations/id-candidates.ts';
import { idTellingOf, parseReceiptId } from '../../core/wire/receipt-ids.ts';
import { drawn, fewFields, fields, pickFrom, write } from '../../tools/handlers/any-body.ts';
import { bodyWith, deliveryOf, routeOf } from '../../tools/handlers/samples.ts';
import { bodyText, idSources } from './bodies.ts';
import { mutated, rawText } from './bytes.ts';
import { fail } from './fail.ts';
import { numberText, timeJson } from './numbers.ts';
import { type Target, targetOf } from './target.ts';

const idJsonText = fc.oneof(
  rawText.map((text) => JSON.stringify(text)),
  numberText,
  fc.constantFrom('"c-1"', '1', '"1"', '"int:1"', '"str:int:1"', '"seq:a:1"', '"a:b"', '"all:[]"'),
  fc.constantFrom(255, 256, 257).map((length) => JSON.stringify('ä'.repeat(length / 2))),
  fc.constantFrom('null', 'true', '{}', '[1]', '""'),
);
const idFields = fc
  .record(
    {
      id: idJsonText,
      order: idJsonText.map((text) => `{"id":${text}}`),
      seq: fc.oneof(fc.constantFrom('7', '"7"', '07', '"07"', '-1', '1e3'), idJsonText),
      boot: fc.oneof(fc.constantFrom('7', '"7"', '"a:1"', '"a"'), idJsonText),
      at: timeJson,
      kWh: numberText,
    },
    { requiredKeys: [] },
  )
  .map((parts) => `{${Object.entries(parts).map(([name, text]) => `"${name}":${text}`)}}`);
const delivery: fc.Arbitrary<Delivery> = fc
  .record({
    body: fc.oneof(
      { weight: 8, arbitrary: idFields.map((text) => Buffer.from(text)) },
      { weight: 1, arbitrary: mutated(idFields) },
      { weight: 1, arbitrary: bodyText.map((text) => Buffer.from(text)) },
    ),
    properties: fc.array(fc.tuple(fc.constantFrom('id', 'id', 'x', '__proto__'), rawText), {
      maxLength: 2,
    }),
    correlationData: fc.oneof(fc.constantFrom('AAE=', ''), rawText),
    level: fc.oneof(fc.constantFrom('charges', '', '7'), rawText),
  })
  .map(({ body, properties, correlationData, level }) =>
    deliveryOf(body, {
      topic: `billing/dev-1/${level}`,
      userProperties: properties,
      correlationData,
    }),
  );

type Read =
  | { readonly ok: true; readonly id: MessageId }
  | { readonly ok: false; readonly end: string };

/** The id of a delivery as the bridge reads it. */
function read(source: IdSource, from: Delivery): Read {
  const json = readJsonObject(from.body);
  if (!json.ok) return { ok: false, end: 'no JSON object' };
  const reading = readIdFrom(source, { delivery: from, body: json.value });
  return reading.ok ? reading : { ok: false, end: reading.reason };
}

/** From the bytes to the key, to what a receipt calls it, and back to the key. */
export const ids: Target = targetOf({
  name: 'ids',
  share: 16_000,
  reaches: [
    ...['text', 'integer', 'made', 'missing-id', 'invalid-id', 'too-long', 'no JSON object'],
    ...['two readings of what was told', 'the same key twice'],
  ],
  inputs: fc.record({ source: fc.constantFrom(...idSources), one: delivery, other: delivery }),
  open: () => ({
    check({ source, one, other }) {
      const mine = read(source, one);
      if (!mine.ok) return [mine.end];
      const { id } = mine;
      const bytes = Buffer.byteLength(encodeId(id));
      if (bytes < 1 || bytes > ID_BYTES_MAX) fail('a key of so many bytes', bytes);
      const ends: string[] = [id.kind];
      if (readingsOf(source, id) > 1) ends.push('two readings of what was told');
      const yours = read(source, other);
      if (yours.ok && encodeId(id) === encodeId(yours.id)) {
        ends.push('the same key twice');
        if (idJson(id) !== idJson(yours.id)) fail('two ids under one key', id, yours.id);
      }
      return ends;
    },
  }),
});

/** How many ids the name in a receipt can mean; the id itself has to be among them. */
function readingsOf(source: IdSource, id: MessageId): number {
  const told = readJsonObject(Buffer.from(`{"id":${idJson(id)}}`));
  if (!told.ok) return fail('what receipts call it is no JSON', idJson(id));
  const key = encodeId(id);
  const meant = parseReceiptId(idTellingOf(routeOf({ id: source })), told.value.id).map(encodeId);
  if (!meant.includes(key)) fail('a device cannot name its id', key, meant);
  const found = candidatesOf(idText(id)).map((candidate) => candidate.key);
  if (!found.includes(key)) fail('an operator cannot find the id', key, found);
  return meant.length;
}

const likened = fc.record({
  model: fields,
  other: fc.oneof(fields, fewFields),
  few: fewFields,
  picks: fc.tuple(drawn, drawn),
  ignored: fc.constantFrom<readonly string[]>([], ['a'], ['a.b', '1'], ['__proto__'], ['toString']),
});

/** When two bodies are the same: the same bytes, or the same but for notation and ignored fields. */
export const fingerprint: Target = targetOf({
  name: 'fingerprint',
  share: 3_000,
  reaches: ['the same in two notations', 'different', 'equal by chance'],
  inputs: likened,
  open: () => ({
    check({ model, other, few, picks, ignored }) {
      const texts = picks.map((pick) => write(model, pickFrom(pick)));
      const [one, two] = texts.map((text) => canonicalOf(text, ignored));
      if (one === undefined) return fail('nothing was written');
      if (one !== two) fail('one body in two notations counts as two', texts);
      if (canonicalOf(one, ignored) !== one) fail('a canonical text is not its own', one);
      assertReadAlike(texts, ignored);
      const ends = ['the same in two notations'];
      for (const [left, right] of [[model, other] as const, [few, other] as const]) {
        const [mine, yours] = [left, right].map((each) => write(each, pickFrom(picks[0])));
        const same = canonicalOf(mine ?? '', []) === canonicalOf(yours ?? '', []);
        if (same !== isDeepStrictEqual(left, right)) fail('two bodies count wrongly', mine, yours);
        ends.push(same ? 'equal by chance' : 'different');
      }
      return ends;
    },
  }),
});

function canonicalOf(text: string, ignored: readonly string[]): string {
  const json = readJsonObject(Buffer.from(text));
  return json.ok ? canonicalJson(json.value, ignored) : fail('no body', json.detail, text);
}

/** The bridge's own reading: one key and one fingerprint for both, and for the same bytes twice. */
function assertReadAlike(texts: readonly string[], ignored: readonly string[]): void {
  const route = routeOf({ ignoring: ignored });
  const [first, ...others] = texts.flatMap((text) => {
    const body = bodyWith({ x: text });
    return [body, body].map((each) => readMessage(route, deliveryOf(each)));
  });
  for (const reading of others) {
    if (first?.kind !== 'message' || reading.kind !== 'message') {
      fail('a body was not read as a message', first, reading);
    }
    const [mine, yours] = [first.message, reading.message];
    if (mine.key.id !== yours.key.id || mine.fingerprint !== yours.fingerprint) {
      fail('the same message has two keys or two fingerprints', texts);
    }
  }
}
