/** I7: what is forgotten cannot count as new, and what is new is not taken for a copy. */
import {
  FUNCTION_TIMEOUT_SECONDS,
  MESSAGE_LIFETIME_MAX_SECONDS,
} from '../../../core/base/limits.ts';
import { routeOf, windowMillisOf } from '../routes.ts';
import { START_MILLIS } from '../start.ts';
import { type Booking, type Finding, isHashed, type Of, type PastEvents } from './past.ts';

const DAY_MILLIS = 86_400_000;
/** The clocks of rule and function are apart by less. */
const CLOCKS_APART_MILLIS = 1_000;
/** What was in the cloud for longer may be refused as late, whatever it says of its time. */
const LIFE_MILLIS =
  (MESSAGE_LIFETIME_MAX_SECONDS - FUNCTION_TIMEOUT_SECONDS) * 1_000 - CLOCKS_APART_MILLIS;

export function* checkForgetting(past: PastEvents): Iterable<Finding> {
  yield* checkBookedAgain(past);
  yield* checkBothInWindow(past);
  yield* checkNewest(past);
  yield* checkRefusedInTime(past);
  for (const { device, serial } of past.all('released-early')) {
    const what = `${device} releases the id of message ${serial}, of which a PUBLISH is under way`;
    yield { invariant: 'I7', what };
  }
  for (const { table, change, serial } of past.all('row')) {
    if (table === 'dedupRecords' && change === 'deleted') {
      yield { invariant: 'I7', what: `the record of message ${serial} is deleted` };
    }
  }
}

/** No copy counts as new. */
function* checkBookedAgain(past: PastEvents): Iterable<Finding> {
  for (const booking of past.bookings) {
    const { serial } = booking;
    if (past.guarantee(serial) !== 'deduplicated') continue;
    const { route } = past.meant(serial);
    const earlier = past.bookings.filter(({ place }) => place < booking.place);
    const received = past.had(booking.invocation, serial).map(({ receivedAt }) => receivedAt);
    const isCopy = isHashed(route)
      ? earlier.some((other) => received.every((at) => past.isCopyOf(serial, at, other, 'surely')))
      : earlier.some((other) => other.serial === serial) &&
        (hasTime(route) || isInside(past, serial, booking, received));
    if (isCopy) yield { invariant: 'I7', what: `a copy of message ${serial} counts as new` };
  }
}

/** Whether every delivery that may have booked it again came in the window that copies push out. */
function isInside(
  past: PastEvents,
  serial: number,
  booking: Booking,
  received: readonly number[],
): boolean {
  const end = knownEnd(past, serial, booking.place);
  return received.length > 0 && received.every((at) => at <= end);
}

/**
 * Until when a message without a time is known: each copy that was settled pushes the end out. Of
 * the invocation that booked it the earliest delivery counts alone: the others may be settled at any
 * time after it, so they count when they are done.
 */
function knownEnd(past: PastEvents, serial: number, place: number): number {
  const window = windowMillisOf(past.meant(serial).route);
  const done = past.all('done').filter((each) => each.serial === serial && each.place < place);
  const last = past.bookingsOf(serial).findLast((booking) => booking.place < place);
  const settled = [
    ...(last === undefined ? [] : earliest(past.had(last.invocation, serial))),
    ...done.flatMap(({ invocation, arrival }) =>
      past.had(invocation, serial).filter((handled) => handled.arrival === arrival),
    ),
  ].toSorted((one, other) => one.receivedAt - other.receivedAt);
  let end = Number.NEGATIVE_INFINITY;
  for (const { receivedAt } of settled) {
    if (end === Number.NEGATIVE_INFINITY || receivedAt <= end) {
      end = Math.max(end, receivedAt + window);
    }
  }
  return end;
}

function earliest(handled: readonly Of<'handled'>[]): readonly Of<'handled'>[] {
  return handled.toSorted((one, other) => one.receivedAt - other.receivedAt).slice(0, 1);
}

