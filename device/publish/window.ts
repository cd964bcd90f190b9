/**
 * The messages that wait for a receipt, and those that wait to be sent: which is sent next, and when.
 *
 * Invariants: at most `inFlightMax` messages are sent and unreceipted at a time, a message between
 * two tries included; the older goes before the newer, also after a reconnection.
 */
import type { Entry } from '../outbox/entry.ts';
import type { Random } from '../ports.ts';
import { type RetryPolicy, waitMillis } from './schedule.ts';

const SENT_KEPT_MAX = 1_000;

/** A message that has a place in the window. */
export interface Flight {
  readonly entry: Entry;
  /** When it is to be sent (again), by the timers' clock; undefined while it is being sent. */
  dueAt: number | undefined;
  /** Tries on this connection: the wait grows with them. */
  tries: number;
  /** The bridge was asked for it, and has not answered since. */
  awaitingQuery: boolean;
}

export class Window {
  readonly #inFlightMax: number;
  readonly #policy: RetryPolicy;
  readonly #random: Random;
  /** In the order of their serials. */
  readonly #flights = new Map<Entry, Flight>();
  /** In the order of their serials, all later than the flights; answered ones are passed over. */
  #unsent: Entry[] = [];
  #unsentFrom = 0;

  constructor(inFlightMax: number, policy: RetryPolicy, random: Random) {
    this.#inFlightMax = inFlightMax;
    this.#policy = policy;
    this.#random = random;
  }

  get inFlight(): number {
    return this.#flights.size;
  }

  /** A pending message; they come in the order of their serials. */
  add(entry: Entry): void {
    // Sent ones are dropped many at once, so that a long queue is not moved for each.
    if (this.#unsentFrom > SENT_KEPT_MAX && this.#unsentFrom * 2 > this.#unsent.length) {
      this.#unsent = this.#unsent.slice(this.#unsentFrom);
      this.#unsentFrom = 0;
    }
    this.#unsent.push(entry);
  }

  /** It is answered. */
  remove(entry: Entry): void {
    this.#flights.delete(entry);
  }

  /** The message that is to be sent next, if one is to be sent now. */
  peek(now: number): Entry | undefined {
    for (const { entry, dueAt } of this.#flights.values()) {
      if (dueAt !== undefined && dueAt <= now) return entry;
    }
    return this.#flights.size < this.#inFlightMax ? this.#firstUnsent() : undefined;
  }

  /** Gives it its place; it is not due before `wait`. */
  take(entry: Entry): Flight {
    let flight = this.#flights.get(entry);
    if (flight === undefined) {
      if (this.#firstUnsent() === entry) this.#unsentFrom++;
      flight = { entry, dueAt: undefined, tries: 0, awaitingQuery: false };
      this.#flights.set(entry, flight);
    }
    flight.dueAt = undefined;
    return flight;
  }

  /** It was sent: due again when the time-out is over. */
  wait(flight: Flight, now: number): void {
    flight.tries++;
    flight.awaitingQuery = false;
    flight.dueAt = now + waitMillis(this.#policy, flight.tries, this.#random);
  }

  /** The same, but instead of being sent. */
  ask(entry: Entry, now: number): void {
    const flight = this.take(entry);
    this.wait(flight, now);
    flight.awaitingQuery = true;
  }

  /** The bridge does not know it: due now, if it was asked for. */
  unknown(entry: Entry, now: number): void {
    const flight = this.#flights.get(entry);
    if (!flight?.awaitingQuery) return;
    flight.awaitingQuery = false;
    flight.dueAt = now;
  }

  /** When a message in flight is due, the earliest. */
  nextDue(): number | undefined {
    let next: number | undefined;
    for (const { dueAt } of this.#flights.values()) {
      if (dueAt !== undefined && (next === undefined || dueAt < next)) next = dueAt;
    }
    return next;
  }

  /** A new connection: nobody knows what the last one delivered, so all are due, the oldest first. */
  restart(now: number): void {
    for (const flight of this.#flights.values()) {
      flight.entry.maybeSent = true;
      flight.tries = 0;
      flight.awaitingQuery = false;
      flight.dueAt = now;
    }
  }

  #firstUnsent(): Entry | undefined {
    while (this.#unsentFrom < this.#unsent.length) {
      const entry = this.#unsent[this.#unsentFrom];
      if (entry?.state === 'pending') return entry;
      this.#unsentFrom++;
    }
    this.#unsent = [];
    this.#unsentFrom = 0;
    return undefined;
  }
}
