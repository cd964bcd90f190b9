/** A row of the quarantine: a delivery that could not be booked, with its reason and whole body. */

import { readUtf8 } from '../base/json.ts';
import { toIso } from '../base/time.ts';
import type { Delivery } from '../message/envelope.ts';
import { encodeId, type MessageId, partitionOf } from '../message/id.ts';
import type { Rejection } from '../message/reasons.ts';

/** The booked side of a conflict, kept beside the body that came later. */
export interface ConflictEvidence {
  /** Paths that differ between the bodies. */
  readonly fields: readonly string[];
  readonly bookedBody: string | Uint8Array;
  /** ISO 8601. */
  readonly bookedAt: string;
}

export interface QuarantineKey {
  /** `route#device`, `-` for a device that is not known. */
  readonly pk: string;
  /** `id#bodyHash`, `-` for an id that could not be read. */
  readonly sk: string;
}

export function quarantineKeyOf(
  route: string,
  device: string | null,
  id: MessageId | undefined,
  bodyHash: string,
): QuarantineKey {
  return {
    pk: partitionOf(route, device ?? '-'),
    sk: `${id === undefined ? '-' : encodeId(id)}#${bodyHash}`,
  };
}

/**
 * Every attribute is written once; writing the row again counts it in `tries`, adds its reason to the
 * set `reasons`, and the evidence of a conflict where there was none.
 */
export interface QuarantineRow {
  readonly key: QuarantineKey;
  readonly route: string;
  readonly device: string | null;
  readonly id: string | null;
  readonly reason: string;
  readonly detail: string;
  readonly topic: string;
  /** Text where the body is UTF-8, else its bytes. */
  readonly body: string | Uint8Array;
  readonly bodyHash: string;
  readonly clientId: string | null;
  readonly principal: string | null;
  /** ISO 8601; the sort key of the index by-day. */
  readonly receivedAt: string;
  /** `route#day`, its partition key. */
  readonly routeDay: string;
  readonly deliveryId: string;
  readonly fields: readonly string[] | null;
  readonly bookedBody: string | Uint8Array | null;
  readonly bookedAt: string | null;
}

export function quarantineRowOf(
  route: string,
  delivery: Delivery,
  rejection: Rejection,
  evidence?: ConflictEvidence,
): QuarantineRow {
  const id = rejection.id === undefined ? null : encodeId(rejection.id);
  const receivedAt = toIso(delivery.receivedAt);
  const device = rejection.device ?? null;
  return {
    key: quarantineKeyOf(route, device, rejection.id, rejection.bodyHash),
    route,
    device,
    id,
    reason: rejection.reason,
    detail: rejection.detail,
    topic: delivery.topic,
    body: readUtf8(delivery.body) ?? delivery.body,
    bodyHash: rejection.bodyHash,
    clientId: delivery.clientId ?? null,
    principal: delivery.principal ?? null,
    receivedAt,
    routeDay: `${route}#${receivedAt.slice(0, 10)}`,
    deliveryId: delivery.deliveryId,
    fields: evidence?.fields ?? null,
    bookedBody: evidence?.bookedBody ?? null,
    bookedAt: evidence?.bookedAt ?? null,
  };
}
