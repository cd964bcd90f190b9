/** The conditions and updates that every promise hangs on, word for word. */
import { describe, expect, it } from 'vitest';
import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../core/base/limits.ts';
import { epochMillis } from '../../core/base/time.ts';
import { contentHash } from '../../core/config/sources.ts';
import { releaseOf } from '../../core/tables/release.ts';
import {
  deduplicatedPush,
  deduplicatedRenewal,
  deduplicatedUpdate,
} from '../../lambda/adapters/deduplicated.ts';
import { exactlyOnceUpdate } from '../../lambda/adapters/exactly-once.ts';
import { latestUpdate } from '../../lambda/adapters/latest.ts';
import { releaseUpdate, shorteningRelease } from '../../lambda/adapters/releases.ts';
import { copyCount } from '../../lambda/adapters/writes.ts';
import {
  BODY,
  messageOf,
  NOW,
  stateWrite,
  WINDOW_SECONDS,
  windowRouteOf,
  windowWrite,
  writeOf,
} from '../../tools/handlers/samples.ts';

/** What the first delivery writes in every table. */
const COMMON = [
  'rowVersion',
  'keyVersion',
  'route',
  'device',
  'topic',
  'body',
  'fingerprint',
  'receivedAt',
  'bookedAt',
  'bookedAtMillis',
  'principal',
  'firstDeliveryId',
];
const LEDGER = [
  'account',
  'amount',
  'unit',
  'occurredAt',
  'occurredAtMillis',
  'epoch',
  'sequence',
  'accountPeriod',
  'occurrence',
  ...COMMON,
];

const once = (names: readonly string[]) =>
  names.map((name) => `#${name} = if_not_exists(#${name}, :${name})`);
const always = (names: readonly string[]) => names.map((name) => `#${name} = :${name}`);
const namesOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`#${name}`, name]));
const valueNamesOf = (values: object | undefined) => Object.keys(values ?? {}).sort();
const placeholders = (names: readonly string[]) => names.map((name) => `:${name}`).sort();

/** What `firstWriteOf` makes of the sample. */
const COMMON_VALUES = {
  ':keyVersion': { N: '1' },
  ':device': { S: 'dev-1' },
  ':topic': { S: 'billing/dev-1/charges' },
  ':body': { S: BODY },
  ':fingerprint': { S: messageOf().bodyHash },
  ':receivedAt': { S: '2026-11-20T09:00:51.000Z' },
  ':bookedAt': { S: '2026-11-20T09:00:51.000Z' },
  ':bookedAtMillis': { N: String(NOW) },
  ':principal': { S: 'principal-1' },
  ':firstDeliveryId': { S: 'delivery-1' },
  ':tries': { N: '3' },
};

describe('the one write of the ledger', () => {
  const input = exactlyOnceUpdate(writeOf(BODY, {}, NOW, 3));

  it('says exactly this condition', () => {
    expect(input.ConditionExpression).toBe(
      'attribute_not_exists(pk) OR (#fingerprint = :fingerprint AND #rowVersion = :rowVersion)',
    );
  });

  it('says exactly this update: everything once, but lastSeenAt and tries', () => {
    expect(input.UpdateExpression).toBe(
      `SET ${once(LEDGER).join(', ')}, #lastSeenAt = :now ADD #tries :tries`,
    );
  });

  it('asks for the row that stood before, in either case', () => {
    expect(input.ReturnValues).toBe('ALL_OLD');
    expect(input.ReturnValuesOnConditionCheckFailure).toBe('ALL_OLD');
  });

  it('names every attribute it uses and gives every value', () => {
    expect(input.ExpressionAttributeNames).toEqual(namesOf([...LEDGER, 'lastSeenAt', 'tries']));
    expect(valueNamesOf(input.ExpressionAttributeValues)).toEqual(
      placeholders([...LEDGER, 'now', 'tries']),
    );
  });

  it('writes the attributes with these types and values', () => {
    expect(input.Key).toEqual({ pk: { S: 'charges#dev-1' }, id: { S: 'c-1' } });
    expect(input.ExpressionAttributeValues).toEqual({
      ...COMMON_VALUES,
      ':rowVersion': { N: '2' },
      ':route': { S: 'charges' },
      ':account': { S: 'acme' },
      ':amount': { N: '12.5' },
      ':unit': { S: 'kWh' },
      ':occurredAt': { S: '2026-11-20T08:59:00.000Z' },
      ':occurredAtMillis': { N: String(Date.UTC(2026, 10, 20, 8, 59)) },
      ':epoch': { NULL: true },
      ':sequence': { NULL: true },
      ':accountPeriod': { S: 'acme#2026-11#0' },
      ':occurrence': { S: '2026-11-20T08:59:00.000Z#dev-1#c-1' },
      ':now': { S: '2026-11-20T09:00:51.000Z' },
    });
  });

  it('writes null for a principal that is not known, so that no copy can add one', () => {
    const writes = [
      exactlyOnceUpdate(writeOf(BODY, { principal: undefined })),
      deduplicatedUpdate(windowWrite(BODY, { principal: undefined })),
      latestUpdate(stateWrite(BODY, { principal: undefined })),
    ];
    for (const { ExpressionAttributeValues } of writes) {
      expect(ExpressionAttributeValues?.[':principal']).toEqual({ NULL: true });
    }
  });
});

