import { describe, expect, it } from 'vitest';
import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../core/base/limits.ts';
import { epochMillis } from '../../core/base/time.ts';
import { checkConfig } from '../../core/config/check.ts';
import { defineConfig, type Route } from '../../core/config/route.ts';
import { deduplicatedWriteOf } from '../../core/guarantees/deduplicated/row.ts';
import { exactlyOnceWriteOf } from '../../core/guarantees/exactly-once/row.ts';
import { latestWriteOf } from '../../core/guarantees/latest/row.ts';
import type { Delivery } from '../../core/message/envelope.ts';
import { readMessage } from '../../core/message/message.ts';
import { quarantineRowOf } from '../../core/tables/quarantine-row.ts';
import { deduplicatedUpdate } from '../../lambda/adapters/deduplicated.ts';
import { latestUpdate } from '../../lambda/adapters/latest.ts';
import config from '../../tollbridge.config.ts';
import {
  type Found,
  inventoryOf,
  type Properties,
  resourceOf,
  resourcesOf,
  templatesOf,
  threeConfig,
} from './templates.ts';

const { state, stateTemplate } = templatesOf(config);
const TABLE = 'AWS::DynamoDB::GlobalTable';
const tables = resourcesOf(stateTemplate, TABLE);
const ledger = resourceOf(stateTemplate, TABLE, /^Ledger/);
const dedupRecords = resourceOf(stateTemplate, TABLE, /^DedupRecords/);
const newest = resourceOf(stateTemplate, TABLE, /^State/);
const quarantine = resourceOf(stateTemplate, TABLE, /^Quarantine/);

describe('the state stack', () => {
  it('holds four tables and nothing else', () => {
    expect(inventoryOf(stateTemplate)).toEqual({ [TABLE]: 4 });
  });

  it('is the same whatever the routes are: none that comes or goes needs a change of it', () => {
    const { charges } = config.routes;
    const { events, status } = threeConfig.routes;
    if (charges === undefined || events === undefined || status === undefined) {
      throw new Error('a configuration lacks a route');
    }
    for (const routes of [{ events }, { status }, { charges, events, status }]) {
      const changed = templatesOf(defineConfig({ routes }));
      expect(changed.stateTemplate.toJSON()).toEqual(stateTemplate.toJSON());
    }
  });

  it('cannot be deleted by a slip', () => {
    expect(state.terminationProtection).toBe(true);
  });

  it('keeps the logical ids of its tables, for another id would mean another, empty table', () => {
    expect(tables.map(({ id }) => id)).toEqual([
      'LedgerB7379752',
      'DedupRecords82D810D5',
      'State1C20CC9A',
      'Quarantine23FF09FE',
    ]);
  });

  it('names its tables in outputs', () => {
    expect(outputsOf(/TableName$/)).toEqual([
      ['DedupRecordsTableName', { Ref: 'DedupRecords82D810D5' }],
      ['LedgerTableName', { Ref: 'LedgerB7379752' }],
      ['QuarantineTableName', { Ref: 'Quarantine23FF09FE' }],
      ['StateTableName', { Ref: 'State1C20CC9A' }],
    ]);
  });

  it('exports name and ARN of every table, used or not, and nothing besides', () => {
    const exported = outputsOf(/^Exports/).map(([, value]) => value);
    expect(exported).toHaveLength(8);
    for (const { id } of tables) {
      expect(exported).toContainEqual({ Ref: id });
      expect(exported).toContainEqual({ 'Fn::GetAtt': [id, 'Arn'] });
    }
    expect(outputsOf(/^/)).toHaveLength(4 + 8);
  });
});

