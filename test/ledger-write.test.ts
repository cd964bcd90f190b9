import { describe, expect, it } from 'vitest';
import { type LedgerWrite, ledgerRowFault, ledgerWriteOf } from '../core/ledger-row.ts';
import { ITEM_BYTES_MAX } from '../core/limits.ts';
import { epochMillis } from '../core/time.ts';
import { attributeOf } from '../lambda/adapters/attributes.ts';
import { ledgerWriteInput } from '../lambda/adapters/ledger-write.ts';
import { BODY, bodyWith, deliveryOf, messageOf, NOW, routeOf, writeOf } from './support/samples.ts';

const FIRST_WRITE = [
  'rowVersion',
  'route',
  'device',
  'topic',
  'body',
  'likeness',
  'account',
  'amount',
  'unit',
  'occurredAt',
  'occurredAtMillis',
  'receivedAt',
  'bookedAt',
  'bookedAtMillis',
  'principal',
  'accountPeriod',
  'occurrence',
  'firstDeliveryId',
];

describe('the one write', () => {
  const input = ledgerWriteInput('ledger', writeOf(BODY, {}, NOW, 3));

  it('says exactly this condition', () => {
    expect(input.ConditionExpression).toBe('attribute_not_exists(pk) OR #likeness = :likeness');
  });

  it('says exactly this update: everything once, but lastSeenAt and tries', () => {
    const sets = FIRST_WRITE.map((name) => `#${name} = if_not_exists(#${name}, :${name})`);
    expect(input.UpdateExpression).toBe(
      `SET ${sets.join(', ')}, #lastSeenAt = :now ADD #tries :tries`,
    );
  });

  it('asks for the row in either case', () => {
    expect(input.ReturnValues).toBe('ALL_NEW');
    expect(input.ReturnValuesOnConditionCheckFailure).toBe('ALL_OLD');
    expect(input.TableName).toBe('ledger');
  });

  it('names every attribute it uses and gives every value', () => {
    const names = [...FIRST_WRITE, 'lastSeenAt', 'tries'];
    expect(input.ExpressionAttributeNames).toEqual(
      Object.fromEntries(names.map((name) => [`#${name}`, name])),
    );
    expect(Object.keys(input.ExpressionAttributeValues ?? {}).sort()).toEqual(
      [...FIRST_WRITE.map((name) => `:${name}`), ':now', ':tries'].sort(),
    );
  });

  it('writes the design’s attributes with these types and values', () => {
    expect(input.Key).toEqual({ pk: { S: 'charges#dev-1' }, id: { S: 'c-1' } });
    expect(input.ExpressionAttributeValues).toEqual({
      ':rowVersion': { N: '1' },
      ':route': { S: 'charges' },
      ':device': { S: 'dev-1' },
      ':topic': { S: 'billing/dev-1/charges' },
      ':body': { S: BODY },
      ':likeness': { S: messageOf().bodyHash },
      ':account': { S: 'acme' },
      ':amount': { N: '12.5' },
      ':unit': { S: 'kWh' },
      ':occurredAt': { S: '2026-11-20T08:59:00.000Z' },
      ':occurredAtMillis': { N: String(Date.UTC(2026, 10, 20, 8, 59)) },
      ':receivedAt': { S: '2026-11-20T09:00:51.000Z' },
      ':bookedAt': { S: '2026-11-20T09:00:51.000Z' },
      ':bookedAtMillis': { N: String(NOW) },
      ':principal': { S: 'principal-1' },
      ':accountPeriod': { S: 'acme#2026-11#0' },
      ':occurrence': { S: '2026-11-20T08:59:00.000Z#dev-1#c-1' },
      ':firstDeliveryId': { S: 'delivery-1' },
      ':now': { S: '2026-11-20T09:00:51.000Z' },
      ':tries': { N: '3' },
    });
  });

  it('writes null for a principal that is not known, so that no copy can add one', () => {
    const { ExpressionAttributeValues } = ledgerWriteInput(
      'ledger',
      writeOf(BODY, { principal: undefined }),
    );
    expect(ExpressionAttributeValues?.[':principal']).toEqual({ NULL: true });
  });

  it('puts an id into the same shard whoever delivers it, and uses all shards', () => {
    const route = routeOf({ indexShards: 4 });
    const shardOf = (id: string, deliveryId: string) => {
      const body = bodyWith({ id: JSON.stringify(id) });
      const message = messageOf(body);
      const write = ledgerWriteOf(route, deliveryOf(body, { deliveryId }), message, 1, NOW);
      return write.first.accountPeriod;
    };
    const ids = Array.from({ length: 60 }, (_, n) => `c-${n}`);
    for (const id of ids) expect(shardOf(id, 'a')).toBe(shardOf(id, 'b'));
    expect(new Set(ids.map((id) => shardOf(id, 'a')))).toEqual(
      new Set([0, 1, 2, 3].map((shard) => `acme#2026-11#${shard}`)),
    );
  });

  it('takes the period from the time of the charge, in UTC', () => {
    const body = bodyWith({ at: '"2026-11-01T00:30:00+01:00"' });
    expect(writeOf(body).first.accountPeriod).toBe('acme#2026-10#0');
  });
});

