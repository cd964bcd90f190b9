/** Releases on DynamoDB: what the handshake may do to rows. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { both, rowExists } from '../../core/tables/clauses.ts';
import type { Releases } from '../../core/tables/ports.ts';
import type { Release } from '../../core/tables/release.ts';
import { attributeOf } from './attributes.ts';
import { rowOf, TableRows } from './table-rows.ts';
import { keyOf, type Update } from './writes.ts';

/** A row received after the release is of a later life of the id. */
const rowIsNotOfLaterLife = '#receivedAt <= :releasedAt';
const rowIsKeptForLonger = '#expiresAt > :expiresAt';
/** No row is made: the message may still be under way, and would meet a row without its body. */
const RELEASE_CONDITION = both(rowExists, rowIsNotOfLaterLife);
const SHORTENING_CONDITION = both(rowExists, rowIsNotOfLaterLife, rowIsKeptForLonger);

/** The ledger, for the handshake. */
export function createLedgerReleases(client: DynamoDBClient, table: string): Releases {
  const rows = new TableRows(client, table, rowOf);
  return {
    find: (key) => rows.find(key),
    release: (release) => rows.update('releasing', releaseUpdate(release)),
  };
}

/** The dedup records, for the handshake. */
export function createDedupRecordsReleases(client: DynamoDBClient, table: string): Releases {
  const rows = new TableRows(client, table, rowOf);
  return {
    find: (key) => rows.find(key),
    release: async (release) =>
      (await rows.update('releasing', shorteningRelease(release))) ||
      // There is none, or it ends sooner than that already: no release makes a life longer.
      rows.update('releasing', releaseUpdate(release)),
  };
}

/** Marks a row as released; the first release stands. */
export function releaseUpdate({ key, releasedAt }: Release): Update {
  return {
    Key: keyOf(key),
    UpdateExpression: 'SET #releasedAt = if_not_exists(#releasedAt, :releasedAt)',
    ConditionExpression: RELEASE_CONDITION,
    ExpressionAttributeNames: { '#releasedAt': 'releasedAt', '#receivedAt': 'receivedAt' },
    ExpressionAttributeValues: { ':releasedAt': { S: releasedAt } },
  };
}

/** The same, and shortens the life of the row to L from then on. */
export function shorteningRelease(release: Release): Update {
  const update = releaseUpdate(release);
  return {
    ...update,
    UpdateExpression: `${update.UpdateExpression}, #expiresAt = :expiresAt`,
    ConditionExpression: SHORTENING_CONDITION,
    ExpressionAttributeNames: { ...update.ExpressionAttributeNames, '#expiresAt': 'expiresAt' },
    ExpressionAttributeValues: {
      ...update.ExpressionAttributeValues,
      ':expiresAt': attributeOf(release.expiresAtSeconds),
    },
  };
}
