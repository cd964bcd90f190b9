/** A delivery as it came, out of the row that kept it. */

import { jsonOrUndefined } from '../base/json.ts';
import { epochMillis } from '../base/time.ts';
import type { DeduplicatedRoute, ExactlyOnceRoute, Route } from '../config/route.ts';
import type { IdPart } from '../config/sources.ts';
import type { Delivery } from '../message/envelope.ts';

/** What of a row says what was delivered. */
export interface StoredDelivery {
  /** Encoded; null where it could not be read, or the route has none. */
  readonly id: string | null;
  readonly topic: string;
  readonly body: string | Uint8Array;
  readonly clientId: string | null;
  readonly principal: string | null;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly deliveryId: string;
}

/**
 * User properties and correlation data are kept in no row but as the id that was made of them, so
 * they are put back from there.
 */
export function deliveryFromRow(route: Route, kept: StoredDelivery): Delivery {
  return {
    deliveryId: kept.deliveryId,
    topic: kept.topic,
    body: Buffer.from(kept.body),
    receivedAt: epochMillis(Date.parse(kept.receivedAt)),
    clientId: kept.clientId ?? undefined,
    principal: kept.principal ?? undefined,
    ...(route.guarantee !== 'latest' && kept.id !== null && propertiesOf(partsIn(route, kept.id))),
  };
}

/** The parts of the id's source, each with its own encoded part of the id. */
function partsIn(
  { id: source }: ExactlyOnceRoute | DeduplicatedRoute,
  id: string,
): readonly (readonly [IdPart, string])[] {
  if (source.from !== 'all') return [[source, id]];
  const encoded: unknown = id.startsWith('all:')
    ? jsonOrUndefined(id.slice('all:'.length))
    : undefined;
  if (!Array.isArray(encoded)) return [];
  return source.parts.flatMap((part, at) => {
    const text: unknown = encoded[at];
    return typeof text === 'string' ? [[part, text] as const] : [];
  });
}

function propertiesOf(
  parts: readonly (readonly [IdPart, string])[],
): Pick<Delivery, 'userProperties' | 'correlationData'> {
  const userProperties = parts.flatMap(([part, text]) =>
    part.from === 'user-property' ? [[part.name, text.replace(/^str:/, '')] as const] : [],
  );
  const correlation = parts.find(([part]) => part.from === 'correlation-data');
  return {
    ...(userProperties.length > 0 && { userProperties }),
    ...(correlation !== undefined && { correlationData: correlation[1].replace(/^cor:/, '') }),
  };
}