/** Two bodies of one id do not both count while the window of the first is open. */
function* checkBothInWindow(past: PastEvents): Iterable<Finding> {
  for (const booking of past.bookings) {
    const { serial } = booking;
    const { route, as, name } = past.meant(serial);
    if (past.guarantee(serial) !== 'deduplicated' || isHashed(route)) continue;
    const received = past.had(booking.invocation, serial);
    for (const other of past.bookings) {
      const meant = past.meant(other.serial);
      const isAlike = meant.route === route && meant.as === as && meant.name === name;
      if (!isAlike || other.serial === serial || other.place > booking.place) continue;
      const end = firstEnd(past, other);
      if (received.length === 0 || !received.every(({ receivedAt }) => receivedAt <= end)) continue;
      const what = `messages ${other.serial} and ${serial} have one id and both count in one window`;
      yield { invariant: 'I5', what };
    }
  }
}

/** Where the window of a booking ends at least. */
function firstEnd(past: PastEvents, { serial, invocation }: Booking): number {
  const { route, ownTime } = past.meant(serial);
  const begins = past.had(invocation, serial).map(({ receivedAt }) => receivedAt);
  const begin = Math.max(Math.min(...begins), hasTime(route) ? ownTime : 0);
  return begin + windowMillisOf(route);
}

/** An older value never takes the place of a newer one. */
function* checkNewest(past: PastEvents): Iterable<Finding> {
  const newest = new Map<string, number>();
  for (const { serial, table } of past.bookings) {
    if (table !== 'state') continue;
    const { as, ownTime } = past.meant(serial);
    if (ownTime <= (newest.get(as) ?? Number.NEGATIVE_INFINITY)) {
      yield {
        invariant: 'I7',
        what: `the value of message ${serial} takes the place of a newer one`,
      };
    }
    newest.set(as, ownTime);
  }
}

/** Nothing is refused as late or early that came in time, and no true event is taken for a copy. */
function* checkRefusedInTime(past: PastEvents): Iterable<Finding> {
  for (const quarantined of past.all('quarantined')) {
    const { serial, reason, invocation } = quarantined;
    if (reason !== 'late' && reason !== 'early') continue;
    const isRight = past
      .had(invocation, serial)
      .some((handled) =>
        reason === 'late' ? isLate(past, serial, handled) : isEarly(past, serial, handled),
      );
    if (!isRight)
      yield {
        invariant: 'I7',
        what: `message ${serial} came in time, and is refused as ${reason}`,
      };
  }
}

function isEarly(past: PastEvents, serial: number, { receivedAt }: Of<'handled'>): boolean {
  return past.meant(serial).ownTime > receivedAt + DAY_MILLIS;
}

function isLate(past: PastEvents, serial: number, handled: Of<'handled'>): boolean {
  const { route, ownTime } = past.meant(serial);
  const { receivedAt, at, place } = handled;
  const guarantee = past.guarantee(serial);
  if (guarantee === 'exactly-once') return ownTime < receivedAt - 366 * DAY_MILLIS;
  if (guarantee === 'latest') return false;
  // The handling may take as long as the function may run.
  const handledAt = START_MILLIS + at + FUNCTION_TIMEOUT_SECONDS * 1_000;
  if (handledAt - receivedAt > LIFE_MILLIS) return true;
  if (isHashed(route)) return isOvertaken(past, serial, receivedAt);
  const known = past.bookingsOf(serial).find((booking) => booking.place < place);
  if (known !== undefined && receivedAt <= firstEnd(past, known)) return false;
  return hasTime(route) && ownTime < receivedAt - windowMillisOf(route);
}

/** Equal content that came more than a window later was handled before it. */
function isOvertaken(past: PastEvents, serial: number, receivedAt: number): boolean {
  const { route, as, name } = past.meant(serial);
  return past.bookings.some((booking) => {
    const other = past.meant(booking.serial);
    const isAlike = other.route === route && other.as === as && other.name === name;
    const begins = past.had(booking.invocation, booking.serial).map((each) => each.receivedAt);
    return isAlike && Math.max(...begins) > receivedAt + windowMillisOf(route);
  });
}

function hasTime(name: string): boolean {
  const route = routeOf(name);
  return route.guarantee === 'deduplicated' && route.time !== null;
}