describe('the one write of a window', () => {
  const END = ['windowEndsAtMillis', 'expiresAt'];
  const endsAt = NOW + WINDOW_SECONDS * 1_000;
  const values = {
    ...COMMON_VALUES,
    ':rowVersion': { N: '1' },
    ':route': { S: 'events' },
    ':windowEndsAtMillis': { N: String(endsAt) },
    ':expiresAt': { N: String(endsAt / 1_000 + MESSAGE_LIFETIME_MAX_SECONDS) },
    ':receivedAtMillis': { N: String(NOW) },
    ':now': { S: '2026-11-20T09:00:52.000Z' },
  };

  it('of a device-made id says exactly this: a copy pushes the end out, never back', () => {
    const write = windowWrite(BODY, {}, windowRouteOf(), epochMillis(NOW + 1_000), 3);
    const input = deduplicatedUpdate(write);
    expect(input.Key).toEqual({ pk: { S: 'events#dev-1' }, id: { S: 'c-1' } });
    expect(input.ConditionExpression).toBe(
      'attribute_not_exists(pk) OR (#fingerprint = :fingerprint AND #rowVersion = :rowVersion AND ' +
        '#windowEndsAtMillis >= :receivedAtMillis AND #windowEndsAtMillis <= :windowEndsAtMillis)',
    );
    expect(input.UpdateExpression).toBe(
      `SET ${[...once(COMMON), ...always(END)].join(', ')}, #lastSeenAt = :now ADD #tries :tries`,
    );
    expect(input.ExpressionAttributeNames).toEqual(
      namesOf([...COMMON, ...END, 'lastSeenAt', 'tries']),
    );
    const bookedAt = {
      ':bookedAt': { S: '2026-11-20T09:00:52.000Z' },
      ':bookedAtMillis': { N: String(NOW + 1_000) },
    };
    expect(input.ExpressionAttributeValues).toEqual({ ...values, ...bookedAt });
    expect([input.ReturnValues, input.ReturnValuesOnConditionCheckFailure]).toEqual([
      'ALL_OLD',
      'ALL_OLD',
    ]);
  });

  it('of a content hash says exactly this: the end is written once', () => {
    const route = windowRouteOf({ id: contentHash() });
    const input = deduplicatedUpdate(windowWrite(BODY, {}, route));
    expect(input.ConditionExpression).toBe(
      'attribute_not_exists(pk) OR (#fingerprint = :fingerprint AND #rowVersion = :rowVersion AND ' +
        '#windowEndsAtMillis >= :receivedAtMillis AND #windowEndsAtMillis <= :latestEndMillis)',
    );
    expect(input.UpdateExpression).toBe(
      `SET ${once([...COMMON, ...END]).join(', ')}, #lastSeenAt = :now ADD #tries :tries`,
    );
    expect(valueNamesOf(input.ExpressionAttributeValues)).toEqual(
      placeholders([...COMMON, ...END, 'receivedAtMillis', 'latestEndMillis', 'now', 'tries']),
    );
  });

  it('that renews puts the whole row in the place of the one that was read', () => {
    const old = {
      ...windowWrite(BODY, { deliveryId: 'old' }).first,
      tries: 9,
      windowEndsAtMillis: epochMillis(NOW - 1),
    };
    const write = windowWrite(BODY, {}, windowRouteOf(), NOW, 3);
    const input = deduplicatedRenewal(write, old);
    expect(input.ConditionExpression).toBe(
      '(#firstDeliveryId = :firstDeliveryId AND #windowEndsAtMillis = :oldEndMillis)',
    );
    expect(input.ExpressionAttributeNames).toEqual(
      namesOf(['firstDeliveryId', 'windowEndsAtMillis']),
    );
    expect(input.ExpressionAttributeValues).toEqual({
      ':firstDeliveryId': { S: 'old' },
      ':oldEndMillis': { N: String(NOW - 1) },
    });
    expect(Object.keys(input.Item ?? {}).sort()).toEqual(
      [...COMMON, ...END, 'pk', 'id', 'tries', 'lastSeenAt'].sort(),
    );
    expect(input.Item).toMatchObject({
      pk: { S: 'events#dev-1' },
      id: { S: 'c-1' },
      firstDeliveryId: { S: 'delivery-1' },
      windowEndsAtMillis: { N: String(endsAt) },
      tries: { N: '3' },
    });
  });
});