describe.each(tables)('the table $id', ({ resource, properties }) => {
  it('outlives its stack', () => {
    expect(resource).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('can be restored to any second of 35 days and is protected from deletion', () => {
    expect(properties.Replicas).toEqual([
      expect.objectContaining({
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: {
          PointInTimeRecoveryEnabled: true,
          RecoveryPeriodInDays: 35,
        },
      }),
    ]);
  });

  it('is encrypted with the AWS managed key, which nobody can delete', () => {
    expect(properties.SSESpecification).toEqual({ SSEEnabled: true, SSEType: 'KMS' });
    expect(JSON.stringify(properties.Replicas)).not.toContain('KMSMasterKeyId');
  });

  it('takes what comes: no capacity is set that a burst could use up', () => {
    expect(properties.BillingMode).toBe('PAY_PER_REQUEST');
    expect(properties).not.toHaveProperty('WriteProvisionedThroughputSettings');
    expect(properties).not.toHaveProperty('WriteOnDemandThroughputSettings');
  });

  it('lives in one Region, because conditions hold in one Region', () => {
    expect(properties.Replicas).toHaveLength(1);
  });

  it('projects no attribute that a copy changes, and no body', () => {
    for (const { ProjectionType, NonKeyAttributes } of projectionsOf(properties)) {
      expect(ProjectionType).toBe('INCLUDE');
      for (const changing of ['tries', 'lastSeenAt', 'releasedAt', 'body', 'bookedBody']) {
        expect(NonKeyAttributes).not.toContain(changing);
      }
    }
  });
});

describe('what forgets by itself, and why', () => {
  it.each([
    { table: ledger, reason: 'the ledger does not: a forgotten id would be billed again' },
    {
      table: newest,
      reason: 'the state does not: a late copy of an old value would be the newest',
    },
  ])('$reason', ({ table }) => {
    expect(table.properties).not.toHaveProperty('TimeToLiveSpecification');
  });

  it.each([
    { table: dedupRecords, reason: 'a delivery does, once no copy of it can still be under way' },
    { table: quarantine, reason: 'a quarantined row does, once an operator has discarded it' },
  ])('$reason', ({ table }) => {
    expect(table.properties.TimeToLiveSpecification).toEqual({
      AttributeName: 'expiresAt',
      Enabled: true,
    });
  });
});

describe('the tables of messages', () => {
  it.each([
    { table: ledger, row: 'route, device and id' },
    { table: dedupRecords, row: 'route, device and id' },
    { table: newest, row: 'device and topic' },
  ])('have a row per $row', ({ table }) => {
    expect(table.properties.KeySchema).toEqual([
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'id', KeyType: 'RANGE' },
    ]);
  });

  it('have no index where nobody is invoiced: each would be paid for with every write', () => {
    for (const { properties } of [dedupRecords, newest]) {
      expect(properties).not.toHaveProperty('GlobalSecondaryIndexes');
    }
  });
});

describe('the ledger', () => {
  it('lists the bookings of an account and month with all that an invoice prints', () => {
    expect(ledger.properties.GlobalSecondaryIndexes).toEqual([
      {
        IndexName: 'by-account',
        KeySchema: [
          { AttributeName: 'accountPeriod', KeyType: 'HASH' },
          { AttributeName: 'occurrence', KeyType: 'RANGE' },
        ],
        Projection: {
          ProjectionType: 'INCLUDE',
          NonKeyAttributes: [
            'route',
            'device',
            'account',
            'amount',
            'unit',
            'occurredAt',
            'bookedAt',
          ],
        },
      },
    ]);
  });
});

describe('the quarantine', () => {
  it('has a row per route, device, id and body', () => {
    expect(quarantine.properties.KeySchema).toEqual([
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ]);
  });

  it('lists the rows of a day with their reasons', () => {
    expect(quarantine.properties.GlobalSecondaryIndexes).toEqual([
      {
        IndexName: 'by-day',
        KeySchema: [
          { AttributeName: 'routeDay', KeyType: 'HASH' },
          { AttributeName: 'receivedAt', KeyType: 'RANGE' },
        ],
        Projection: {
          ProjectionType: 'INCLUDE',
          NonKeyAttributes: ['reason', 'device', 'id'],
        },
      },
    ]);
  });
});

describe('what the functions write', () => {
  const at = epochMillis(Date.parse('2026-11-20T09:00:51Z'));
  const sample = (topic: string): Delivery => ({
    deliveryId: 'd-1',
    topic,
    body: Buffer.from(
      '{"id":"a","account":"b","litres":1.5,"at":"2026-11-20T09:00:50Z","type":"boot"}',
    ),
    receivedAt: at,
    clientId: 'cp-1',
    principal: undefined,
  });

  it('has every attribute that a key or a projection of the ledger names', () => {
    const { route, delivery, message } = read('exactly-once', sample('billing/cp-1/charges'));
    const { key, first } = exactlyOnceWriteOf(route, delivery, message, 1, at);
    expect(Object.keys({ ...key, ...first })).toEqual(expect.arrayContaining(attributesOf(ledger)));
  });

  it('has the keys of the dedup records, and their end in seconds, as DynamoDB reads it', () => {
    const { route, delivery, message } = read('deduplicated', sample('events/cp-1/boot'));
    const write = deduplicatedWriteOf(route, delivery, message, 1, at);
    const { Key, ExpressionAttributeNames, ExpressionAttributeValues } = deduplicatedUpdate(write);
    expect(Object.keys(Key ?? {}).sort()).toEqual(attributesOf(dedupRecords).sort());
    expect(ExpressionAttributeNames).toHaveProperty('#expiresAt', 'expiresAt');
    // Milliseconds would be read as the year 58,000: nothing would ever be forgotten.
    const ends = at / 1_000 + 7 * 86_400 + MESSAGE_LIFETIME_MAX_SECONDS;
    expect(ExpressionAttributeValues).toHaveProperty(':expiresAt', { N: String(ends) });
  });

  it('has the keys of the state, the device and its topic, and no time to forget a value', () => {
    const { route, delivery, message } = read('latest', sample('status/cp-1'));
    const { Key, ExpressionAttributeNames } = latestUpdate(
      latestWriteOf(route, delivery, message, 1, at),
    );
    expect(Object.keys(Key ?? {}).sort()).toEqual(attributesOf(newest).sort());
    expect(Key).toEqual({ pk: { S: 'cp-1' }, id: { S: 'status/cp-1' } });
    expect(ExpressionAttributeNames).not.toHaveProperty('#expiresAt');
  });

  it('has every attribute that a key or a projection of the quarantine names', () => {
    const { key, ...row } = quarantineRowOf('charges', sample('billing/cp-1/charges'), {
      reason: 'missing-id',
      detail: '',
      bodyHash: '',
      device: undefined,
      id: undefined,
      answerTo: undefined,
    });
    expect(Object.keys({ ...key, ...row })).toEqual(
      expect.arrayContaining(attributesOf(quarantine)),
    );
  });
});

/** Names and values of the outputs whose name matches, sorted. */
function outputsOf(name: RegExp): readonly (readonly [string, unknown])[] {
  const outputs = stateTemplate.toJSON().Outputs as Record<string, { readonly Value: unknown }>;
  return Object.entries(outputs)
    .filter(([key]) => name.test(key))
    .map(([key, { Value }]) => [key, Value] as const)
    .sort(([one], [another]) => one.localeCompare(another));
}

/** The route of a guarantee, and the message that it reads from a delivery. */
function read<Guarantee extends Route['guarantee']>(guarantee: Guarantee, delivery: Delivery) {
  const route = checkConfig(threeConfig).routes.find(
    (each): each is Extract<Route, { guarantee: Guarantee }> => each.guarantee === guarantee,
  );
  if (route === undefined) throw new Error(`no route is ${guarantee}`);
  const reading = readMessage(route, delivery);
  if (reading.kind !== 'message') throw new Error('the sample is no message');
  return { route, delivery, message: reading.message };
}

function attributesOf({ properties }: Found): string[] {
  const defined = properties.AttributeDefinitions as { readonly AttributeName: string }[];
  return [
    ...defined.map(({ AttributeName }) => AttributeName),
    ...projectionsOf(properties).flatMap(({ NonKeyAttributes }) => NonKeyAttributes),
  ];
}

interface Projection {
  readonly ProjectionType: string;
  readonly NonKeyAttributes: string[];
}

/** None for a table without an index. */
function projectionsOf({ GlobalSecondaryIndexes }: Properties): readonly Projection[] {
  const indexes = (GlobalSecondaryIndexes ?? []) as { readonly Projection: Projection }[];
  return indexes.map((index) => index.Projection);
}
