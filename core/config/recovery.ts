/** What the recovery path cannot carry: the envelope of a rule's error action. */
import type { Bridge, Route } from './route.ts';
import { sourceText } from './source-text.ts';
import { type IdPart, partsOf } from './sources.ts';

/**
 * A sentence for each route whose id, or a part of it, is in MQTT 5 properties alone. Such a route
 * works; what takes the recovery path is kept, but not booked.
 */
export function recoveryWarnings(bridge: Bridge): readonly string[] {
  return bridge.routes.flatMap((route) => {
    const lost = lostParts(route);
    if (lost.length === 0) return [];
    return [
      `routes.${route.name}.id reads ${lost.map(sourceText).join(' and ')}, and the envelope of ` +
        "the rule's error action has no MQTT 5 properties: a delivery that takes this path is " +
        'quarantined as missing-id; put the id into the body or the topic as well.',
    ];
  });
}

/** A joined id needs each of its parts, so one that is lost is enough. */
function lostParts(route: Route): readonly IdPart[] {
  if (route.guarantee === 'latest') return [];
  return partsOf(route.id).filter(
    ({ from }) => from === 'user-property' || from === 'correlation-data',
  );
}
