/**
 * Everything that holds money, kept apart from the code that uses it: the other stacks can be
 * changed or deleted without touching a table, and the tables are retained if this one is deleted.
 */
import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  ProjectionType,
  TableEncryptionV2,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';

/** What every table that holds money is. */
const KEPT = {
  // Charges come in bursts (a fleet that reconnects), and a throttled write is a late booking.
  billing: Billing.onDemand(),
  // An AWS managed key leaves its uses in CloudTrail, and nobody can delete or disable it: a lost
  // key would be a lost ledger.
  encryption: TableEncryptionV2.awsManagedKey(),
  // The longest that AWS offers: a month's invoices can be checked against the rows of any second.
  pointInTimeRecoverySpecification: {
    pointInTimeRecoveryEnabled: true,
    recoveryPeriodInDays: 35,
  },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
} satisfies Partial<TablePropsV2>;

export class StateStack extends Stack {
  readonly ledger: TableV2;
  readonly quarantine: TableV2;

  constructor(scope: Construct, id: string, props: StackProps = {}) {
    super(scope, id, props);
    this.ledger = ledgerTable(this);
    this.quarantine = quarantineTable(this);
    new CfnOutput(this, 'LedgerTableName', {
      value: this.ledger.tableName,
      description: 'Booked messages, one row each',
    });
    new CfnOutput(this, 'QuarantineTableName', {
      value: this.quarantine.tableName,
      description: 'Deliveries that could not be booked, each with its reason',
    });
  }
}

/**
 * No TTL attribute: a ledger row that is forgotten makes its id new again, and the next copy of
 * the message would be billed a second time.
 */
function ledgerTable(scope: Construct): TableV2 {
  return new TableV2(scope, 'Ledger', {
    ...KEPT,
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'id', type: AttributeType.STRING },
    globalSecondaryIndexes: [
      {
        indexName: 'by-account',
        partitionKey: { name: 'accountPeriod', type: AttributeType.STRING },
        sortKey: { name: 'occurrence', type: AttributeType.STRING },
        projectionType: ProjectionType.INCLUDE,
        // What an invoice prints. No attribute that a copy changes: it would cost a second write
        // for each copy. Not the body: it is stored once.
        nonKeyAttributes: [
          'route',
          'device',
          'account',
          'amount',
          'unit',
          'occurredAt',
          'bookedAt',
        ],
      },
    ],
  });
}

/**
 * `expiresAt` is set by an operator who discards a row, and by nothing else: what could not be
 * booked waits until a person has looked at it.
 */
function quarantineTable(scope: Construct): TableV2 {
  return new TableV2(scope, 'Quarantine', {
    ...KEPT,
    partitionKey: { name: 'pk', type: AttributeType.STRING },
    sortKey: { name: 'sk', type: AttributeType.STRING },
    timeToLiveAttribute: 'expiresAt',
    globalSecondaryIndexes: [
      {
        indexName: 'by-day',
        partitionKey: { name: 'routeDay', type: AttributeType.STRING },
        sortKey: { name: 'receivedAt', type: AttributeType.STRING },
        projectionType: ProjectionType.INCLUDE,
        // Enough for a list of the day; the row itself has the rest.
        nonKeyAttributes: ['reason', 'device', 'id'],
      },
    ],
  });
}
