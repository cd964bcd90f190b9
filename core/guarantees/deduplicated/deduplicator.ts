/**
 * The deduplicator of `deduplicated` routes. Whether a copy falls into the window is decided by the
 * condition, from the times of the rule and of the message: never by the TTL sweep, which comes
 * when it likes, nor by the clock of this function, which reads hours later what waited in a queue.
 */

import { RetryableError } from '../../base/errors.ts';
import { FUNCTION_TIMEOUT_SECONDS, MESSAGE_LIFETIME_MAX_SECONDS } from '../../base/limits.ts';
import { type Clock, toIso } from '../../base/time.ts';
import type { DeduplicatedRoute } from '../../config/route.ts';
import type { Rejection } from '../../message/reasons.ts';
import type { DedupRecords } from '../../tables/ports.ts';
import {
  type Decision,
  type Deduplicator,
  rejectionOf,
  type ValidDelivery,
} from '../deduplicator.ts';
import { acceptedVerdict, conflictVerdict, existingRowVerdict, isSameMessage } from '../verdict.ts';
import type { DeduplicatedFacts } from './guarantee.ts';
import {
  type DeduplicatedRow,
  type DeduplicatedWrite,
  deduplicatedWriteOf,
  isOfLaterEvent,
  isOpen,
} from './row.ts';

/**
 * The sweep may take a row from the very second L is over, and a write that is tried again can take
 * as long as the function may run: what could be overtaken by the sweep is late already.
 */
const HANDLED_WITHIN_SECONDS = MESSAGE_LIFETIME_MAX_SECONDS - FUNCTION_TIMEOUT_SECONDS;
/** Each round means that another delivery of the same id got between; more are left to the queue. */
const ROUNDS_MAX = 5;

export function deduplicatedDeduplicator(
  route: DeduplicatedRoute,
  records: DedupRecords,
  clock: Clock,
): Deduplicator<DeduplicatedFacts> {
  const decideInTime = async (valid: ValidDelivery<DeduplicatedFacts>): Promise<Decision> => {
    const { delivery, deliveryIds } = valid;
    const write = writeOf(valid);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const result = await records.admit(write);
      if (result.kind === 'written') return acceptedVerdict(write);
      const { kind, row } = result;
      if (kind === 'counted') return existingRowVerdict(row, deliveryIds);
      // The error-action path's envelope tells no time, so a try of its own there may be later than the
      // window that an earlier one opened.
      const isMine = deliveryIds.includes(row.firstDeliveryId);
      if (isMine || isOpen(row, delivery.receivedAt)) return decideExisting(valid, write, row);
      if (await records.renew(write, row)) return acceptedVerdict(write);
    }
    throw new RetryableError(
      `the row changed hands ${ROUNDS_MAX} times while it was being written`,
    );
  };

  /**
   * The window is open, and the row is another's, of another version or ends later already, or the
   * delivery comes out of time. A clock that runs ahead must not push the end to a far year.
   */
  const decideExisting = async (
    { reading, deliveryIds }: ValidDelivery<DeduplicatedFacts>,
    write: DeduplicatedWrite,
    row: DeduplicatedRow,
  ): Promise<Decision> => {
    if (isOfLaterEvent(row, write)) return { kind: 'rejected', rejection: overtaken(reading, row) };
    if (!isSameMessage(row, write, route.ignoring)) {
      return conflictVerdict(row, write, route.ignoring);
    }
    const isEarly = reading.kind === 'out-of-range' && reading.rejection.reason === 'early';
    const endsLater = write.windowEndsAtMillis > row.windowEndsAtMillis;
    if (write.isPushed && endsLater && !isEarly) {
      await records.push(write, row.firstDeliveryId);
    } else {
      await records.count(write, row.firstDeliveryId);
    }
    return existingRowVerdict(row, deliveryIds);
  };

  const writeOf = ({
    delivery,
    deliveryIds,
    reading,
  }: ValidDelivery<DeduplicatedFacts>): DeduplicatedWrite =>
    deduplicatedWriteOf(route, delivery, reading.message, deliveryIds.length, clock());

  return {
    async apply(valid) {
      const late = lateness(valid, clock);
      if (late === undefined) return decideInTime(valid);
      // A row whose window is open knows better than the message's own time. What comes out of
      // time is only ever compared with it: it could open a window if the sweep got between.
      const row = await records.find(valid.reading.message.key);
      return row !== undefined && isOpen(row, valid.delivery.receivedAt)
        ? decideExisting(valid, writeOf(valid), row)
        : { kind: 'rejected', rejection: late };
    },
  };
}

/**
 * Why a delivery must not count as new, or undefined. Beyond L a row may have been swept that it
 * is a copy of; the function's clock is asked here alone, and only ever to refuse.
 */
function lateness(
  { delivery, reading }: ValidDelivery<DeduplicatedFacts>,
  clock: Clock,
): Rejection | undefined {
  if (reading.kind === 'out-of-range') return reading.rejection;
  if (clock() - delivery.receivedAt <= HANDLED_WITHIN_SECONDS * 1_000) return undefined;
  return {
    ...rejectionOf(reading.message),
    reason: 'late',
    detail:
      `received at ${toIso(delivery.receivedAt)}, handled at ${toIso(clock())}; ` +
      `up to ${HANDLED_WITHIN_SECONDS} s in the cloud are allowed`,
  };
}

/** The row's place is taken by a later event of equal content: this one is kept for a person. */
function overtaken(
  { message }: ValidDelivery<DeduplicatedFacts>['reading'],
  row: DeduplicatedRow,
): Rejection {
  return {
    ...rejectionOf(message),
    reason: 'late',
    detail:
      'equal content that was received more than a window later has been handled before; its ' +
      `window ends at ${toIso(row.windowEndsAtMillis)}`,
  };
}
