/** The guarantees that a route can have. */
import type { Route } from '../config/route.ts';
import { type DeduplicatedFacts, deduplicated } from './deduplicated/guarantee.ts';
import { type ExactlyOnceFacts, exactlyOnce } from './exactly-once/guarantee.ts';
import type { Guarantee } from './guarantee.ts';
import { type LatestFacts, latest } from './latest/guarantee.ts';

/** What each reads from a message, beyond its id. */
interface FactsByGuarantee {
  readonly 'exactly-once': ExactlyOnceFacts;
  readonly deduplicated: DeduplicatedFacts;
  readonly latest: LatestFacts;
}

export type FactsOf<R extends Route> = FactsByGuarantee[R['guarantee']];

export const GUARANTEES: {
  readonly [Name in Route['guarantee']]: Guarantee<
    Extract<Route, { guarantee: Name }>,
    FactsByGuarantee[Name]
  >;
} = { 'exactly-once': exactlyOnce, deduplicated, latest };

export function guaranteeOf<R extends Route>(
  route: Pick<R, 'guarantee'>,
): Guarantee<R, FactsOf<R>> {
  // The key is the route's own, which the compiler cannot follow through the type parameter.
  return GUARANTEES[route.guarantee] as unknown as Guarantee<R, FactsOf<R>>;
}
