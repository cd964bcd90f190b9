/**
 * Rules that no type can say: how the id, the time, the window and the fingerprint of one route have
 * to fit. A part that is wrong in itself is passed over here; it has its own problem.
 */

import {
  QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX,
  TIMELESS_HASH_WINDOW_SECONDS_MAX,
} from '../base/limits.ts';
import { guaranteeOf } from '../guarantees/index.ts';
import type { Problem } from './problem.ts';
import { type Fields, quote } from './read.ts';
import type { DeduplicatedRoute, ExactlyOnceRoute, Route } from './route.ts';
import { sourceText } from './source-text.ts';
import { type IdPart, type IdSource, partsOf } from './sources.ts';

/** The path of a part that is wrong in itself. */
export const NO_PATH = '';

/** @param written what the route says, wrong or not */
export function checkRules(problems: Problem[], at: string, route: Route, written: Fields): void {
  checkBatch(problems, `${at}.batch`, route, written);
  if (route.guarantee !== 'latest') {
    refuseRepeats(problems, `${at}.id`, route.id);
    refuseDeviceAlone(problems, `${at}.id`, route);
  }
  switch (route.guarantee) {
    case 'exactly-once':
      refuseTimeAlone(problems, at, route);
      refuseTimelessCharge(problems, at, route);
      break;
    case 'deduplicated':
      refuseLongHash(problems, at, route);
      requireForward(problems, at, route, written);
      break;
    case 'latest':
      break;
  }
  checkIgnoring(problems, at, route);
}

/** A direct feed has batches on its fallback alone. */
function checkBatch(
  problems: Problem[],
  at: string,
  { feed, batch }: Route,
  written: Fields,
): void {
  if (written.batch === undefined) return;
  if (feed === 'direct') {
    problems.push({
      at,
      got: "a batch on feed: 'direct'",
      allowed: "a batch on feed: 'queue'",
      fix: 'take one of them out',
    });
  } else if (batch.messages > QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX && batch.waitSeconds === 0) {
    problems.push({
      at,
      got: `${batch.messages} messages without a wait`,
      allowed: `up to ${QUEUE_BATCH_MESSAGES_WITHOUT_WAIT_MAX} without a wait; more where they wait for a second at least`,
      fix: `write batch: { messages: ${batch.messages}, waitSeconds: 1 }`,
    });
  }
}

function refuseRepeats(problems: Problem[], at: string, id: IdSource): void {
  const texts = partsOf(id)
    .filter((part) => part.from !== 'payload' || part.path !== NO_PATH)
    .map(sourceText);
  const repeated = new Set(texts.filter((text, index) => texts.indexOf(text) < index));
  for (const text of repeated) {
    problems.push({
      at,
      got: `${text} twice`,
      allowed: 'parts that differ',
      fix: 'join each part once',
    });
  }
}

function refuseDeviceAlone(
  problems: Problem[],
  at: string,
  { id, device }: ExactlyOnceRoute | DeduplicatedRoute,
): void {
  const isDevice = (part: IdPart) => part.from === 'topic-level' && part.level === device.level;
  if (!partsOf(id).every(isDevice)) return;
  problems.push({
    at,
    got: `${sourceText(id)}, the device's own level, which is the same in each of its messages`,
    allowed: 'an id that differs from message to message',
    fix: "take it from the body, e.g. id: payload('id'), or from another level of the topic",
  });
}

/** Whether a part says nothing but when, or who: such parts are equal for two events at once. */
function isTimeOrDevice(part: IdPart, times: ReadonlySet<string>, deviceLevel: number): boolean {
  if (part.from === 'topic-level') return part.level === deviceLevel;
  const paths = part.from === 'sequence' ? [] : pathsOf(part);
  return paths.length > 0 && paths.every((path) => times.has(path));
}

/** ThingsBoard shows what comes of it: 610 values sent, 577 stored (thingsboard/thingsboard#8215). */
function refuseTimeAlone(problems: Problem[], at: string, route: ExactlyOnceRoute): void {
  const parts = partsOf(route.id);
  const stamps = parts.flatMap((part) => (part.from === 'timestamp' ? [part.path] : []));
  const times = new Set([route.entry.occurredAt.path, ...stamps]);
  times.delete(NO_PATH);
  const { level } = route.device;
  if (!parts.every((part) => isTimeOrDevice(part, times, level))) return;
  // The device's level alone has a problem of its own.
  if (parts.every((part) => part.from === 'topic-level')) return;
  problems.push({
    at: `${at}.id`,
    got: `${sourceText(route.id)}, which is nothing but a time`,
    allowed:
      'a time joined with another kind of field: two charges in one millisecond would be one ' +
      '(ThingsBoard keeps one value a millisecond and lost 33 of 610, thingsboard/thingsboard#8215)',
    fix:
      "join what tells them apart, e.g. id: all(timestamp('at'), payload('connector')), or write " +
      "id: payload('id')",
  });
}

