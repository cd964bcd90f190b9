import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../../core/base/hash.ts';
import { BODY_BYTES_MAX } from '../../../core/base/limits.ts';
import { epochMillis } from '../../../core/base/time.ts';
import type { Delivery } from '../../../core/message/envelope.ts';
import { type MessageReading, readMessage } from '../../../core/message/message.ts';
import { quarantineRowOf } from '../../../core/tables/quarantine-row.ts';
import {
  BODY,
  bodyWith,
  deliveryOf,
  NOW,
  reasonOf,
  routeOf,
} from '../../../tools/handlers/samples.ts';

function read(
  body: string | Uint8Array = BODY,
  changes: Partial<Delivery> = {},
  route = routeOf(),
) {
  return readMessage(route, deliveryOf(body, changes));
}

function rejectionOf(reading: MessageReading) {
  if (reading.kind === 'message') throw new Error('it was read');
  return reading.rejection;
}

describe('a delivery that is right', () => {
  it('is read whole', () => {
    const hash = bodyHashOf('billing/dev-1/charges', Buffer.from(BODY));
    expect(read()).toEqual({
      kind: 'message',
      message: {
        device: 'dev-1',
        id: { kind: 'text', text: 'c-1' },
        key: { pk: 'charges#dev-1', id: 'c-1' },
        body: BODY,
        isJson: true,
        bodyHash: hash,
        fingerprint: hash,
        facts: {
          entry: {
            account: 'acme',
            amount: '12.5',
            unit: 'kWh',
            occurredAt: Date.UTC(2026, 10, 20, 8, 59),
          },
          counted: null,
        },
      },
    });
  });

  it('is read the same way every time', () => {
    expect(read()).toEqual(read());
  });

  it.each([
    ['kWh', '"12.50"'],
    ['kWh', '-3'],
    ['kWh', '1e-130'],
    ['kWh', '12345678901234567890123456789012345678'],
    ['account', '42'],
    ['account', JSON.stringify('a'.repeat(2_037))],
    ['at', '1795165251000'],
    ['id', '"a#b\\nc"'],
    ['id', '7'],
  ])('may hold %s: %.40s', (field, json) => {
    expect(reasonOf(read(bodyWith({ [field]: json })))).toBe('message');
  });

  it('may be as large as 92,160 bytes, and not one byte more', () => {
    const padded = (bytes: number) => BODY.padEnd(bytes, ' ');
    expect(BODY_BYTES_MAX).toBe(92_160);
    expect(reasonOf(read(padded(92_160)))).toBe('message');
    expect(reasonOf(read(padded(92_161)))).toBe('too-long');
  });

  it('hashes topic and payload, kept apart by a zero byte', () => {
    // printf 'a\0b' | sha256sum
    expect(bodyHashOf('a', Buffer.from('b'))).toBe(
      '59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138',
    );
    expect(bodyHashOf('a', Buffer.from('bc'))).not.toBe(bodyHashOf('ab', Buffer.from('c')));
  });
});

