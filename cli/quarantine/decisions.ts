/**
 * What an operator decides, written into the quarantine row: `decision`, `decidedAt`, `decidedBy`,
 * `decisionReason`, and of an acceptance `bookedAs`, `forwardedAs` and `forwardedAt`. Each write has
 * a condition, so that of two operators at once only one decides; each gives false where the row is
 * not as it has to be, and has then changed nothing.
 */
import {
  ConditionalCheckFailedException,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { type EpochMillis, toIso } from '../../core/base/time.ts';
import type { QuarantineKey } from '../../core/tables/quarantine-row.ts';
import type { BridgeClient } from '../access/access.ts';

/** Who decides, and when. */
export interface Deciding {
  readonly by: string;
  readonly now: EpochMillis;
}

/** What an acceptance came to. */
export interface Outcome {
  /** Id of the ledger row; none where the route has no ledger. */
  readonly bookedAs: string | undefined;
  /** The `tollbridge-id` of the forward; none where the route forwards nothing. */
  readonly forwardedAs: string | undefined;
}

/** How long a discarded row can still be restored. */
export const DISCARDED_DAYS = 30;

const UNDECIDED = 'attribute_exists(pk) AND attribute_not_exists(decision)';

/**
 * Begins an acceptance: from here on nobody can discard the row.
 * @param broken when the acceptance that broke off, and is taken over, was begun
 */
export function claim(
  access: BridgeClient,
  key: QuarantineKey,
  { by, now }: Deciding,
  broken: string | undefined,
): Promise<boolean> {
  return update(access, key, {
    UpdateExpression: 'SET decision = :accepting, decidedAt = :now, decidedBy = :by',
    ConditionExpression:
      broken === undefined ? UNDECIDED : 'decision = :accepting AND decidedAt = :broken',
    ExpressionAttributeValues: {
      ':accepting': { S: 'accepting' },
      ':now': { S: toIso(now) },
      ':by': { S: by },
      ...(broken !== undefined && { ':broken': { S: broken } }),
    },
  });
}

/** Takes back what was begun and cannot be done. */
export function unclaim(
  access: BridgeClient,
  key: QuarantineKey,
  { now }: Deciding,
): Promise<boolean> {
  return update(access, key, {
    UpdateExpression: 'REMOVE decision, decidedAt, decidedBy',
    ConditionExpression: 'decision = :accepting AND decidedAt = :now',
    ExpressionAttributeValues: { ':accepting': { S: 'accepting' }, ':now': { S: toIso(now) } },
  });
}

/** Ends an acceptance once it is booked and forwarded. */
export function finish(
  access: BridgeClient,
  key: QuarantineKey,
  { bookedAs, forwardedAs }: Outcome,
  now: EpochMillis,
): Promise<boolean> {
  const text = (value: string | undefined) => (value === undefined ? { NULL: true } : { S: value });
  return update(access, key, {
    UpdateExpression:
      'SET decision = :accepted, bookedAs = :bookedAs, forwardedAs = :forwardedAs, forwardedAt = :at',
    ConditionExpression: 'decision = :accepting',
    ExpressionAttributeValues: {
      ':accepting': { S: 'accepting' },
      ':accepted': { S: 'accepted' },
      ':bookedAs': text(bookedAs),
      ':forwardedAs': text(forwardedAs),
      ':at': text(forwardedAs === undefined ? undefined : toIso(now)),
    } as NonNullable<UpdateItemCommandInput['ExpressionAttributeValues']>,
  });
}

/** Has the table forget the row, in some time. */
export function discard(
  access: BridgeClient,
  key: QuarantineKey,
  { by, now }: Deciding,
  reason: string,
): Promise<boolean> {
  return update(access, key, {
    UpdateExpression:
      'SET decision = :discarded, decidedAt = :now, decidedBy = :by, decisionReason = :reason, expiresAt = :end',
    ConditionExpression: UNDECIDED,
    ExpressionAttributeValues: {
      ':discarded': { S: 'discarded' },
      ':now': { S: toIso(now) },
      ':by': { S: by },
      ':reason': { S: reason },
      ':end': { N: String(Math.ceil(now / 1_000) + DISCARDED_DAYS * 86_400) },
    },
  });
}

/** Takes a discard back; who did so stays in the row. */
export function restore(
  access: BridgeClient,
  key: QuarantineKey,
  { by, now }: Deciding,
): Promise<boolean> {
  return update(access, key, {
    UpdateExpression:
      'SET restoredAt = :now, restoredBy = :by REMOVE decision, decidedAt, decidedBy, decisionReason, expiresAt',
    ConditionExpression: 'decision = :discarded',
    ExpressionAttributeValues: {
      ':discarded': { S: 'discarded' },
      ':now': { S: toIso(now) },
      ':by': { S: by },
    },
  });
}

async function update(
  { dynamodb, tables }: BridgeClient,
  { pk, sk }: QuarantineKey,
  input: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>,
): Promise<boolean> {
  try {
    const Key = { pk: { S: pk }, sk: { S: sk } };
    await dynamodb.send(new UpdateItemCommand({ TableName: tables.quarantine, Key, ...input }));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
