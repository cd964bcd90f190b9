import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { exactlyOnceDeduplicator } from '../../../core/guarantees/exactly-once/deduplicator.ts';
import type { ExactlyOnceWrite } from '../../../core/guarantees/exactly-once/row.ts';
import { isSameMessage } from '../../../core/guarantees/verdict.ts';
import { differingFields } from '../../../core/message/differences.ts';
import type { WriteResult } from '../../../core/tables/ports.ts';
import type { Row } from '../../../core/tables/row.ts';
import {
  BODY,
  deliveryOf,
  messageOf,
  NOW,
  routeOf,
  writeOf,
} from '../../../tools/handlers/samples.ts';

const bookedAt = epochMillis(NOW - 60_000);

/** What the register makes of the store's answer to a write of a delivery and its copies. */
function verdictOf(
  answer: WriteResult<Row>,
  body = BODY,
  deliveryIds: readonly string[] = ['delivery-1'],
) {
  const ledger = {
    book: async ({ tries }: ExactlyOnceWrite) => {
      expect(tries).toBe(deliveryIds.length);
      return answer;
    },
    find: async () => undefined,
    count: async () => {},
  };
  const reading = { kind: 'message', message: messageOf(body) } as const;
  const register = exactlyOnceDeduplicator(routeOf(), ledger, () => NOW);
  return register.apply({ delivery: deliveryOf(body), deliveryIds, reading });
}

function rowOf(changes: Partial<Row> = {}): Row {
  const { first } = writeOf();
  return {
    rowVersion: first.rowVersion,
    firstDeliveryId: 'delivery-1',
    fingerprint: first.fingerprint,
    topic: first.topic,
    body: first.body,
    bookedAtMillis: bookedAt,
    ...changes,
  };
}

describe('a write that went in', () => {
  it('is accepted when it made the row', async () => {
    expect(await verdictOf({ kind: 'written' })).toEqual({
      kind: 'accepted',
      bookedAt: NOW,
      firstDeliveryId: 'delivery-1',
    });
    const three = ['delivery-1', 'delivery-2', 'delivery-3'];
    expect((await verdictOf({ kind: 'written' }, BODY, three)).kind).toBe('accepted');
  });

  it('is resumed when the row stood and is mine', async () => {
    expect(await verdictOf({ kind: 'counted', row: rowOf() })).toEqual({
      kind: 'resumed',
      bookedAt,
      firstDeliveryId: 'delivery-1',
    });
  });

  it('is a duplicate when another delivery booked it, with the first booking’s time', async () => {
    const row = rowOf({ firstDeliveryId: 'delivery-0' });
    expect(await verdictOf({ kind: 'counted', row })).toEqual({
      kind: 'duplicate',
      bookedAt,
      firstDeliveryId: 'delivery-0',
    });
  });

  it('is resumed when any delivery folded into it booked the row before', async () => {
    const row = rowOf({ firstDeliveryId: 'delivery-0' });
    const kindOf = async (...own: readonly string[]) =>
      (await verdictOf({ kind: 'counted', row }, BODY, own)).kind;
    expect(await kindOf('delivery-1', 'delivery-0')).toBe('resumed');
    expect(await kindOf('delivery-1', 'delivery-2')).toBe('duplicate');
  });
});

describe('a write that was refused', () => {
  it('is a conflict when the bodies really differ', async () => {
    const row = rowOf({ body: BODY.replace('12.50', '13.50'), fingerprint: 'other' });
    expect(await verdictOf({ kind: 'refused', row })).toEqual({
      kind: 'conflict',
      row,
      fields: ['kWh'],
    });
  });

  it('is a conflict even when the booked row is mine: the body decides', async () => {
    const row = rowOf({ body: BODY.replace('acme', 'evil'), fingerprint: 'other' });
    expect((await verdictOf({ kind: 'refused', row })).kind).toBe('conflict');
  });

  it('is a conflict when the same bytes came on another topic', async () => {
    const row = rowOf({ topic: 'billing/dev-1/other', fingerprint: 'other' });
    expect(await verdictOf({ kind: 'refused', row })).toMatchObject({
      kind: 'conflict',
      fields: ['$topic'],
    });
  });

  it('holds another message when its topic is another, even where notation does not count', () => {
    const row = rowOf({ topic: 'billing/dev-1/other', fingerprint: 'other' });
    expect(isSameMessage(row, writeOf(), [])).toBe(false);
    expect(isSameMessage(rowOf({ fingerprint: 'other' }), writeOf(`${BODY} `), [])).toBe(true);
    expect(isSameMessage(rowOf({ fingerprint: 'other' }), writeOf(`${BODY} `), null)).toBe(false);
  });

  it('holds the same message when the fingerprint is the same, whatever else the bodies say', () => {
    const row = rowOf({ body: BODY.replace('acme', 'other') });
    expect(isSameMessage(row, writeOf(), null)).toBe(true);
  });

  it('holds another message when a body is no JSON object, on a route that ignores fields', () => {
    const [one, other] = [rowOf({ body: 'no JSON', fingerprint: 'other' }), writeOf()];
    expect(isSameMessage(one, other, [])).toBe(false);
    const alsoNone = { ...other, first: { ...other.first, body: 'none either' } };
    expect(isSameMessage(one, alsoNone, [])).toBe(false);
    expect(isSameMessage(rowOf({ fingerprint: 'other' }), alsoNone, [])).toBe(false);
  });

  it('is no conflict when the bodies are the same and the fingerprint alone differs', async () => {
    const mine = rowOf({ fingerprint: 'made another way' });
    expect((await verdictOf({ kind: 'refused', row: mine })).kind).toBe('resumed');
    const theirs = rowOf({ fingerprint: 'made another way', firstDeliveryId: 'delivery-0' });
    expect((await verdictOf({ kind: 'refused', row: theirs })).kind).toBe('duplicate');
  });
});

