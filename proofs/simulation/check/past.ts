/** The history in the order and the groups in which the checkers ask for it. */

import { routeOf, windowMillisOf } from '../routes.ts';
import type { Event, Meant, Past } from './history.ts';

export type Of<Kind extends Event['kind']> = Extract<Past, { kind: Kind }> & {
  /** Its place in the history: what has a smaller one was before it. */
  readonly place: number;
};

export interface Finding {
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7';
  readonly what: string;
}

/** A row that was written for a message, not counted. */
export type Booking = Of<'row'> & { readonly serial: number };

export class PastEvents {
  readonly #byKind = new Map<Event['kind'], Of<Event['kind']>[]>();
  readonly #meant = new Map<number, Meant>();
  readonly #handledBySerial: ReadonlyMap<number, readonly Of<'handled'>[]>;
  readonly #bookingsBySerial: ReadonlyMap<number, readonly Booking[]>;
  readonly bookings: readonly Booking[];

  constructor(events: readonly Past[]) {
    for (const [place, event] of events.entries()) {
      const list = this.#byKind.get(event.kind) ?? [];
      list.push({ ...event, place } as Of<Event['kind']>);
      this.#byKind.set(event.kind, list);
      if (event.kind === 'meant') this.#meant.set(event.serial, event);
    }
    this.bookings = this.all('row').filter(isBooking);
    this.#handledBySerial = grouped(this.all('handled'), ({ serial }) => serial);
    this.#bookingsBySerial = grouped(this.bookings, ({ serial }) => serial);
  }

  all<Kind extends Event['kind']>(kind: Kind): readonly Of<Kind>[] {
    return (this.#byKind.get(kind) ?? []) as unknown as readonly Of<Kind>[];
  }

  meant(serial: number): Meant {
    const meant = this.#meant.get(serial);
    if (meant === undefined) throw new Error(`nobody meant ${serial}`);
    return meant;
  }

  /** Every message that is meant. */
  messages(): Iterable<Meant> {
    return this.#meant.values();
  }

  guarantee(serial: number): 'exactly-once' | 'deduplicated' | 'latest' {
    return routeOf(this.meant(serial).route).guarantee;
  }

  bookingsOf(serial: number): readonly Booking[] {
    return this.#bookingsBySerial.get(serial) ?? [];
  }

  /** Where the newest value counts: the bookings of newer ones. */
  overtakings(serial: number): readonly Booking[] {
    const { route, as, ownTime } = this.meant(serial);
    return this.bookings.filter((booking) => {
      const other = this.meant(booking.serial);
      return other.route === route && other.as === as && other.ownTime > ownTime;
    });
  }

  /** Every time that a delivery of the message was handed to a function. */
  handlingsOf(serial: number): readonly Of<'handled'>[] {
    return this.#handledBySerial.get(serial) ?? [];
  }

  /** The deliveries of the message that an invocation had. */
  had(invocation: number, serial: number): readonly Of<'handled'>[] {
    return this.handlingsOf(serial).filter((handled) => handled.invocation === invocation);
  }

  /**
   * Where equal content is equal messages: whether one received then falls into the window of a
   * booking. An invocation can have several deliveries of one message, and which of them booked it
   * is the code's word: `surely` asks it of all of them, `maybe` of any.
   */
  isCopyOf(serial: number, receivedAt: number, booking: Booking, how: 'surely' | 'maybe'): boolean {
    const [one, other] = [this.meant(serial), this.meant(booking.serial)];
    const isAlike = one.route === other.route && one.as === other.as && one.name === other.name;
    if (!isAlike) return false;
    const window = windowMillisOf(one.route);
    const isNear = (handled: Of<'handled'>) => Math.abs(handled.receivedAt - receivedAt) <= window;
    const owners = this.had(booking.invocation, booking.serial);
    return how === 'maybe' ? owners.some(isNear) : owners.length > 0 && owners.every(isNear);
  }
}

export function isHashed(route: string): boolean {
  return route === 'signals';
}

function isBooking(row: Of<'row'>): row is Booking {
  return row.serial !== undefined && (row.change === 'made' || row.change === 'replaced');
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
