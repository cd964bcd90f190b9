/** A row of the state: the newest value of a topic. */

import { type EpochMillis, toIso } from '../../base/time.ts';
import type { LatestRoute } from '../../config/route.ts';
import type { Delivery } from '../../message/envelope.ts';
import type { Message } from '../../message/message.ts';
import { type FirstWrite, firstWriteOf, type Row, type RowWrite } from '../../tables/row.ts';
import type { LatestFacts } from './guarantee.ts';

/** Raised with every change of the list of attributes; each newer value writes all of them. */
const LATEST_ROW_VERSION = 1;

export interface LatestFirstWrite extends FirstWrite {
  /** Epoch milliseconds; what decides which value is newer. */
  readonly version: EpochMillis;
  /** The same in ISO 8601, to be read. */
  readonly versionAt: string;
}

export type LatestWrite = RowWrite<LatestFirstWrite>;

export interface LatestRow extends Row {
  readonly version: EpochMillis;
}

export function latestWriteOf(
  route: LatestRoute,
  delivery: Delivery,
  message: Message<LatestFacts>,
  tries: number,
  now: EpochMillis,
): LatestWrite {
  const { version } = message.facts;
  return {
    key: message.key,
    tries,
    lastSeenAt: toIso(now),
    first: {
      ...firstWriteOf(route, delivery, message, LATEST_ROW_VERSION, now),
      version,
      versionAt: toIso(version),
    },
  };
}
