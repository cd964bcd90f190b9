/** What rows of every table have in common: what is written once, and what a verdict needs of it. */

import { type EpochMillis, toIso } from '../base/time.ts';
import type { Route } from '../config/route.ts';
import type { Delivery } from '../message/envelope.ts';
import { KEY_VERSION, type MessageKey } from '../message/id.ts';
import type { Message } from '../message/message.ts';

/** A decimal in text, kept apart from strings so that adapters write it as a number. */
export interface Decimal {
  readonly decimal: string;
}

/** What an attribute of a row can be. */
export type Value = string | number | null | Uint8Array | readonly string[] | Decimal;

/**
 * What the first delivery writes. Each is always present, `null` where it is not known: a copy
 * must not add an attribute that the row does not have (I1).
 */
export interface FirstWrite {
  /** The list of first-write attributes that the row was written with. */
  readonly rowVersion: number;
  /** The encoding of its id. */
  readonly keyVersion: number;
  readonly route: string;
  readonly device: string;
  readonly topic: string;
  /** Text where the body is UTF-8, else its bytes. */
  readonly body: string | Uint8Array;
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly bookedAt: string;
  readonly bookedAtMillis: EpochMillis;
  readonly principal: string | null;
  readonly firstDeliveryId: string;
}

/** What every write says: one `UpdateItem`. */
export interface RowWrite<First extends FirstWrite = FirstWrite> {
  readonly key: MessageKey;
  readonly first: First;
  /** Deliveries folded into this write. */
  readonly tries: number;
  /** ISO 8601. */
  readonly lastSeenAt: string;
}

/** What is read back of a row to reach a verdict. */
export interface Row {
  readonly rowVersion: number;
  readonly firstDeliveryId: string;
  readonly fingerprint: string;
  readonly topic: string;
  readonly body: string | Uint8Array;
  readonly bookedAtMillis: EpochMillis;
}

export function firstWriteOf(
  route: Route,
  delivery: Delivery,
  message: Message,
  rowVersion: number,
  now: EpochMillis,
): FirstWrite {
  return {
    rowVersion,
    keyVersion: KEY_VERSION,
    route: route.name,
    device: message.device,
    topic: delivery.topic,
    body: message.body,
    fingerprint: message.fingerprint,
    receivedAt: toIso(delivery.receivedAt),
    bookedAt: toIso(now),
    bookedAtMillis: now,
    principal: delivery.principal ?? null,
    firstDeliveryId: delivery.deliveryId,
  };
}
