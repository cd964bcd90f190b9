import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../core/ledger-row.ts';
import { epochMillis } from '../core/time.ts';
import { differingFields, verdictOf } from '../core/verdict.ts';
import { BODY, NOW, writeOf } from './support/samples.ts';

const bookedAt = epochMillis(NOW - 60_000);

function rowOf(changes: Partial<LedgerRow> = {}): LedgerRow {
  const { first } = writeOf();
  return {
    firstDeliveryId: 'delivery-1',
    likeness: first.likeness,
    topic: first.topic,
    body: first.body,
    tries: 1,
    bookedAtMillis: bookedAt,
    ...changes,
  };
}

describe('a write that went in', () => {
  it('is accepted when the row is mine and has the tries I added', () => {
    expect(verdictOf({ kind: 'written', row: rowOf() }, writeOf())).toEqual({
      kind: 'accepted',
      bookedAt,
    });
    const three = writeOf(BODY, {}, NOW, 3);
    expect(verdictOf({ kind: 'written', row: rowOf({ tries: 3 }) }, three).kind).toBe('accepted');
  });

  it('is resumed when the row is mine and has more tries', () => {
    expect(verdictOf({ kind: 'written', row: rowOf({ tries: 2 }) }, writeOf())).toEqual({
      kind: 'resumed',
      bookedAt,
    });
  });

  it('is a duplicate when another delivery booked it, with the first booking’s time', () => {
    const row = rowOf({ firstDeliveryId: 'delivery-0', tries: 2 });
    expect(verdictOf({ kind: 'written', row }, writeOf())).toEqual({ kind: 'duplicate', bookedAt });
  });

  it('is resumed when any delivery folded into it booked the row before', () => {
    const row = rowOf({ firstDeliveryId: 'delivery-0', tries: 3 });
    const write = writeOf(BODY, {}, NOW, 2);
    expect(verdictOf({ kind: 'written', row }, write, ['delivery-1', 'delivery-0']).kind).toBe(
      'resumed',
    );
    expect(verdictOf({ kind: 'written', row }, write, ['delivery-1', 'delivery-2']).kind).toBe(
      'duplicate',
    );
  });
});

describe('a write that was refused', () => {
  it('is a conflict when the bodies really differ', () => {
    const row = rowOf({ body: BODY.replace('12.50', '13.50'), likeness: 'other' });
    expect(verdictOf({ kind: 'refused', row }, writeOf())).toEqual({
      kind: 'conflict',
      row,
      fields: ['kWh'],
    });
  });

  it('is a conflict even when the booked row is mine: the body decides', () => {
    const row = rowOf({ body: BODY.replace('acme', 'evil'), likeness: 'other' });
    expect(verdictOf({ kind: 'refused', row }, writeOf()).kind).toBe('conflict');
  });

  it('is no conflict when the bodies are the same and the likeness alone differs', () => {
    const mine = rowOf({ likeness: 'made another way' });
    expect(verdictOf({ kind: 'refused', row: mine }, writeOf()).kind).toBe('resumed');
    const theirs = rowOf({ likeness: 'made another way', firstDeliveryId: 'delivery-0' });
    expect(verdictOf({ kind: 'refused', row: theirs }, writeOf()).kind).toBe('duplicate');
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
