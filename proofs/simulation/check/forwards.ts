/** I4: a booking goes out, by the delivery that booked it and no other. */
import type { Booking, Finding, Of, PastEvents } from './past.ts';

export function* checkForwards(
  past: PastEvents,
  receiver: 'effect-first' | 'with-effect',
): Iterable<Finding> {
  yield* checkOwners(past);
  yield* checkNotRepeated(past);
  for (const booking of past.bookings) {
    if (isForwarded(past, booking) || isExcused(past, booking)) continue;
    yield { invariant: 'I4', what: `message ${booking.serial} is booked and never forwarded` };
  }
  yield* checkEffects(past, receiver);
}

/** A forward follows a booking, and is made by a delivery that can have booked it. */
function* checkOwners(past: PastEvents): Iterable<Finding> {
  for (const forward of past.all('forwarded')) {
    const { serial, mark } = forward;
    if (past.bookingsOf(serial).some((booking) => isOf(past, forward, booking))) continue;
    const what = `message ${serial} is forwarded${mark ? ` as ${mark}` : ''} by a delivery that did not book it`;
    yield { invariant: 'I4', what };
  }
}

/** One try forwards a message once; where it came but once and nothing was tried again, so do all. */
function* checkNotRepeated(past: PastEvents): Iterable<Finding> {
  const times = new Map<string, number>();
  for (const { serial, invocation } of past.all('forwarded')) {
    const name = `${serial} ${invocation}`;
    times.set(name, (times.get(name) ?? 0) + 1);
    // Copies that arrived a window apart can be booked one after another by one invocation.
    const isWindowed = past.guarantee(serial) === 'deduplicated';
    const most = isWindowed ? past.had(invocation, serial).length : 1;
    if ((times.get(name) ?? 0) > most) {
      const what = `message ${serial} is forwarded ${times.get(name)} times in one try`;
      yield { invariant: 'I4', what };
    }
  }
}

function* checkEffects(
  past: PastEvents,
  receiver: 'effect-first' | 'with-effect',
): Iterable<Finding> {
  for (const { serial } of past.messages()) {
    if (past.bookingsOf(serial).length === 0) continue;
    const isOut = past.all('forwarded').some((forward) => forward.serial === serial);
    const effects = past.all('effect').filter((effect) => effect.serial === serial).length;
    if (isOut && effects === 0) {
      yield { invariant: 'I4', what: `message ${serial} is forwarded and never received` };
    }
    const isOnce = receiver === 'with-effect' && past.guarantee(serial) === 'exactly-once';
    if (isOnce && effects > 1) {
      yield { invariant: 'I4', what: `message ${serial} has its effect ${effects} times` };
    }
  }
}

/** Where a copy booked the message again after its window, the forward of that one is enough. */
function isForwarded(past: PastEvents, { serial, place }: Booking): boolean {
  const since = past.bookingsOf(serial).filter((booking) => booking.place >= place);
  return past
    .all('forwarded')
    .some((forward) => since.some((booking) => isOf(past, forward, booking)));
}

/** Whether what an invocation did with a message after a booking can be the booking delivery's. */
function isOf(
  past: PastEvents,
  done: Of<'forwarded'> | Of<'quarantined'>,
  booking: Booking,
): boolean {
  if (done.serial !== booking.serial || done.place < booking.place) return false;
  const owners = past.had(booking.invocation, booking.serial).map(({ arrival }) => arrival);
  return past.had(done.invocation, done.serial).some(({ arrival }) => owners.includes(arrival));
}

/**
 * What the delivery that booked it came to, when it was tried again: its forward was refused for
 * good, or its window was over. A value need not go out any more when a newer one is known.
 */
function isExcused(past: PastEvents, booking: Booking): boolean {
  const isWindowed = past.guarantee(booking.serial) === 'deduplicated';
  const reasons = isWindowed ? ['unforwardable', 'late', 'conflict'] : ['unforwardable'];
  const isKept = past
    .all('quarantined')
    .some((each) => reasons.includes(each.reason) && isOf(past, each, booking));
  if (isKept || past.guarantee(booking.serial) !== 'latest') return isKept;
  const owners = past.had(booking.invocation, booking.serial).map(({ arrival }) => arrival);
  const last = past.all('done').findLast(({ arrival }) => owners.includes(arrival));
  return past.overtakings(booking.serial).some(({ place }) => place < (last?.place ?? 0));
}
