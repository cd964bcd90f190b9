/** What rows hold, and that a table refuses none of them. */
import { describe, expect, it } from 'vitest';
import {
  BODY_BYTES_MAX,
  ITEM_BYTES_MAX,
  PARTITION_KEY_BYTES_MAX,
  SORT_KEY_BYTES_MAX,
} from '../../../core/base/limits.ts';
import { sequence } from '../../../core/config/sources.ts';
import { exactlyOnceWriteOf } from '../../../core/guarantees/exactly-once/row.ts';
import { readMessage } from '../../../core/message/message.ts';
import { attributeOf } from '../../../lambda/adapters/attributes.ts';
import {
  bodyWith,
  deliveryOf,
  messageOf,
  NOW,
  routeOf,
  stateRouteOf,
  stateWrite,
  windowRouteOf,
  windowWrite,
  writeOf,
} from '../../../tools/handlers/samples.ts';

describe('a row of the ledger', () => {
  it('keeps epoch and number of a counted id, so that gaps can be found', () => {
    const route = routeOf({ id: sequence('seq', { epoch: 'boot' }) });
    const body = bodyWith({ seq: '9007199254740993', boot: '7' });
    const write = exactlyOnceWriteOf(route, deliveryOf(body), messageOf(body, {}, route), 1, NOW);
    expect(write.first).toMatchObject({ epoch: 'int:7', sequence: '9007199254740993' });
  });

  it('puts an id into the same shard whoever delivers it, and uses all shards', () => {
    const route = routeOf({ indexShards: 4 });
    const shardOf = (id: string, deliveryId: string) => {
      const body = bodyWith({ id: JSON.stringify(id) });
      const message = messageOf(body);
      const write = exactlyOnceWriteOf(route, deliveryOf(body, { deliveryId }), message, 1, NOW);
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

/** An upper bound of an item's size: names and values in UTF-8, 21 bytes for a number. */
function bytesOf(attributes: object): number {
  const valueBytes = (value: unknown) =>
    typeof value === 'string' || value instanceof Uint8Array ? Buffer.byteLength(value) : 21;
  return Object.entries(attributes).reduce(
    (sum, [name, value]) => sum + name.length + valueBytes(value),
    0,
  );
}

/**
 * Whatever reading has let through fits: the limits of body, id, device, account and topic leave
 * nothing over that DynamoDB would refuse, so no write asks for its own size.
 */
describe('the largest rows that messages can make', () => {
  const device = 'd'.repeat(128);
  const topic = `billing/${device}/${'t'.repeat(256 - 'billing//'.length - 128)}`;
  const base = { topic: 'billing/+/+' };
  const delivery = { topic, clientId: device, principal: 'p'.repeat(1_024) };
  // Four bytes each, of which an id has up to 256.
  const id = JSON.stringify('😀'.repeat(64));
  const account = JSON.stringify('é'.repeat(1_018));
  const body = bodyWith({ id, account, kWh: '9.99E+125' });
  const largest = body + ' '.repeat(BODY_BYTES_MAX - Buffer.byteLength(body));

  it.each([
    [
      'a ledger',
      () => {
        const route = routeOf({ ...base, indexShards: 99 });
        const message = messageOf(largest, delivery, route);
        return exactlyOnceWriteOf(route, deliveryOf(largest, delivery), message, 1, NOW);
      },
    ],
    ['the dedup records', () => windowWrite(largest, delivery, windowRouteOf(base))],
    ['the state', () => stateWrite(largest, delivery, stateRouteOf(base))],
  ])('fit into %s, with every key of theirs', (_, write) => {
    const { key, first, lastSeenAt } = write();
    expect(Buffer.byteLength(first.body)).toBe(BODY_BYTES_MAX);
    const lengths = (values: readonly unknown[]) =>
      values.map((value) => Buffer.byteLength(String(value)));
    const { accountPeriod = 'x', occurrence = 'x' } = { ...first } as Record<string, unknown>;
    const [pk = 0, sort = 0, partition = 0, range = 0] = lengths([
      ...[key.pk, key.id, accountPeriod, occurrence],
    ]);
    expect(Math.min(pk, sort, partition, range)).toBeGreaterThan(0);
    expect(Math.max(pk, partition)).toBeLessThanOrEqual(PARTITION_KEY_BYTES_MAX);
    expect(Math.max(sort, range)).toBeLessThanOrEqual(SORT_KEY_BYTES_MAX);
    expect(bytesOf({ ...key, ...first, lastSeenAt, tries: 1 })).toBeLessThan(ITEM_BYTES_MAX);
  });

  it('are no larger: an account of one byte more is refused when it is read', () => {
    const over = bodyWith({ account: JSON.stringify('é'.repeat(1_019)) });
    expect(readMessage(routeOf(), deliveryOf(over))).toMatchObject({
      kind: 'rejected',
      rejection: { reason: 'too-long' },
    });
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