describe('a copy that is only counted', () => {
  it('says exactly this, and touches no other attribute', () => {
    expect(copyCount(writeOf(BODY, {}, NOW, 3), 'owner')).toEqual({
      Key: { pk: { S: 'charges#dev-1' }, id: { S: 'c-1' } },
      UpdateExpression: 'SET #lastSeenAt = :now ADD #tries :tries',
      ConditionExpression: '#firstDeliveryId = :firstDeliveryId',
      ExpressionAttributeNames: namesOf(['lastSeenAt', 'tries', 'firstDeliveryId']),
      ExpressionAttributeValues: {
        ':now': { S: '2026-11-20T09:00:51.000Z' },
        ':tries': { N: '3' },
        ':firstDeliveryId': { S: 'owner' },
      },
    });
  });

  it('and pushes the end of a window says exactly this', () => {
    const end = NOW + WINDOW_SECONDS * 1_000;
    expect(deduplicatedPush(windowWrite(BODY, {}, windowRouteOf(), NOW, 3), 'owner')).toEqual({
      Key: { pk: { S: 'events#dev-1' }, id: { S: 'c-1' } },
      UpdateExpression:
        'SET #windowEndsAtMillis = :windowEndsAtMillis, #expiresAt = :expiresAt, ' +
        '#lastSeenAt = :now ADD #tries :tries',
      ConditionExpression:
        '(#firstDeliveryId = :firstDeliveryId AND #windowEndsAtMillis <= :windowEndsAtMillis)',
      ExpressionAttributeNames: namesOf([
        'windowEndsAtMillis',
        'expiresAt',
        'lastSeenAt',
        'tries',
        'firstDeliveryId',
      ]),
      ExpressionAttributeValues: {
        ':windowEndsAtMillis': { N: String(end) },
        ':expiresAt': { N: String(end / 1_000 + MESSAGE_LIFETIME_MAX_SECONDS) },
        ':now': { S: '2026-11-20T09:00:51.000Z' },
        ':tries': { N: '3' },
        ':firstDeliveryId': { S: 'owner' },
      },
    });
  });
});

describe('the one write of a state', () => {
  const input = latestUpdate(stateWrite(BODY, {}, undefined, NOW, 3));
  const names = [...COMMON, 'version', 'versionAt', 'tries', 'lastSeenAt'];

  it('says exactly this: an older value is replaced in every attribute', () => {
    expect(input.ConditionExpression).toBe('attribute_not_exists(#version) OR #version < :version');
    expect(input.UpdateExpression).toBe(`SET ${always(names).join(', ')}`);
    expect(input.ExpressionAttributeNames).toEqual(namesOf(names));
    expect(input.ReturnValues).toBeUndefined();
    expect(input.ReturnValuesOnConditionCheckFailure).toBe('ALL_OLD');
  });

  it('writes the attributes with these types and values', () => {
    expect(input.Key).toEqual({ pk: { S: 'dev-1' }, id: { S: 'billing/dev-1/charges' } });
    expect(input.ExpressionAttributeValues).toEqual({
      ...COMMON_VALUES,
      ':rowVersion': { N: '1' },
      ':route': { S: 'status' },
      ':version': { N: String(Date.UTC(2026, 10, 20, 8, 59)) },
      ':versionAt': { S: '2026-11-20T08:59:00.000Z' },
      ':lastSeenAt': { S: '2026-11-20T09:00:51.000Z' },
    });
  });
});

describe('the write of a release', () => {
  const key = { pk: 'charges#dev-1', id: 'c-1' };
  const release = releaseOf(key, epochMillis(NOW + 1));

  it('says exactly this: a row that stands and is of this life is marked, once', () => {
    expect(releaseUpdate(release)).toEqual({
      Key: { pk: { S: key.pk }, id: { S: key.id } },
      UpdateExpression: 'SET #releasedAt = if_not_exists(#releasedAt, :releasedAt)',
      ConditionExpression: '(attribute_exists(pk) AND #receivedAt <= :releasedAt)',
      ExpressionAttributeNames: namesOf(['releasedAt', 'receivedAt']),
      ExpressionAttributeValues: { ':releasedAt': { S: '2026-11-20T09:00:51.001Z' } },
    });
  });

  it('shortens a life to L after the release, to the second above, and makes none longer', () => {
    const update = shorteningRelease(release);
    expect(update.UpdateExpression).toBe(
      'SET #releasedAt = if_not_exists(#releasedAt, :releasedAt), #expiresAt = :expiresAt',
    );
    expect(update.ConditionExpression).toBe(
      '(attribute_exists(pk) AND #receivedAt <= :releasedAt AND #expiresAt > :expiresAt)',
    );
    const end = NOW / 1_000 + 1 + MESSAGE_LIFETIME_MAX_SECONDS;
    expect(update.ExpressionAttributeValues).toMatchObject({ ':expiresAt': { N: String(end) } });
  });
});
