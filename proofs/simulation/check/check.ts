/**
 * Whether a history keeps the promises: a function for each invariant, over everything that
 * happened. What they go by is the serials in the bodies and the harness's own names of deliveries,
 * never a key, a hash or a verdict of the code under test.
 */

import { numberOf } from '../amounts.ts';
import { checkForgetting } from './forgetting.ts';
import { checkForwards } from './forwards.ts';
import type { Past } from './history.ts';
import { type Finding, isHashed, type Of, PastEvents } from './past.ts';

export type { Finding } from './past.ts';

/** The first thing that is wrong, or undefined. */
export function check(
  events: readonly Past[],
  receiver: 'effect-first' | 'with-effect' = 'effect-first',
): Finding | undefined {
  const past = new PastEvents(events);
  const checkers: readonly ((past: PastEvents) => Iterable<Finding>)[] = [
    checkIdentity,
    checkBookedOnce,
    checkReceipts,
    checkUsedIds,
    checkForgetting,
    (found) => checkForwards(found, receiver),
    checkNothingLost,
  ];
  for (const checker of checkers) for (const finding of checker(past)) return finding;
  return undefined;
}

/** I1: a message has one row, and what was written in it first stays. */
function* checkBookedOnce(past: PastEvents): Iterable<Finding> {
  for (const { serial } of past.messages()) {
    const times = past.bookingsOf(serial).filter(({ table }) => table === 'ledger').length;
    if (times > 1) yield { invariant: 'I1', what: `message ${serial} is booked ${times} times` };
  }
  for (const event of past.all('row')) {
    const { table, change, serial, changed } = event;
    const row = `the row of message ${serial} in ${table}`;
    if (change === 'altered') {
      yield { invariant: 'I1', what: `${row} is changed: ${changed.join(', ')}` };
    }
    if (change === 'made' && serial !== undefined) yield* checkBilled(past, serial, event);
    const isGone = change === 'deleted' || change === 'swept' || change === 'replaced';
    if (table === 'ledger' && isGone) yield { invariant: 'I1', what: `${row} is ${change}` };
  }
}

/** A row bills the very number and time of its message. */
function* checkBilled(past: PastEvents, serial: number, row: Of<'row'>): Iterable<Finding> {
  if (row.table !== 'ledger') return;
  const { amount, ownTime } = past.meant(serial);
  if (numberOf(row.amount ?? '') !== numberOf(amount)) {
    const what = `message ${serial} of ${amount} is booked with ${row.amount}`;
    yield { invariant: 'I1', what };
  }
  if (row.occurredAt !== ownTime) {
    yield { invariant: 'I1', what: `message ${serial} is booked with the time of another` };
  }
}

/** I2: what came in ends in a table, and no device lets go of what is not answered. */
function* checkNothingLost(past: PastEvents): Iterable<Finding> {
  for (const { serial } of past.all('stuck')) {
    yield { invariant: 'I2', what: `a delivery of message ${serial} is never done with` };
  }
  const wiped = new Set(past.all('wiped').flatMap(({ serials }) => serials));
  const owed = past.all('kept').filter(({ serial }) => !wiped.has(serial));
  for (const { serial } of [...past.all('entered'), ...owed]) {
    if (!hasEnded(past, serial)) {
      yield { invariant: 'I2', what: `message ${serial} is neither in a table nor quarantined` };
    }
  }
  for (const { device, serial } of past.all('waiting')) {
    yield { invariant: 'I2', what: `${device} waits for ever for an answer to message ${serial}` };
  }
  const told = past.all('told');
  for (const { device, serial, place } of past.all('dropped')) {
    const isTold = told.some(
      (each) =>
        each.place < place &&
        each.device === device &&
        each.serial === serial &&
        (each.outcome === 'accepted' || each.outcome === 'duplicate'),
    );
    if (isTold) continue;
    yield { invariant: 'I2', what: `${device} drops message ${serial} without a receipt of it` };
  }
  for (const { text } of past.all('note')) {
    if (text.includes(' complains: ')) yield { invariant: 'I2', what: text };
  }
}

/** Booked or quarantined; or, where the guarantee says so, known already by a copy or overtaken. */
function hasEnded(past: PastEvents, serial: number): boolean {
  if (past.bookingsOf(serial).length > 0) return true;
  if (past.all('quarantined').some((each) => each.serial === serial)) return true;
  if (isHashed(past.meant(serial).route)) {
    return past
      .handlingsOf(serial)
      .some(({ receivedAt }) =>
        past.bookings.some((booking) => past.isCopyOf(serial, receivedAt, booking, 'maybe')),
      );
  }
  return past.guarantee(serial) === 'latest' && past.overtakings(serial).length > 0;
}

/** I3: who is told that a body is booked can rely on its row. */
function* checkReceipts(past: PastEvents): Iterable<Finding> {
  for (const receipt of past.all('receipt')) {
    const { device, serial, outcome, place } = receipt;
    if (outcome === 'completed' || outcome === 'unknown') continue;
    if (serial === undefined) {
      yield { invariant: 'I3', what: `${device} is told ${outcome} of a body that nobody sent` };
      continue;
    }
    if (outcome === 'rejected') {
      if (isKept(past, serial, receipt)) continue;
      const what = `${device} is told that message ${serial} is ${receipt.reason}, and it is not kept`;
      yield { invariant: 'I2', what };
      continue;
    }
    const isDurable = past.bookings.some(
      (booking) =>
        booking.place < place &&
        (booking.serial === serial ||
          (isHashed(past.meant(serial).route) &&
            past
              .handlingsOf(serial)
              .some(({ receivedAt }) => past.isCopyOf(serial, receivedAt, booking, 'maybe')))),
    );
    if (!isDurable) {
      yield {
        invariant: 'I3',
        what: `${device} is told ${outcome} of message ${serial}, which is in no table`,
      };
    }
  }
}