/** Whether the hash, or a part beside it, holds this field. */
function holds(parts: readonly IdPart[], path: string): boolean {
  return parts.some((part) => {
    if (part.from === 'payload' || part.from === 'timestamp') return part.path === path;
    return part.from === 'content-hash' && (part.paths.length === 0 || part.paths.includes(path));
  });
}

function hasHash(parts: readonly IdPart[]): boolean {
  return parts.some(({ from }) => from === 'content-hash');
}

function refuseTimelessCharge(problems: Problem[], at: string, route: ExactlyOnceRoute): void {
  const parts = partsOf(route.id);
  const { path } = route.entry.occurredAt;
  if (!hasHash(parts) || path === NO_PATH || holds(parts, path)) return;
  problems.push({
    at: `${at}.id`,
    got: `${sourceText(route.id)}, without ${quote(path)}, which entry.occurredAt reads`,
    allowed:
      'a content hash with the time of the charge: without it, equal charges of two days are one',
    fix: `add ${quote(path)} to contentHash(…), or hash the whole body with contentHash()`,
  });
}

/** What the hash does not hold, it takes for equal, so a long window needs the time inside. */
function refuseLongHash(problems: Problem[], at: string, route: DeduplicatedRoute): void {
  const parts = partsOf(route.id);
  if (!hasHash(parts) || route.windowSeconds <= TIMELESS_HASH_WINDOW_SECONDS_MAX) return;
  const max = `${TIMELESS_HASH_WINDOW_SECONDS_MAX} seconds`;
  if (route.time === null) {
    problems.push({
      at: `${at}.window`,
      got: `${route.windowSeconds} seconds, with a content hash and no time`,
      allowed: `up to ${max} without a time: equal bodies further apart may be two events`,
      fix: "add e.g. time: payload('at') and hash that field too, or shorten the window",
    });
  } else if (route.time.path !== NO_PATH && !holds(parts, route.time.path)) {
    const path = quote(route.time.path);
    problems.push({
      at: `${at}.id`,
      got: `${sourceText(route.id)}, without ${path}, which time reads`,
      allowed:
        `a content hash with the message's time where the window is longer than ${max}: without it, ` +
        'events that differ in their time alone are one',
      fix: `add ${path} to contentHash(…), or shorten the window`,
    });
  }
}

/** Asks what was written: a forward that is wrong has a problem of its own. */
function requireForward(
  problems: Problem[],
  at: string,
  { mode, onStoreDown }: DeduplicatedRoute,
  written: Fields,
): void {
  if (written.forward !== undefined) return;
  const fix = "add e.g. forward: 'deduplicated/{topic}', or leave it out";
  if (mode !== 'enforce') {
    const allowed = "'mark' and 'shadow' with a forward: they say how copies are forwarded";
    problems.push({ at: `${at}.mode`, got: `${quote(mode)} without a forward`, allowed, fix });
  }
  if (onStoreDown === 'forward') {
    const allowed = "'forward' with a forward: there is no topic to forward to";
    problems.push({ at: `${at}.onStoreDown`, got: "'forward' without a forward", allowed, fix });
  }
}

function checkIgnoring(problems: Problem[], at: string, route: Route): void {
  if (route.ignoring === null) return;
  if (route.guarantee !== 'latest' && hasHash(partsOf(route.id))) {
    problems.push({
      at: `${at}.sameBody`,
      got: `ignoring(…) beside ${sourceText(route.id)}`,
      allowed: 'sameBody without a content hash in the id: the hash already says what counts',
      fix: 'leave sameBody out and hash the fields that count',
    });
    return;
  }
  const reads = readsOf(route);
  for (const ignored of route.ignoring) {
    const reader = reads.find(({ path }) => path === ignored || path.startsWith(`${ignored}.`));
    if (reader === undefined) continue;
    problems.push({
      at: `${at}.sameBody`,
      got: `ignoring(${quote(ignored)}), which ${reader.by} reads (${quote(reader.path)})`,
      allowed: 'fields that nothing else of the route reads: what is booked cannot be ignored',
      fix: `take ${quote(ignored)} out of ignoring(…)`,
    });
  }
}

/** Every field of the body that the route takes something from. */
function readsOf(route: Route): readonly { readonly by: string; readonly path: string }[] {
  return guaranteeOf<Route>(route)
    .sources(route)
    .flatMap(([by, source]) =>
      partsOf(source).flatMap((part) => pathsOf(part).map((path) => ({ by, path }))),
    );
}

function pathsOf(part: IdPart): readonly string[] {
  if (part.from === 'sequence') return [part.path, part.epochPath];
  if ('paths' in part) return part.paths;
  return 'path' in part ? [part.path] : [];
}
