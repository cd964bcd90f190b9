import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import type { Route } from '../../core/config/route.ts';
import type { Delivery } from '../../core/envelope.ts';
import { ledgerWriteOf } from '../../core/ledger-row.ts';
import { readMessage } from '../../core/message.ts';
import { quarantineRowOf } from '../../core/quarantine-row.ts';
import { epochMillis } from '../../core/time.ts';
import config from '../../tollbridge.config.ts';
import { type Found, inventoryOf, resourceOf, resourcesOf, templatesOf } from './templates.ts';

const bridge = checkConfig(config);
const { state, stateTemplate } = templatesOf(config);
const TABLE = 'AWS::DynamoDB::GlobalTable';
const tables = resourcesOf(stateTemplate, TABLE);
const ledger = resourceOf(stateTemplate, TABLE, /^Ledger/);
const quarantine = resourceOf(stateTemplate, TABLE, /^Quarantine/);

describe('the state stack', () => {
  it('holds two tables and nothing else', () => {
    expect(inventoryOf(stateTemplate)).toEqual({ [TABLE]: 2 });
  });

  it('cannot be deleted by a slip', () => {
    expect(state.terminationProtection).toBe(true);
  });

  it('keeps the logical ids of its tables, for another id would mean another, empty table', () => {
    expect(tables.map(({ id }) => id)).toEqual(['LedgerB7379752', 'Quarantine23FF09FE']);
  });

  it('names its tables in outputs', () => {
    expect(stateTemplate.toJSON().Outputs).toMatchObject({
      LedgerTableName: { Value: { Ref: 'LedgerB7379752' } },
      QuarantineTableName: { Value: { Ref: 'Quarantine23FF09FE' } },
    });
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
    const indexes = properties.GlobalSecondaryIndexes as {
      readonly Projection: { ProjectionType: string; NonKeyAttributes: string[] };
    }[];
    for (const { Projection } of indexes) {
      expect(Projection.ProjectionType).toBe('INCLUDE');
      for (const changing of ['tries', 'lastSeenAt', 'releasedAt', 'body', 'bookedBody']) {
        expect(Projection.NonKeyAttributes).not.toContain(changing);
      }
    }
  });
});

describe('the ledger', () => {
  it('has a row per route, device and id', () => {
    expect(ledger.properties.KeySchema).toEqual([
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'id', KeyType: 'RANGE' },
    ]);
  });

  it('never forgets a row by itself, for a forgotten id would be billed again', () => {
    expect(ledger.properties).not.toHaveProperty('TimeToLiveSpecification');
  });

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

  it('lets only a discarded row expire', () => {
    expect(quarantine.properties.TimeToLiveSpecification).toEqual({
      AttributeName: 'expiresAt',
      Enabled: true,
    });
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

describe('what the function writes', () => {
  const route = bridge.routes[0] as Route;
  const at = epochMillis(Date.parse('2026-11-20T09:00:51Z'));
  const delivery: Delivery = {
    deliveryId: 'd-1',
    topic: 'billing/cp-1/charges',
    body: Buffer.from('{"id":"a","account":"b","kWh":1.5,"at":"2026-11-20T09:00:50Z"}'),
    receivedAt: at,
    clientId: 'cp-1',
    principal: undefined,
  };
  const reading = readMessage(route, delivery);

  it('has every attribute that a key or a projection of the ledger names', () => {
    if (reading.kind !== 'message') throw new Error('the sample is no message');
    const { key, first } = ledgerWriteOf(route, delivery, reading.message, 1, at);
    expect(Object.keys({ ...key, ...first })).toEqual(expect.arrayContaining(attributesOf(ledger)));
  });

  it('has every attribute that a key or a projection of the quarantine names', () => {
    const { key, ...row } = quarantineRowOf(route.name, delivery, {
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

function attributesOf({ properties }: Found): string[] {
  const defined = properties.AttributeDefinitions as { readonly AttributeName: string }[];
  const indexes = properties.GlobalSecondaryIndexes as {
    readonly Projection: { readonly NonKeyAttributes: string[] };
  }[];
  return [
    ...defined.map(({ AttributeName }) => AttributeName),
    ...indexes.flatMap(({ Projection }) => Projection.NonKeyAttributes),
  ];
}
