/**
 * The register of `deduplicated` routes. Whether a copy falls into the window is decided by the
 * condition, from the times of the rule and of the message: never by the TTL sweep, which comes
 * when it likes, nor by the clock of this function, which reads hours later what waited in a queue.
 */

import { RetryableError } from '../../core/base/errors.ts';
import { DELIVERY_LIFE_SECONDS, FUNCTION_TIMEOUT_SECONDS } from '../../core/base/limits.ts';
import { type Clock, toIso } from '../../core/base/time.ts';
import type { WindowRoute } from '../../core/config/route.ts';
import {
  isOfLaterEvent,
  isOpen,
  type WindowRow,
  type WindowWrite,
  windowWriteOf,
} from '../../core/guarantees/deduplicated/row.ts';
import {
  acceptedVerdict,
  conflictVerdict,
  isSameMessage,
  standingVerdict,
} from '../../core/guarantees/verdict.ts';
import type { Rejection } from '../../core/message/message.ts';
import type { Deliveries } from '../../core/tables/ports.ts';
import { type Decision, type Register, type Registered, rejectionOf } from './register.ts';

/**
 * The sweep may take a row from the very second L is over, and a write that is tried again can take
 * as long as the function may run: what could be overtaken by the sweep is late already.
 */
const HANDLED_WITHIN_SECONDS = DELIVERY_LIFE_SECONDS - FUNCTION_TIMEOUT_SECONDS;
/** Each round means that another delivery of the same id got between; more are left to the queue. */
const ROUNDS_MAX = 5;

export function createWindowRegister(
  route: WindowRoute,
  deliveries: Deliveries,
  clock: Clock,
): Register {
  const decideTimely = async (fold: Registered): Promise<Decision> => {
    const { delivery, deliveryIds } = fold;
    const write = writeOf(fold);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const result = await deliveries.admit(write);
      if (result.kind === 'written') return acceptedVerdict(write);
      const { kind, row } = result;
      if (kind === 'counted') return standingVerdict(row, deliveryIds);
      // The error road's envelope tells no time, so a try of its own there may be later than the
      // window that an earlier one opened.
      const isMine = deliveryIds.includes(row.firstDeliveryId);
      if (isMine || isOpen(row, delivery.receivedAt)) return decideStanding(fold, write, row);
      if (await deliveries.renew(write, row)) return acceptedVerdict(write);
    }
    throw new RetryableError(
      `the row changed hands ${ROUNDS_MAX} times while it was being written`,
    );
  };

  /**
   * The window is open, and the row is another's, of another version or ends later already, or the
   * delivery comes out of time. A clock that runs ahead must not push the end to a far year.
   */
  const decideStanding = async (
    { reading, deliveryIds }: Registered,
    write: WindowWrite,
    row: WindowRow,
  ): Promise<Decision> => {
    if (isOfLaterEvent(row, write)) return { kind: 'rejected', rejection: overtaken(reading, row) };
    if (!isSameMessage(row, write, route.ignoring)) {
      return conflictVerdict(row, write, route.ignoring);
    }
    const isEarly = reading.kind === 'untimely' && reading.rejection.reason === 'early';
    const endsLater = write.windowEndsAtMillis > row.windowEndsAtMillis;
    if (write.isPushed && endsLater && !isEarly) {
      await deliveries.push(write, row.firstDeliveryId);
    } else {
      await deliveries.count(write, row.firstDeliveryId);
    }
    return standingVerdict(row, deliveryIds);
  };

  const writeOf = ({ delivery, deliveryIds, reading }: Registered): WindowWrite =>
    windowWriteOf(route, delivery, reading.message, deliveryIds.length, clock());

  return {
    async decide(fold) {
      const late = lateness(fold, clock);
      if (late === undefined) return decideTimely(fold);
      // A row whose window is open knows better than the message's own time. What comes out of
      // time is only ever compared with it: it could open a window if the sweep got between.
      const row = await deliveries.find(fold.reading.message.key);
      return row !== undefined && isOpen(row, fold.delivery.receivedAt)
        ? decideStanding(fold, writeOf(fold), row)
        : { kind: 'rejected', rejection: late };
    },
  };
}

/**
 * Why a delivery must not count as new, or undefined. Beyond L a row may have been swept that it
 * is a copy of; the function's clock is asked here alone, and only ever to refuse.
 */
function lateness({ delivery, reading }: Registered, clock: Clock): Rejection | undefined {
  if (reading.kind === 'untimely') return reading.rejection;
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
function overtaken({ message }: Registered['reading'], row: WindowRow): Rejection {
  return {
    ...rejectionOf(message),
    reason: 'late',
    detail:
      'equal content that was received more than a window later has been handled before; its ' +
      `window ends at ${toIso(row.windowEndsAtMillis)}`,
  };
}