function withFirst(changes: Partial<LedgerWrite['first']>): LedgerWrite {
  const write = writeOf();
  return { ...write, first: { ...write.first, ...changes } };
}

describe('ledgerRowFault', () => {
  it('finds none in a booking', () => {
    expect(ledgerRowFault(writeOf())).toBeUndefined();
  });

  it('finds none in the largest booking that a message can make', () => {
    const body = bodyWith({
      id: JSON.stringify('😀'.repeat(64)),
      account: JSON.stringify('a'.repeat(2_037)),
    }).padEnd(92_160 - 64 * 2, ' ');
    const device = 'd'.repeat(128);
    const write = writeOf(
      body,
      { topic: `billing/${device}/charges`, clientId: device },
      epochMillis(NOW),
    );
    expect(ledgerRowFault(write)).toBeUndefined();
  });

  it.each([
    ['accountPeriod', 2_048],
    ['occurrence', 1_024],
  ] as const)('allows %s 1 to %i bytes', (name, max) => {
    expect(ledgerRowFault(withFirst({ [name]: '' }))).toContain(name);
    expect(ledgerRowFault(withFirst({ [name]: 'x'.repeat(max) }))).toBeUndefined();
    expect(ledgerRowFault(withFirst({ [name]: 'x'.repeat(max + 1) }))).toContain(
      `${name} has ${max + 1} bytes`,
    );
    expect(ledgerRowFault(withFirst({ [name]: 'é'.repeat(max / 2 + 1) }))).toContain(name);
  });

  it.each([
    ['pk', 2_048],
    ['id', 1_024],
  ] as const)('allows the key part %s 1 to %i bytes', (name, max) => {
    const withKey = (value: string) => ({ ...writeOf(), key: { ...writeOf().key, [name]: value } });
    expect(ledgerRowFault(withKey(''))).toContain(name);
    expect(ledgerRowFault(withKey('x'.repeat(max)))).toBeUndefined();
    expect(ledgerRowFault(withKey('x'.repeat(max + 1)))).toContain(name);
  });

  it('allows a row 400 KB, counted in UTF-8', () => {
    expect(ledgerRowFault(withFirst({ body: 'é'.repeat(100_000) }))).toBeUndefined();
    expect(ledgerRowFault(withFirst({ body: 'é'.repeat(ITEM_BYTES_MAX / 2) }))).toContain('bytes');
    expect(ledgerRowFault(withFirst({ body: 'x'.repeat(ITEM_BYTES_MAX) }))).toContain('409600');
  });
});

describe('attributeOf', () => {
  it('writes each kind of value that a row has, and refuses any other', () => {
    expect(attributeOf('a')).toEqual({ S: 'a' });
    expect(attributeOf(null)).toEqual({ NULL: true });
    expect(attributeOf(7)).toEqual({ N: '7' });
    expect(attributeOf({ decimal: '1e+125' })).toEqual({ N: '1e+125' });
    expect(attributeOf(['a', 'b'])).toEqual({ L: [{ S: 'a' }, { S: 'b' }] });
    expect(attributeOf(Uint8Array.of(1))).toEqual({ B: Uint8Array.of(1) });
    for (const value of [1.5, Number.NaN, 2 ** 53])
      expect(() => attributeOf(value)).toThrow(TypeError);
  });
});
