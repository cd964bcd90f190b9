/** A row of the deliveries: a message that copies are recognised by, within a window. */

import { MESSAGE_LIFETIME_MAX_SECONDS } from '../../base/limits.ts';
import { type EpochMillis, epochMillis, toIso } from '../../base/time.ts';
import type { DeduplicatedRoute } from '../../config/route.ts';
import { partsOf } from '../../config/sources.ts';
import type { Delivery } from '../../message/envelope.ts';
import type { Message } from '../../message/message.ts';
import { type FirstWrite, firstWriteOf, type Row, type RowWrite } from '../../tables/row.ts';
import type { DeduplicatedFacts } from './guarantee.ts';

/** Raised with every change of the list of attributes that the first delivery writes. */
const DEDUPLICATED_ROW_VERSION = 1;

export interface DeduplicatedWrite extends RowWrite {
  /** The rule's clock: what decides whether the window is open, whenever this is handled. */
  readonly receivedAtMillis: EpochMillis;
  readonly windowEndsAtMillis: EpochMillis;
  /** For TTL: when no delivery that could count as a copy can still be under way. */
  readonly expiresAtSeconds: number;
  /**
   * Whether a copy pushes the end of the window out. A device-made id stays the same message for
   * as long as its copies come; equal content may be a true event again.
   */
  readonly isPushed: boolean;
  /**
   * Where the end is not pushed: a window that ends after this began more than a window later, so
   * that equal content in it is another event. Handled out of order, the older comes second.
   */
  readonly latestEndMillis: EpochMillis;
}

export interface DeduplicatedRow extends Row {
  readonly windowEndsAtMillis: EpochMillis;
}

export function deduplicatedWriteOf(
  route: DeduplicatedRoute,
  delivery: Delivery,
  message: Message<DeduplicatedFacts>,
  tries: number,
  now: EpochMillis,
): DeduplicatedWrite {
  const { ownTime } = message.facts;
  const begin = Math.max(delivery.receivedAt, ownTime ?? 0);
  const windowEndsAtMillis = epochMillis(begin + route.windowSeconds * 1_000);
  const first: FirstWrite = firstWriteOf(route, delivery, message, DEDUPLICATED_ROW_VERSION, now);
  return {
    key: message.key,
    tries,
    lastSeenAt: toIso(now),
    first,
    receivedAtMillis: delivery.receivedAt,
    windowEndsAtMillis,
    expiresAtSeconds: Math.ceil(windowEndsAtMillis / 1_000) + MESSAGE_LIFETIME_MAX_SECONDS,
    latestEndMillis: epochMillis(windowEndsAtMillis + route.windowSeconds * 1_000),
    isPushed: partsOf(route.id).every(({ from }) => from !== 'content-hash'),
  };
}

/** Whether a delivery received then falls into the row's window; its last moment counts. */
export function isOpen(row: DeduplicatedRow, receivedAt: EpochMillis): boolean {
  return row.windowEndsAtMillis >= receivedAt;
}

/** Whether the row is of a later event that only looks the same. */
export function isOfLaterEvent(row: DeduplicatedRow, write: DeduplicatedWrite): boolean {
  return !write.isPushed && row.windowEndsAtMillis > write.latestEndMillis;
}
