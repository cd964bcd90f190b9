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
import type { Route } from '../core/config/route.ts';
import { guaranteeOf } from '../core/guarantees/index.ts';

/** What every table is: money hangs on each row, or on a copy of one being recognised. */
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

/** The key of a message. */
const MESSAGE_KEY = {
  partitionKey: { name: 'pk', type: AttributeType.STRING },
  sortKey: { name: 'id', type: AttributeType.STRING },
} satisfies Partial<TablePropsV2>;

/**
 * All four tables exist and are exported whatever the routes are. A route that is added later finds
 * its table there, and one that is taken out takes no export with it that the ingest stack still
 * imports while this one is deployed first: no change of routes is a change of this stack. An empty
 * table on demand costs nothing.
 */
export class StateStack extends Stack {
  readonly ledger: TableV2;
  readonly dedupRecords: TableV2;
  readonly state: TableV2;
  readonly quarantine: TableV2;

  constructor(scope: Construct, id: string, props: StackProps = {}) {
    super(scope, id, props);
    this.ledger = ledgerTable(this);
    this.dedupRecords = dedupRecordsTable(this);
    this.state = stateTable(this);
    this.quarantine = quarantineTable(this);
    this.publish('Ledger', this.ledger, 'Booked messages, one row each');
    this.publish(
      'DedupRecords',
      this.dedupRecords,
      'Messages that copies are recognised by, for a time',
    );
    this.publish('State', this.state, 'The newest value of each topic');
    this.publish(
      'Quarantine',
      this.quarantine,
      'Deliveries that could not be booked, each with its reason',
    );
  }

  /** The one table that the messages of a route stand in. */
  messagesOf(route: Pick<Route, 'guarantee'>): TableV2 {
    return this[guaranteeOf(route).table];
  }

  private publish(name: string, table: TableV2, description: string): void {
    new CfnOutput(this, `${name}TableName`, { value: table.tableName, description });
    this.exportValue(table.tableName);
    this.exportValue(table.tableArn);
  }
}

/**
 * No TTL attribute: a ledger row that is forgotten makes its id new again, and the next copy of
 * the message would be billed a second time.
 */
function ledgerTable(scope: Construct): TableV2 {
  return new TableV2(scope, 'Ledger', {
    ...KEPT,
    ...MESSAGE_KEY,
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
 * `expiresAt` is set by the function, to when no delivery that could count as a copy can still be
 * under way (I7). The sweep only tidies up: whether a window is open is decided by the condition of
 * the write, so it may come late or never.
 */
function dedupRecordsTable(scope: Construct): TableV2 {
  return new TableV2(scope, 'DedupRecords', {
    ...KEPT,
    ...MESSAGE_KEY,
    timeToLiveAttribute: 'expiresAt',
  });
}

/**
 * `pk` is the device, `id` the topic. No TTL attribute: without the row, a late copy of an old
 * value would find nothing newer and become the newest.
 */
function stateTable(scope: Construct): TableV2 {
  return new TableV2(scope, 'State', { ...KEPT, ...MESSAGE_KEY });
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
