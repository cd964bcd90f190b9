/**
 * Rules that no type can say: how the id, the time, the window and the fingerprint of one route have
 * to fit. A part that is wrong in itself is passed over here; it has its own problem.
 */
import { TIMELESS_HASH_WINDOW_SECONDS_MAX } from '../base/limits.ts';
import { NO_PATH } from './check-sources.ts';
import { type Fields, type Problems, quote } from './problems.ts';
import type { DeduplicatedRoute, ExactlyOnceRoute, Route } from './route.ts';
import { sourceText } from './source-text.ts';
import { type IdPart, partsOf } from './sources.ts';

export function checkRules(problems: Problems, at: string, route: Route, fields: Fields): void {
  switch (route.guarantee) {
    case 'exactly-once':
      refuseTimeAlone(problems, at, route);
      refuseTimelessCharge(problems, at, route);
      break;
    case 'deduplicated':
      refuseLongHash(problems, at, route);
      requireForward(problems, at, route, fields);
      break;
    case 'latest':
      break;
  }
  checkIgnoring(problems, at, route);
}

/** Whether a part says nothing but when, or who: such parts are equal for two events at once. */
function isTimeOrDevice(part: IdPart, times: ReadonlySet<string>, deviceLevel: number): boolean {
  switch (part.from) {
    case 'timestamp':
    case 'payload':
      return times.has(part.path);
    case 'content-hash':
      return part.paths.length > 0 && part.paths.every((path) => times.has(path));
    case 'topic-level':
      return part.level === deviceLevel;
    case 'sequence':
    case 'user-property':
    case 'correlation-data':
      return false;
  }
}

/** ThingsBoard shows what comes of it: 610 values sent, 577 stored (thingsboard/thingsboard#8215). */
function refuseTimeAlone(problems: Problems, at: string, route: ExactlyOnceRoute): void {
  const parts = partsOf(route.id);
  const stamps = parts.flatMap((part) => (part.from === 'timestamp' ? [part.path] : []));
  const times = new Set([route.entry.occurredAt.path, ...stamps]);
  times.delete(NO_PATH);
  const { level } = route.device;
  if (!parts.every((part) => isTimeOrDevice(part, times, level))) return;
  // The device's level alone has a problem of its own.
  if (parts.every((part) => part.from === 'topic-level')) return;
  problems.add(
    `${at}.id`,
    `${sourceText(route.id)}, which is nothing but a time`,
    'a time joined with another kind of field: two charges in one millisecond would be one ' +
      '(ThingsBoard keeps one value a millisecond and lost 33 of 610, thingsboard/thingsboard#8215)',
    "join what tells them apart, e.g. id: all(timestamp('at'), payload('connector')), or write " +
      "id: payload('id')",
  );
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

function refuseTimelessCharge(problems: Problems, at: string, route: ExactlyOnceRoute): void {
  const parts = partsOf(route.id);
  const { path } = route.entry.occurredAt;
  if (!hasHash(parts) || path === NO_PATH || holds(parts, path)) return;
  problems.add(
    `${at}.id`,
    `${sourceText(route.id)}, without ${quote(path)}, which entry.occurredAt reads`,
    'a content hash with the time of the charge: without it, equal charges of two days are one',
    `add ${quote(path)} to contentHash(…), or hash the whole body with contentHash()`,
  );
}

/** What the hash does not hold, it takes for equal, so a long window needs the time inside. */
function refuseLongHash(problems: Problems, at: string, route: DeduplicatedRoute): void {
  const parts = partsOf(route.id);
  if (!hasHash(parts) || route.windowSeconds <= TIMELESS_HASH_WINDOW_SECONDS_MAX) return;
  const max = `${TIMELESS_HASH_WINDOW_SECONDS_MAX} seconds`;
  if (route.time === null) {
    problems.add(
      `${at}.window`,
      `${route.windowSeconds} seconds, with a content hash and no time`,
      `up to ${max} without a time: equal bodies further apart may be two events`,
      "add e.g. time: payload('at') and hash that field too, or shorten the window",
    );
  } else if (route.time.path !== NO_PATH && !holds(parts, route.time.path)) {
    const path = quote(route.time.path);
    problems.add(
      `${at}.id`,
      `${sourceText(route.id)}, without ${path}, which time reads`,
      `a content hash with the message's time where the window is longer than ${max}: without it, ` +
        'events that differ in their time alone are one',
      `add ${path} to contentHash(…), or shorten the window`,
    );
  }
}

/** Asks what was written: a forward that is wrong has a problem of its own. */
function requireForward(
  problems: Problems,
  at: string,
  { mode, onStoreDown }: DeduplicatedRoute,
  fields: Fields,
): void {
  if (fields.forward !== undefined) return;
  const fix = "add e.g. forward: 'deduplicated/{topic}', or leave it out";
  if (mode !== 'enforce') {
    const allowed = "'mark' and 'shadow' with a forward: they say how copies are forwarded";
    problems.add(`${at}.mode`, `${quote(mode)} without a forward`, allowed, fix);
  }
  if (onStoreDown === 'forward') {
    const allowed = "'forward' with a forward: there is no topic to forward to";
    problems.add(`${at}.onStoreDown`, "'forward' without a forward", allowed, fix);
  }
}

function checkIgnoring(problems: Problems, at: string, route: Route): void {
  if (route.ignoring === null) return;
  if (route.guarantee !== 'latest' && hasHash(partsOf(route.id))) {
    problems.add(
      `${at}.sameBody`,
      `ignoring(…) beside ${sourceText(route.id)}`,
      'sameBody without a content hash in the id: the hash already says what counts',
      'leave sameBody out and hash the fields that count',
    );
    return;
  }
  const reads = readsOf(route);
  for (const ignored of route.ignoring) {
    const reader = reads.find(({ path }) => path === ignored || path.startsWith(`${ignored}.`));
    if (reader === undefined) continue;
    problems.add(
      `${at}.sameBody`,
      `ignoring(${quote(ignored)}), which ${reader.by} reads (${quote(reader.path)})`,
      'fields that nothing else of the route reads: what is booked cannot be ignored',
      `take ${quote(ignored)} out of ignoring(…)`,
    );
  }
}

interface Read {
  readonly by: string;
  readonly path: string;
}

/** Every field of the body that the route takes something from. */
function readsOf(route: Route): readonly Read[] {
  switch (route.guarantee) {
    case 'exactly-once': {
      const { account, amount, occurredAt } = route.entry;
      return [
        ...partsOf(route.id).flatMap(pathsOf),
        { by: 'entry.account', path: account.path },
        { by: 'entry.amount', path: amount.path },
        { by: 'entry.occurredAt', path: occurredAt.path },
      ];
    }
    case 'deduplicated': {
      const time = route.time === null ? [] : [{ by: 'time', path: route.time.path }];
      return [...partsOf(route.id).flatMap(pathsOf), ...time];
    }
    case 'latest':
      return [{ by: 'version', path: route.version.path }];
  }
}

function pathsOf(part: IdPart): readonly Read[] {
  const read = (path: string): Read => ({ by: 'id', path });
  switch (part.from) {
    case 'payload':
    case 'timestamp':
      return [read(part.path)];
    case 'sequence':
      return [read(part.path), read(part.epochPath)];
    case 'content-hash':
      return part.paths.map(read);
    case 'topic-level':
    case 'user-property':
    case 'correlation-data':
      return [];
  }
}
