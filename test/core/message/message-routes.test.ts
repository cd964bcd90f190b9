/** What a message is read as on routes that look into it in different ways. */
import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
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
import { isOfLaterEvent } from '../../../core/guarantees/deduplicated/row.ts';
import { encodeId } from '../../../core/message/id.ts';
import { readMessage } from '../../../core/message/message.ts';
import {
  bodyWith,
  deliveryOf,
  messageOf,
  NOW,
  reasonOf,
  routeOf,
  WINDOW_SECONDS,
  windowRouteOf,
  windowWrite,
} from '../../../tools/handlers/samples.ts';

const detailOf = (reading: ReturnType<typeof readMessage>) =>
  reading.kind === 'message' ? '' : reading.rejection.detail;

describe('a body that is no JSON object', () => {
  it.each<[string, IdSource]>([
    ['a field', payload('id')],
    ['a field, joined to a level of the topic', all(topicLevel(3), payload('id'))],
    ['a sequence', sequence('seq', { epoch: 'boot' })],
    ['a time', timestamp('at')],
    ['a hash of fields', contentHash('at')],
  ])('is refused as such where the id is made of %s', (_, id) => {
    const reading = readMessage(windowRouteOf({ id }), deliveryOf('no JSON'));
    expect(reasonOf(reading)).toBe('invalid-body');
  });

  it.each<[string, IdSource]>([
    ['a level of the topic', topicLevel(3)],
    ['the hash of all bytes', contentHash()],
  ])('is a message where the id is made of %s', (_, id) => {
    const reading = readMessage(windowRouteOf({ id }), deliveryOf('no JSON'));
    expect(reasonOf(reading)).toBe('message');
  });
});

describe('a message of a route that is deduplicated', () => {
  it('is refused without the time that the route names, or with one that is none', () => {
    const route = windowRouteOf({ time: payload('at') });
    const read = (at: string | undefined) => readMessage(route, deliveryOf(bodyWith({ at })));
    expect(reasonOf(read(undefined))).toBe('missing-time');
    expect(reasonOf(read('"soon"'))).toBe('invalid-time');
  });

  it('has a hash of content for its fingerprint, also where that is one part of its id', () => {
    const id = all(contentHash('at'), topicLevel(2));
    const { key, fingerprint, bodyHash } = messageOf(bodyWith(), {}, windowRouteOf({ id }));
    expect(fingerprint).toBe(key.id);
    expect(fingerprint).not.toBe(bodyHash);
  });

  it('has one fingerprint whatever its ignored fields hold, and the bodyHash where none are', () => {
    const fingerprintIn = (kWh: string, ignoring: readonly string[] | null) =>
      messageOf(bodyWith({ kWh }), {}, windowRouteOf({ ignoring })).fingerprint;
    expect(fingerprintIn('1', ['kWh'])).toBe(fingerprintIn('2', ['kWh']));
    expect(fingerprintIn('1', ['at'])).not.toBe(fingerprintIn('2', ['at']));
    expect(fingerprintIn('1', null)).toBe(messageOf(bodyWith({ kWh: '1' })).bodyHash);
  });
});

describe('what a person reads of a delivery', () => {
  it('names both sides where the topic and the connection do not agree', () => {
    const detailFor = (clientId: string | undefined) =>
      detailOf(readMessage(routeOf(), deliveryOf(undefined, { clientId })));
    expect(detailFor('dev-2')).toBe(
      'the topic names "dev-1", the connection\'s client id is "dev-2"',
    );
    expect(detailFor(undefined)).toMatch(/"dev-1".*none \(not over MQTT\)$/);
  });

  it('says how old a message may be, in days', () => {
    const old = bodyWith({ at: '"2020-01-01T00:00:00Z"' });
    const reading = readMessage(routeOf({ maxAgeDays: 30 }), deliveryOf(old));
    expect(detailOf(reading)).toContain('up to 30 days before are allowed');
  });
});