describe('a delivery that cannot be booked', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['is not JSON', 'hello', 'invalid-body'],
    ['is empty', '', 'invalid-body'],
    ['is a JSON array', `[${BODY}]`, 'invalid-body'],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'invalid-body'],
    ['nests 65 deep', bodyWith({ x: '['.repeat(64) + ']'.repeat(64) }), 'invalid-body'],
    ['nests 40,000 deep', '{"a":'.repeat(15_000), 'invalid-body'],
    ['repeats a key', `${BODY.slice(0, -1)},"id":"c-2"}`, 'invalid-body'],
    ['repeats a key with an equal value', `${BODY.slice(0, -1)},"id":"c-1"}`, 'invalid-body'],
    ['repeats a key in another spelling', `${BODY.slice(0, -1)},"\\u0069d":"c-1"}`, 'invalid-body'],
    ['has NaN for an amount', bodyWith({ kWh: 'NaN' }), 'invalid-body'],
    ['has no id', bodyWith({ id: undefined }), 'missing-id'],
    [
      'has its id in __proto__ alone',
      bodyWith({ id: undefined, ['__proto__']: '{"id":"c-1"}' }),
      'missing-id',
    ],
    ['has a null id', bodyWith({ id: 'null' }), 'missing-id'],
    ['has an empty id', bodyWith({ id: '""' }), 'missing-id'],
    ['has a fraction for an id', bodyWith({ id: '1.5' }), 'invalid-id'],
    ['has an object for an id', bodyWith({ id: '{"a":1}' }), 'invalid-id'],
    [
      'has an object posing as a number for an id',
      bodyWith({ id: '{"isLosslessNumber":true,"value":"1"}' }),
      'invalid-id',
    ],
    ['has an id of 300 bytes', bodyWith({ id: JSON.stringify('i'.repeat(300)) }), 'too-long'],
    ['has an id of 90,000 digits', bodyWith({ id: '1'.repeat(90_000) }), 'too-long'],
    ['has a lone surrogate in its id', bodyWith({ id: '"\\ud800"' }), 'invalid-id'],
    ['has no amount', bodyWith({ kWh: undefined }), 'missing-amount'],
    ['has an empty amount', bodyWith({ kWh: '""' }), 'missing-amount'],
    ['has abc for an amount', bodyWith({ kWh: '"abc"' }), 'invalid-amount'],
    ['has the text NaN for an amount', bodyWith({ kWh: '"NaN"' }), 'invalid-amount'],
    ['has true for an amount', bodyWith({ kWh: 'true' }), 'invalid-amount'],
    ['has an object for an amount', bodyWith({ kWh: '{}' }), 'invalid-amount'],
    [
      'has an object posing as a number for an amount',
      bodyWith({ kWh: '{"isLosslessNumber":true}' }),
      'invalid-amount',
    ],
    ['has 1e400 for an amount', bodyWith({ kWh: '1e400' }), 'invalid-amount'],
    ['has 1e-200 for an amount', bodyWith({ kWh: '1e-200' }), 'invalid-amount'],
    ['has 40 digits for an amount', bodyWith({ kWh: '1'.repeat(40) }), 'invalid-amount'],
    ['has no account', bodyWith({ account: undefined }), 'missing-account'],
    ['has an empty account', bodyWith({ account: '""' }), 'missing-account'],
    [
      'has an account of 3,000 bytes',
      bodyWith({ account: JSON.stringify('a'.repeat(3_000)) }),
      'too-long',
    ],
    [
      'has an account one byte too long',
      bodyWith({ account: JSON.stringify('a'.repeat(2_038)) }),
      'too-long',
    ],
    ['has a fraction for an account', bodyWith({ account: '1.5' }), 'invalid-account'],
    ['has false for an account', bodyWith({ account: 'false' }), 'invalid-account'],
    ['has a lone surrogate in its account', bodyWith({ account: '"a\\udfff"' }), 'invalid-account'],
    ['has no time', bodyWith({ at: undefined }), 'missing-time'],
    ['has a null time', bodyWith({ at: 'null' }), 'missing-time'],
    ['has a time without an offset', bodyWith({ at: '"2026-11-20T08:59:00"' }), 'invalid-time'],
    ['has an array for a time', bodyWith({ at: '[1]' }), 'invalid-time'],
    ['occurred in 1970', bodyWith({ at: '"1970-01-01T00:00:00Z"' }), 'late'],
    ['occurred before the year 0', bodyWith({ at: '-8640000000000000' }), 'late'],
    ['occurs in 2126', bodyWith({ at: '"2126-11-20T08:59:00Z"' }), 'early'],
    ['occurs after the year 9999', bodyWith({ at: '8640000000000000' }), 'early'],
  ])('because it %s says so and keeps its hash', (_, body, reason) => {
    const reading = read(body);
    expect(reasonOf(reading)).toBe(reason);
    const rejection = rejectionOf(reading);
    expect(rejection.detail.length).toBeGreaterThan(0);
    expect(rejection.detail.length).toBeLessThan(500);
    expect(rejection.bodyHash).toBe(bodyHashOf('billing/dev-1/charges', Buffer.from(body)));
    expect(rejection.answerTo).toBe('dev-1');
  });

  it('names the id once that could be read', () => {
    expect(rejectionOf(read(bodyWith({ kWh: '"abc"' }))).id).toEqual({ kind: 'text', text: 'c-1' });
    expect(rejectionOf(read(bodyWith({ id: '1.5' }))).id).toBeUndefined();
  });

  it('never brings hostile text into a detail', () => {
    const hostile = '\\u001b[31m\\u009b2J\\u202e\\ud800';
    for (const field of ['kWh', 'at']) {
      const { detail } = rejectionOf(read(bodyWith({ [field]: `"${hostile}"` })));
      expect(detail).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    }
    const { detail } = rejectionOf(read(BODY, { clientId: '\u001b[31m' }));
    expect(detail).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('time', () => {
  const at = (millis: number) => bodyWith({ at: String(millis) });

  it('is measured by the clock of the rule, to the millisecond', () => {
    const day = 86_400_000;
    expect(reasonOf(read(at(NOW - 366 * day)))).toBe('message');
    expect(reasonOf(read(at(NOW - 366 * day - 1)))).toBe('late');
    expect(reasonOf(read(at(NOW + day)))).toBe('message');
    expect(reasonOf(read(at(NOW + day + 1)))).toBe('early');
    const later = epochMillis(NOW + 400 * day);
    expect(reasonOf(read(at(NOW), { receivedAt: later }))).toBe('late');
    expect(reasonOf(read(at(NOW), { receivedAt: later }, routeOf({ maxAgeDays: 400 })))).toBe(
      'message',
    );
  });

  it('leaves the message readable, for a late copy may be that of a booked one', () => {
    const reading = read(at(0));
    expect(reading.kind).toBe('out-of-range');
    expect(reading.kind === 'out-of-range' && reading.message.key).toEqual({
      pk: 'charges#dev-1',
      id: 'c-1',
    });
  });
});

describe('who speaks (I6)', () => {
  it('is the topic level, when the connection says the same', () => {
    const reading = read(BODY, { topic: 'billing/other/charges', clientId: 'other' });
    expect(reading.kind === 'message' && reading.message.key.pk).toBe('charges#other');
  });

  it('is never another client: that one is told, the device in the topic hears nothing', () => {
    const rejection = rejectionOf(
      read(BODY, { topic: 'billing/victim/charges', clientId: 'mallory' }),
    );
    expect(rejection).toMatchObject({
      reason: 'wrong-device',
      device: 'victim',
      answerTo: 'mallory',
      id: undefined,
    });
  });

  it.each([undefined, '', 'a/b', '+', '#', 'a\0'])(
    'is nobody to be told when the client id is %j',
    (clientId) => {
      const rejection = rejectionOf(read(BODY, { topic: 'billing/victim/charges', clientId }));
      expect(rejection).toMatchObject({ reason: 'wrong-device', answerTo: undefined });
    },
  );

  it.each(['DEV-1', 'dev-1 ', 'dev-1\u0000', 'dev-10'])(
    'is not a client that only looks alike: %j',
    (clientId) => {
      expect(reasonOf(read(BODY, { clientId }))).toBe('wrong-device');
    },
  );

  it('is taken from the topic alone on a route that says in words why', () => {
    const trusting = routeOf({ trustTopicLevel: 'gateway gw-1 publishes for its meters' });
    const reading = read(BODY, { clientId: 'gw-1' }, trusting);
    expect(reading.kind === 'message' && reading.message.device).toBe('dev-1');
  });

  it('is asked before anything else, so that no victim is answered whatever is wrong besides', () => {
    for (const body of [
      '',
      'x',
      bodyWith({ id: undefined }),
      bodyWith({ at: '0' }),
      'x'.repeat(92_161),
    ]) {
      const rejection = rejectionOf(
        read(body, { topic: 'billing/victim/charges', clientId: 'mallory' }),
      );
      expect(rejection).toMatchObject({ reason: 'wrong-device', answerTo: 'mallory' });
    }
  });

  it('is refused for a topic outside the filter, an empty level and an over-long name', () => {
    expect(reasonOf(read(BODY, { topic: 'billing/dev-1/other' }))).toBe('wrong-topic');
    expect(reasonOf(read(BODY, { topic: 'billing/dev-1' }))).toBe('wrong-topic');
    expect(reasonOf(read(BODY, { topic: 'billing//charges', clientId: '' }))).toBe(
      'missing-device',
    );
    const long = 'd'.repeat(129);
    expect(reasonOf(read(BODY, { topic: `billing/${long}/charges`, clientId: long }))).toBe(
      'too-long',
    );
  });
});

const anyBody = fc.oneof(
  fc.string({ minLength: 1 }).map((id) => Buffer.from(bodyWith({ id: JSON.stringify(id) }))),
  fc.uint8Array({ maxLength: 60 }),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .record(
      {
        id: fc.jsonValue(),
        account: fc.jsonValue(),
        kWh: fc.jsonValue(),
        at: fc.jsonValue(),
        x: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((body) => Buffer.from(JSON.stringify(body))),
  fc
    .record({
      id: fc.oneof(fc.string(), fc.integer()),
      account: fc.oneof(fc.string(), fc.integer()),
      kWh: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string()),
      at: fc.oneof(
        fc.maxSafeInteger(),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      ),
    })
    .map((body) => Buffer.from(JSON.stringify(body))),
  fc
    .tuple(fc.nat({ max: BODY.length - 1 }), fc.nat({ max: 255 }))
    .map(([at, byte]) => Buffer.from(BODY).fill(byte, at, at + 1)),
);

describe('readMessage', () => {
  it('gives a message or a reason for anything at all, and never an answer to a stranger', () => {
    const kinds = new Map<string, number>();
    const topic = fc.oneof(
      { weight: 4, arbitrary: fc.constant('billing/dev-1/charges') },
      fc.string({ maxLength: 40 }),
      fc.constantFrom('', '/', '$aws/x', 'billing//charges', 'billing/victim/charges'),
    );
    const clientId = fc.oneof(
      { weight: 4, arbitrary: fc.constant('dev-1') },
      fc.string({ maxLength: 20 }),
      fc.constant(undefined),
    );
    const receivedAt = fc.constantFrom(NOW, NOW, epochMillis(0), epochMillis(253_402_300_799_999));
    fc.assert(
      fc.property(anyBody, topic, clientId, receivedAt, (body, topic, clientId, receivedAt) => {
        const delivery = deliveryOf(body, { topic, clientId, receivedAt });
        const reading = readMessage(routeOf(), delivery);
        const reason = reasonOf(reading);
        kinds.set(reason, (kinds.get(reason) ?? 0) + 1);
        if (reading.kind === 'message') expect(clientId).toBe(reading.message.device);
        if (reading.kind === 'message') return;
        expect([undefined, clientId]).toContain(reading.rejection.answerTo);
        const row = quarantineRowOf('charges', delivery, reading.rejection);
        expect(Buffer.from(row.body).equals(Buffer.from(body))).toBe(true);
      }),
      { seed: 20261120, numRuns: 5_000 },
    );
    for (const reason of ['message', 'invalid-body', 'missing-id', 'wrong-device', 'wrong-topic']) {
      expect(kinds.get(reason) ?? 0, reason).toBeGreaterThan(10);
    }
  });
});