describe('the fields that differ', () => {
  const between = (one: string, other: string, topic = 't') =>
    differingFields({ topic: 't', body: one }, { topic, body: other });

  it.each([
    ['{"a":1}', '{"a":2}', ['a']],
    ['{"a":1}', '{"a":1.0}', ['a']],
    ['{"a":1}', '{"a":"1"}', ['a']],
    ['{"a":1}', '{}', ['a']],
    ['{}', '{"a":null}', ['a']],
    ['{"a":{"b":1,"c":2}}', '{"a":{"b":1,"c":3}}', ['a.c']],
    ['{"a":{"b":1}}', '{"a":1}', ['a']],
    ['{"a":[1,{"b":2}]}', '{"a":[1,{"b":3}]}', ['a']],
    ['{"a":[1,{"b":2}]}', '{"a":[1,{"b":2}]}', []],
    ['{"a":[1]}', '{"a":[1,2]}', ['a']],
    ['{"b":1,"a":2}', '{ "a":2, "b":1 }', []],
    ['{"__proto__":1}', '{"__proto__":2}', ['__proto__']],
    ['{"toString":1}', '{}', ['toString']],
    ['{"x":1,"y":1}', '{"y":2,"x":2}', ['x', 'y']],
  ])('between %s and %s are %j', (one, other, fields) => {
    expect(between(one, other)).toEqual(fields);
  });

  it('include the topic', () => {
    expect(between('{"a":1}', '{"a":2}', 'u')).toEqual(['$topic', 'a']);
  });

  it('are bounded, well-formed and without what a terminal would obey', () => {
    const many = (value: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, value])));
    expect(between(many(1), many(2))).toHaveLength(20);
    const [long] = between(`{"${'k'.repeat(60_000)}":1}`, '{}');
    expect(long?.length).toBeLessThanOrEqual(256);
    const hostile = between(`{"\\ud800":1,"\\u001b[31m":1,"${'k'.repeat(255)}😀":1}`, '{}');
    expect(hostile).toHaveLength(3);
    for (const field of hostile) {
      expect(field.isWellFormed()).toBe(true);
      expect(field).not.toMatch(/\p{Cc}/u);
    }
  });

  it('of two bodies of 90 KB are found quickly', () => {
    const deep = (last: number) => `{"a":[${'{"b":[1,2,3]},'.repeat(6_000)}${last}]}`;
    const startedAt = performance.now();
    expect(between(deep(1), deep(2))).toEqual(['a']);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

describe('the fields that differ, where notation and some fields do not count,', () => {
  const between = (one: string, other: string, ignored: readonly string[] | null) =>
    differingFields({ topic: 't', body: one }, { topic: 't', body: other }, ignored);

  it.each([
    ['{"a":1.0}', '{"a":1.00}', [], []],
    ['{"a":1e2,"b":-0}', '{"a":100,"b":0}', [], []],
    ['{"a":9007199254740993}', '{"a":9007199254740992}', [], ['a']],
    ['{"a":1e999999999}', '{"a":10e999999998}', [], []],
    ['{"a":1}', '{"a":"1"}', [], ['a']],
    ['{"a":[1,{"b":2.0}]}', '{"a":[1.0,{"b":2}]}', [], []],
    ['{"a":[1,{"b":2}]}', '{"a":[1,{"b":3}]}', ['a.b', 'a.1.b'], ['a']],
    ['{"a":1,"b":1}', '{"a":2,"b":2}', ['a'], ['b']],
    ['{"a":1}', '{}', ['a'], []],
    ['{"m":{"x":1,"y":1}}', '{"m":{"x":2,"y":2}}', ['m.x'], ['m.y']],
    ['{"m":{"x":1}}', '{"m":{}}', ['m.x'], []],
    ['{"m":{"x":1}}', '{}', ['m.x'], ['m']],
    ['{"m":{"x":1}}', '{"m":1}', ['m.x'], ['m']],
    ['{"m.x":1}', '{"m.x":2}', ['m.x'], ['m.x']],
    ['{"__proto__":1,"a":1}', '{"__proto__":2,"a":1}', ['__proto__'], []],
    ['{"toString":1}', '{}', ['__proto__'], ['toString']],
  ])('between %s and %s without %j are %j', (one, other, ignored, fields) => {
    expect(between(one, other, ignored)).toEqual(fields);
    expect(between(other, one, ignored)).toEqual(fields);
  });

  it('still include the notation of numbers when the exact bytes count', () => {
    expect(between('{"a":1.0}', '{"a":1.00}', null)).toEqual(['a']);
    expect(between('{"a":[1.0]}', '{"a":[1.00]}', null)).toEqual(['a']);
  });
});