/** A refused body stands in the quarantine before its device hears of it; an old value need not. */
function isKept(past: PastEvents, serial: number, { reason, place }: Of<'receipt'>): boolean {
  if (reason === 'stale') return past.overtakings(serial).some((newer) => newer.place < place);
  return past
    .all('quarantined')
    .some((each) => each.serial === serial && each.reason === reason && each.place < place);
}

/** I5: the same id with another body is kept for a person, and says in what it differs. */
function* checkUsedIds(past: PastEvents): Iterable<Finding> {
  const booked = new Map<string, number>();
  for (const { serial, table } of past.bookings) {
    if (table !== 'ledger') continue;
    const name = nameOf(past, serial);
    const other = booked.get(name);
    if (other !== undefined && other !== serial) {
      yield {
        invariant: 'I5',
        what: `messages ${other} and ${serial} have one id and are both booked`,
      };
    }
    booked.set(name, serial);
  }
  for (const { serial, reason, fields, booked: other } of past.all('quarantined')) {
    if (reason !== 'conflict') continue;
    if (other === serial) {
      yield { invariant: 'I5', what: `message ${serial} is refused as a conflict with itself` };
    } else if (other === undefined || nameOf(past, other) !== nameOf(past, serial)) {
      const what = `message ${serial} is refused as a conflict, and nothing else has its id`;
      yield { invariant: 'I5', what };
    } else if (!fields.includes('serial')) {
      yield {
        invariant: 'I5',
        what: `the conflict of message ${serial} does not say what differs`,
      };
    }
  }
  for (const { serial, reason, fields } of past.all('receipt')) {
    if (reason === 'conflict' && serial !== undefined && !fields.includes('serial')) {
      yield { invariant: 'I5', what: `the device is not told in what message ${serial} differs` };
    }
  }
  for (const { serial, reason } of past.all('quarantined')) {
    const { form } = past.meant(serial);
    if (isFormReason(reason) && form !== 'no-id' && form !== 'broken-body') {
      yield { invariant: 'I5', what: `message ${serial} has an id, and is refused as ${reason}` };
    }
  }
  for (const { serial } of past.bookings) {
    const { form } = past.meant(serial);
    if (form === 'no-id' || form === 'broken-body') {
      yield { invariant: 'I5', what: `message ${serial} has no id that counts, and is booked` };
    }
  }
}

function isFormReason(reason: string): boolean {
  return /^(missing|invalid|too-long|unreadable|refused-by-store|wrong-topic)/.test(reason);
}

function nameOf(past: PastEvents, serial: number): string {
  const { route, as, name } = past.meant(serial);
  return JSON.stringify([route, as, name]);
}

/** I6: nobody books, blocks or is answered in the name of another. */
function* checkIdentity(past: PastEvents): Iterable<Finding> {
  for (const { serial, device, table } of past.all('row')) {
    if (serial === undefined) continue;
    const { by, as } = past.meant(serial);
    if (by !== as) {
      yield {
        invariant: 'I6',
        what: `message ${serial} of ${by} is in ${table}, in the name of ${as}`,
      };
    } else if (device !== by) {
      yield {
        invariant: 'I6',
        what: `message ${serial} of ${by} is in ${table} as one of ${device}`,
      };
    }
  }
  for (const { serial, reason, booked } of past.all('quarantined')) {
    const { by, as } = past.meant(serial);
    if ((reason === 'wrong-device') !== (by !== as)) {
      yield {
        invariant: 'I6',
        what: `message ${serial} of ${by} on ${as}'s topic is refused as ${reason}`,
      };
    }
    if (booked === undefined) continue;
    const other = past.meant(booked).by;
    if (other !== by) {
      yield {
        invariant: 'I6',
        what: `message ${serial} of ${by} conflicts with ${booked} of ${other}`,
      };
    }
  }
  for (const { serial, device, outcome } of past.all('receipt')) {
    if (serial === undefined) continue;
    const { by } = past.meant(serial);
    if (device !== by) {
      yield { invariant: 'I6', what: `${device} is told ${outcome} of message ${serial} of ${by}` };
    }
  }
  yield* checkRequests(past);
}

/** Who asks in the name of another is not answered, and marks nothing. */
function* checkRequests(past: PastEvents): Iterable<Finding> {
  const asked = new Map(past.all('asked').map((each) => [each.invocation, each]));
  for (const { device, invocation, outcome } of past.all('receipt')) {
    const { by = device } = asked.get(invocation) ?? {};
    if (by !== device) {
      yield {
        invariant: 'I6',
        what: `${by} asks in the name of ${device}, which hears ${outcome}`,
      };
    }
  }
  for (const { serial, invocation } of past.all('released')) {
    const by = asked.get(invocation)?.by;
    if (serial !== undefined && by !== past.meant(serial).by) {
      const what = `message ${serial} of ${past.meant(serial).by} is released by ${by}`;
      yield { invariant: 'I6', what };
    }
  }
}
