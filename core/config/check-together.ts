/** What only shows when routes are seen together: overlaps and loops. */
import { TOPIC_SLASHES_MAX } from '../base/limits.ts';
import { filtersOverlap, OWN_TOPICS } from '../message/topics.ts';
import type { Problem } from './problem.ts';
import { forwardFilter, type Route } from './route.ts';

/** Filters that meet each other, the bridge's own topics, `$…`, or a forward. */
export function checkTogether(routes: readonly Route[]): Problem[] {
  return [
    ...routes.flatMap((route) => reservedTopics(route)),
    ...routes.flatMap((route, index) =>
      routes.slice(index + 1).flatMap((other) => sharedFilters(route, other)),
    ),
    ...routes.flatMap((route) => routes.flatMap((other) => loops(route, other))),
    ...routes.flatMap((route) => tooDeep(route)),
  ];
}

function reservedTopics(route: Route): Problem[] {
  const at = `routes.${route.name}`;
  return [
    ...reserved(`${at}.topic`, route.topic, route.topic),
    ...(route.forward === null
      ? []
      : reserved(`${at}.forward`, route.forward, forwardFilter(route, route.forward))),
  ];
}

function reserved(at: string, written: string, filter: string): Problem[] {
  if (filter.startsWith('$')) {
    const allowed = 'a topic that does not begin with $: those belong to AWS IoT';
    const fix = 'begin it with a name of your own; Basic Ingest needs no filter of its own';
    return [{ at, got: `'${written}'`, allowed, fix }];
  }
  if (filter === '' || !filtersOverlap(filter, OWN_TOPICS)) return [];
  const got = `'${written}', which meets ${OWN_TOPICS}`;
  const allowed = `topics outside ${OWN_TOPICS}: receipts travel there and would loop`;
  return [{ at, got, allowed, fix: 'begin it with a name of your own, not with a wildcard' }];
}

function sharedFilters(route: Route, other: Route): Problem[] {
  if (route.topic === '' || other.topic === '') return [];
  if (!filtersOverlap(route.topic, other.topic)) return [];
  return [
    {
      at: `routes.${other.name}.topic`,
      got: `'${other.topic}', which overlaps '${route.topic}' of routes.${route.name}`,
      allowed: 'filters that no topic matches twice: a message belongs to one route',
      fix: 'make a level differ that is not a wildcard in either',
    },
  ];
}

function loops(route: Route, other: Route): Problem[] {
  if (route.forward === null || other.topic === '' || route.topic === '') return [];
  const filter = forwardFilter(route, route.forward);
  if (!filtersOverlap(filter, other.topic)) return [];
  return [
    {
      at: `routes.${route.name}.forward`,
      got: `'${route.forward}', which reaches '${other.topic}' of routes.${other.name}`,
      allowed: 'a topic that no route listens on: a forward would come in again',
      fix: "begin it with a name of its own, e.g. 'booked/'",
    },
  ];
}

/** `{topic}` brings its own slashes: too many, and every booking would be `unforwardable`. */
function tooDeep(route: Route): Problem[] {
  if (route.forward === null || route.topic === '') return [];
  const slashes = forwardFilter(route, route.forward).split('/').length - 1;
  if (slashes <= TOPIC_SLASHES_MAX) return [];
  return [
    {
      at: `routes.${route.name}.forward`,
      got: `'${route.forward}', which becomes a topic of ${slashes} slashes`,
      allowed: `a topic of up to ${TOPIC_SLASHES_MAX} slashes, those of {topic} among them`,
      fix: "shorten it, or write the levels out, e.g. 'booked/{device}/charges'",
    },
  ];
}
