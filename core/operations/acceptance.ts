/**
 * Whether a quarantined delivery can still be booked by an operator's word, and as what. Pure: the
 * same row and route always give the same answer, so that an acceptance can be run again.
 *
 * What is booked is what the device said, read by the route like any delivery; an operator decides
 * that it counts, never what it says. It stands under its own id where that is free, so that a copy
 * that comes later is a duplicate and not a second booking (a message that was early today is on
 * time tomorrow). Where another body has used up the id, which only the table knows, it stands under
 * `id~bodyHash`, and the used id stays used (I5).
 */

import { bodyHashOf } from '../base/hash.ts';
import { printable } from '../base/printable.ts';
import type { DeduplicatedRoute, ExactlyOnceRoute, Route } from '../config/route.ts';
import type { FactsOf } from '../guarantees/index.ts';
import type { Delivery } from '../message/envelope.ts';
import { bookingIdOf, encodeId, type MessageKey } from '../message/id.ts';
import { type Message, readMessage } from '../message/message.ts';
import type { Reason } from '../message/reasons.ts';
import { deliveryFromRow } from '../tables/delivery-from-row.ts';
import type { QuarantineRow } from '../tables/quarantine-row.ts';

/** What of a quarantine row says what was delivered. */
export type Quarantined = Pick<
  QuarantineRow,
  | 'route'
  | 'id'
  | 'reason'
  | 'detail'
  | 'topic'
  | 'body'
  | 'bodyHash'
  | 'clientId'
  | 'principal'
  | 'receivedAt'
  | 'deliveryId'
>;

export type Acceptance =
  /** Goes into the ledger, and out on the clean topic. */
  | {
      readonly kind: 'book';
      readonly route: ExactlyOnceRoute;
      readonly delivery: Delivery;
      readonly message: Message<FactsOf<ExactlyOnceRoute>>;
    }
  /** Nothing is written: its window is another body's, or over. It only goes out. */
  | {
      readonly kind: 'forward';
      readonly route: DeduplicatedRoute;
      readonly delivery: Delivery;
      readonly message: Message;
      readonly forwardId: string;
    }
  /** `why` says what it holds and what can be done instead. */
  | { readonly kind: 'refused'; readonly why: string };

export function acceptanceOf(route: Route, row: Quarantined): Acceptance {
  if (row.reason === 'unforwardable' || row.reason === 'wrong-device') {
    return refused(`${row.reason}: ${INSTEAD[row.reason]}`);
  }
  switch (route.guarantee) {
    case 'exactly-once': {
      const read = readAgain(route, row);
      return read.kind === 'refused' ? read : { ...read, kind: 'book', route };
    }
    case 'deduplicated': {
      const read = readAgain(route, row);
      return read.kind === 'refused' ? read : forwardable(route, row, read.delivery, read.message);
    }
    case 'latest': {
      const read = readAgain(route, row);
      if (read.kind === 'refused') return read;
      return refused(
        'a route that keeps the newest value has one value for each topic, and accepting another would replace what the device said last. The next value of the device mends it; discard this one',
      );
    }
  }
}

type ReadAgain<R extends Route> =
  | {
      readonly kind: 'read';
      readonly delivery: Delivery;
      readonly message: Message<FactsOf<R>>;
    }
  | Extract<Acceptance, { kind: 'refused' }>;

/** The message in a row, as the route reads it now. */
function readAgain<R extends Route>(route: R, row: Quarantined): ReadAgain<R> {
  const delivery = deliveryFromRow(route, row);
  if (bodyHashOf(delivery.topic, delivery.body) !== row.bodyHash) {
    return refused('the row was changed: its topic and body do not have its bodyHash');
  }
  const reading = readMessage(route, delivery);
  if (reading.kind === 'rejected') {
    const { reason, detail } = reading.rejection;
    const why = `it holds no message of the route: ${reason}, ${printable(detail, 500)}`;
    return refused(`${why}. ${INSTEAD[reason] ?? NO_MESSAGE}`);
  }
  const { message } = reading;
  const id = message.id === undefined ? null : encodeId(message.id);
  if (row.id !== null && id !== row.id) {
    return refused(
      `the route reads the id ${printable(String(id), 256)} from it, and read ${printable(row.id, 256)} when it was quarantined; its configuration has changed since`,
    );
  }
  return { kind: 'read', delivery, message };
}

/** The key of a body whose id another one has used up. */
export function spareKeyOf({ key, bodyHash }: Message): MessageKey {
  return { pk: key.pk, id: `${key.id}~${bodyHash}` };
}

/**
 * Copies of a conflict are conflicts for as long as the window is open, and copies of what came too
 * late are late: neither is ever forwarded by itself. Anything else could still come as new.
 */
function forwardable(
  route: DeduplicatedRoute,
  { reason }: Quarantined,
  delivery: Delivery,
  message: Message,
): Acceptance {
  if (route.mode === 'shadow') {
    return refused('a route in shadow mode forwards everything, so this went out when it came');
  }
  if (route.forward === null) {
    return refused('the route forwards nothing, and a window is no place to book in; discard it');
  }
  if (reason === 'conflict' || reason === 'late') {
    const forwardId = bookingIdOf(spareKeyOf(message));
    return { kind: 'forward', route, delivery, message, forwardId };
  }
  return refused(
    `the same bytes would count as new if the device sent them again, and would be forwarded twice. ${INSTEAD[reason as Reason] ?? NO_MESSAGE}`,
  );
}

function refused(why: string): Extract<Acceptance, { kind: 'refused' }> {
  return { kind: 'refused', why };
}

const NO_MESSAGE =
  'Have the device send it right under a new id, or book it by hand in your accounts; then discard the row.';
const INSTEAD: Readonly<Partial<Record<Reason, string>>> = {
  unforwardable:
    'it is booked already, and only its forward could not go out. Mend the forward of the route, deploy, run: tollbridge forward-again DEVICE ID; then discard the row',
  'wrong-device':
    'its client is not the device in its topic, so nobody knows whose it is. Find out who published it (show the row), and have the device itself send it; a gateway needs trustTopicLevel',
  early: "Set the device's clock and have it send the message again under a new id.",
};
