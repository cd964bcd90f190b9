/** What release and query need to know of a route: a small part, for one function serves them all. */
import type { Route } from '../config/route.ts';
import { type IdFormat, idTellingOf } from './receipt-ids.ts';

export interface HandshakeRoute {
  readonly name: string;
  readonly guarantee: Route['guarantee'];
  readonly idFormat: IdFormat;
  /** Of the answers. A route without receipts answers all the same, for it was asked. */
  readonly qos: 0 | 1;
  /** Whether a gateway may ask in the name of others. */
  readonly trustsTopicLevel: boolean;
}

export function handshakeRouteOf(route: Route): HandshakeRoute {
  return {
    name: route.name,
    guarantee: route.guarantee,
    idFormat: idTellingOf(route),
    qos: route.receipts === 1 ? 1 : 0,
    trustsTopicLevel: route.trustTopicLevel !== null,
  };
}
