/**
 * A release: the device's word that it will not send an id again (QoS 2's PUBREL). It marks a row
 * that stands and never makes one: a release that overtakes its message must not use up the id.
 *
 * A windowed row is kept for L after it, however long its window still is. What the device sent
 * before is under way for up to L in queues, dead-letter queues and redrives, and must find the row
 * (I7). It is TCP's TIME_WAIT: both ends agree that it is over, and the one that answers remembers
 * for as long as a stray segment can live (RFC 9293, 3.6.1).
 */

import { MESSAGE_LIFETIME_MAX_SECONDS } from '../base/limits.ts';
import { type EpochMillis, toIso } from '../base/time.ts';
import type { MessageKey } from '../message/id.ts';

export interface Release {
  readonly key: MessageKey;
  /**
   * The rule's clock, ISO 8601. A row that was received after it is of a later life of the id, and
   * is left alone.
   */
  readonly releasedAt: string;
  /** For TTL, where rows are forgotten at all. */
  readonly expiresAtSeconds: number;
}

export function releaseOf(key: MessageKey, receivedAt: EpochMillis): Release {
  return {
    key,
    releasedAt: toIso(receivedAt),
    expiresAtSeconds: Math.ceil(receivedAt / 1_000) + MESSAGE_LIFETIME_MAX_SECONDS,
  };
}