describe('a window', () => {
  const row = (windowEndsAtMillis: number) => ({
    rowVersion: 1,
    firstDeliveryId: 'a',
    fingerprint: 'x',
    topic: 't',
    body: '',
    tries: 1,
    bookedAtMillis: NOW,
    windowEndsAtMillis: epochMillis(windowEndsAtMillis),
  });

  it('is pushed out by copies of an id that the device made, not by equal content', () => {
    const isPushed = (id: IdSource) => windowWrite(undefined, {}, windowRouteOf({ id })).isPushed;
    expect(isPushed(payload('id'))).toBe(true);
    expect(isPushed(contentHash('at'))).toBe(false);
    expect(isPushed(all(contentHash('at'), topicLevel(2)))).toBe(false);
  });

  it('is of a later event when it ends more than a window after this one, to the millisecond', () => {
    const hashed = windowWrite(undefined, {}, windowRouteOf({ id: contentHash() }));
    const latest = NOW + 2 * WINDOW_SECONDS * 1_000;
    expect(isOfLaterEvent(row(latest), hashed)).toBe(false);
    expect(isOfLaterEvent(row(latest + 1), hashed)).toBe(true);
    expect(isOfLaterEvent(row(latest + 1), windowWrite())).toBe(false);
  });
});

describe('a text that has a mark inside', () => {
  it('is its own key: only one that begins like a mark is marked', () => {
    const keyOfText = (text: string) => encodeId({ kind: 'text', text });
    expect(keyOfText('pole-int:7')).toBe('pole-int:7');
    expect(keyOfText('abc:7')).toBe('str:abc:7');
  });
});

describe('the detail of a refusal', () => {
  it.each<
    [string, Partial<Parameters<typeof windowRouteOf>[0]>, Readonly<Record<string, string>>, string]
  >([
    ['a fraction', {}, { id: '1.5' }, 'the id (id) is a number that is not an integer'],
    ['a truth value', {}, { id: 'true' }, 'the id (id) is neither a string nor an integer'],
    ['half a character', {}, { id: '"\\ud800"' }, 'the id (id) is not well-formed Unicode'],
    [
      'a sequence that is none',
      { id: sequence('seq', { epoch: 'id' }) },
      { seq: '"07"' },
      'the sequence number (seq) is not a non-negative integer',
    ],
    [
      'an epoch that is missing',
      { id: sequence('seq', { epoch: 'boot' }) },
      { seq: '7' },
      'the epoch (boot) is missing',
    ],
    [
      'a time that is none',
      { id: timestamp('at') },
      { at: '"soon"' },
      'the time (at) is neither RFC 3339 with its offset nor integer epoch milliseconds',
    ],
    [
      'a hashed field that is none',
      { id: contentHash('at') },
      { at: '{}' },
      'the field at of the content hash is no scalar',
    ],
    [
      'a property that is missing',
      { id: userProperty('p') },
      {},
      'the user property p is missing or empty',
    ],
    [
      'correlation data that is missing',
      { id: correlationData() },
      {},
      'the correlation data is missing or empty',
    ],
    ['a topic of another route', { topic: 'events/+' }, {}, 'does not match events/+'],
  ])('says what %s is', (_, changes, fields, detail) => {
    const reading = readMessage(windowRouteOf(changes), deliveryOf(bodyWith(fields)));
    expect(detailOf(reading)).toContain(detail);
  });

  it('says how large a body and a name may be, and when the message was', () => {
    const detailFor = (body: string, device = 'dev-1') => {
      const changes = { topic: `billing/${device}/charges`, clientId: device };
      return detailOf(readMessage(routeOf(), deliveryOf(body, changes)));
    };
    expect(detailFor(bodyWith().padEnd(92_161, ' '))).toBe(
      'the body has 92161 bytes; up to 92160 are allowed',
    );
    expect(detailFor(bodyWith(), 'x'.repeat(129))).toBe(
      "the device's name has 129 bytes; up to 128 are allowed",
    );
    expect(detailFor(bodyWith(), '')).toBe('the device level of the topic is empty');
    expect(detailFor(bodyWith({ at: '"2030-01-01T00:00:00Z"' }))).toBe(
      'its time is 2030-01-01T00:00:00.000Z, it was received at 2026-11-20T09:00:51.000Z; ' +
        'up to 24 hours ahead are allowed',
    );
  });
});
