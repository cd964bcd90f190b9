/** What rows hold, and what a table would refuse of them. */
import { describe, expect, it } from 'vitest';
import { TerminalError } from '../../../core/base/errors.ts';
import { ITEM_BYTES_MAX } from '../../../core/base/limits.ts';
import { epochMillis } from '../../../core/base/time.ts';
import { sequence } from '../../../core/config/sources.ts';
import {
  type ExactlyOnceWrite,
  exactlyOnceWriteOf,
} from '../../../core/guarantees/exactly-once/row.ts';
import { rowFault } from '../../../core/tables/row.ts';
import { attributeOf } from '../../../lambda/adapters/attributes.ts';
import {
  bodyWith,
  deliveryOf,
  messageOf,
  NOW,
  routeOf,
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

/** What DynamoDB would refuse in a booking with its index keys. */
function ledgerRowFault(write: ExactlyOnceWrite): string | undefined {
  return rowFault(write, [
    ['accountPeriod', write.first.accountPeriod, 2_048],
    ['occurrence', write.first.occurrence, 1_024],
  ]);
}

function withFirst(changes: Partial<ExactlyOnceWrite['first']>): ExactlyOnceWrite {
  const write = writeOf();
  return { ...write, first: { ...write.first, ...changes } };
}

describe('what a table would refuse', () => {
  it('is no booking: an account or an id too long for the index is refused before the write', () => {
    const message = messageOf();
    const { facts } = message;
    const account = { ...facts, entry: { ...facts.entry, account: 'a'.repeat(2_039) } };
    const id = { ...message.key, id: 'x'.repeat(1_000) };
    for (const long of [
      { ...message, facts: account },
      { ...message, key: id },
    ]) {
      expect(() => exactlyOnceWriteOf(routeOf(), deliveryOf(), long, 1, NOW)).toThrow(
        TerminalError,
      );
    }
  });

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

  it('counts names and values to the byte, 21 for what is neither text nor bytes', () => {
    const { key, first, lastSeenAt } = withFirst({ body: '' });
    const sizeOf = (value: unknown) => (typeof value === 'string' ? Buffer.byteLength(value) : 21);
    const attributes = Object.entries({ ...key, ...first, lastSeenAt, tries: 1 });
    const rest = attributes.reduce((sum, [name, value]) => sum + name.length + sizeOf(value), 0);
    const bodyOf = (bytes: number) => withFirst({ body: 'x'.repeat(bytes - rest) });
    expect(ledgerRowFault(bodyOf(ITEM_BYTES_MAX))).toBeUndefined();
    expect(ledgerRowFault(bodyOf(ITEM_BYTES_MAX + 1))).toContain('409601 bytes');
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
