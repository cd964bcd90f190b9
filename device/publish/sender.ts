/**
 * Sends what the outbox holds until the bridge has answered: the sender's rules of the protocol.
 *
 * Owns the window, the releases and the limits of the present connection. Runs on ports alone.
 * Invariants: nothing is sent that is not on disk; on one connection at most `inFlightMax` messages
 * are unreceipted, as many packets unacknowledged, and `perSecond` publications go out in a second;
 * what was sent before a reconnection is sent again before anything new; a PUBACK changes nothing
 * for a message; no id is released before its booking is on disk and its packets are acknowledged
 * or their session is over.
 */
import { idText } from '../../core/message/id.ts';
import {
  type AskedBody,
  countAskable,
  queryPayload,
  releasePayload,
} from '../../core/wire/requests.ts';
import { ownTopic } from '../../core/wire/topics.ts';
import type { Emit } from '../events.ts';
import type { Entry } from '../outbox/entry.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type {
  Publication,
  PublishOutcome,
  Random,
  Timers,
  Transport,
  TransportListener,
} from '../ports.ts';
import { asDeviceError } from '../store/failure.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { Answers } from './answers.ts';
import { type ReleaseBatch, Releases } from './releases.ts';
import { RateLimit, type RetryPolicy } from './schedule.ts';
import { Window } from './window.ts';

export interface SenderSettings {
  readonly deviceId: string;
  readonly inFlightMax: number;
  readonly perSecondMax: number;
  readonly retry: RetryPolicy;
  readonly releaseLingerMillis: number;
  /** Asks what became of messages that may have been sent before, before it sends them again. */
  readonly queryBeforeResend: boolean;
  /** Of the PUBLISH of a route; 1 for messages of routes that are not configured any more. */
  readonly qosOf: (route: string) => 0 | 1;
}

export interface SenderPorts {
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly timers: Timers;
  readonly random: Random;
  readonly emit: Emit;
  /** A message was answered, or an id completed. */
  readonly settled: () => void;
}

export class Sender implements TransportListener {
  readonly #settings: SenderSettings;
  readonly #ports: SenderPorts;
  readonly #window: Window;
  readonly #releases: Releases;
  readonly #acknowledgements = new Acknowledgements();
  readonly #answers: Answers;
  #rate: RateLimit;
  #isUp = false;
  #isPumping = false;
  /** The bridge left a query of this connection unanswered: it gets no more of them. */
  #queriesUnanswered = false;
  #wake: (() => void) | undefined;

  constructor(settings: SenderSettings, ports: SenderPorts) {
    const { inFlightMax, retry, releaseLingerMillis, perSecondMax } = settings;
    this.#settings = settings;
    this.#ports = ports;
    this.#window = new Window(inFlightMax, retry, ports.random);
    this.#releases = new Releases(releaseLingerMillis, retry, ports.random);
    this.#rate = new RateLimit(perSecondMax);
    this.#answers = new Answers(ports.outbox, this.#releases, {
      emit: ports.emit,
      answered: (entry) => this.#answered(entry),
      booked: (entry) => this.#booked(entry),
      unknown: (entry) => this.#window.unknown(entry, ports.timers.now()),
      settled: ports.settled,
    });
    for (const entry of ports.outbox.entries()) {
      if (entry.state === 'pending') this.#window.add(entry);
      if (entry.state === 'booked') this.#releases.add(entry, ports.timers.now());
    }
  }

  /** A message that has just been flushed; in the order of their serials. */
  add(entry: Entry): void {
    this.#window.add(entry);
    this.#pump();
  }

  up(): void {
    const now = this.#ports.timers.now();
    this.#isUp = true;
    this.#queriesUnanswered = false;
    this.#rate = new RateLimit(this.#settings.perSecondMax);
    this.#window.restart(now);
    this.#releases.restart(now);
    for (const entry of this.#acknowledgements.restart()) {
      if (entry.state === 'booked') this.#releases.add(entry, now);
    }
    this.#pump();
  }

  down(): void {
    this.#isUp = false;
    this.#wake?.();
  }

  receipts(payload: Uint8Array): void {
    this.#answers.read(payload);
    this.#pump();
  }

  /** Messages that are sent and unreceipted. */
  get inFlight(): number {
    return this.#window.inFlight;
  }

  #answered(entry: Entry): void {
    this.#window.remove(entry);
    this.#pump();
  }

  /** The booking of a full handshake is on disk. */
  #booked(entry: Entry): void {
    // Otherwise its last PUBACK, or the next connection, brings it here.
    if (this.#acknowledgements.of(entry) > 0) return;
    this.#releases.add(entry, this.#ports.timers.now());
    this.#pump();
  }

  #pump(): void {
    if (!this.#isUp || this.#isPumping) return;
    this.#isPumping = true;
    this.#run().catch((error: unknown) => {
      this.#ports.emit('error', asDeviceError(error));
    });
  }

  async #run(): Promise<void> {
    try {
      // Whatever happens while a body is read is seen by the next step.
      while (await this.#step());
    } finally {
      this.#isPumping = false;
      this.#schedule();
    }
  }

  /** Sends one publication, if one may go out now. */
  async #step(): Promise<boolean> {
    const now = this.#ports.timers.now();
    if (!this.#isUp || this.#isFull() || this.#rate.nextAt(now) > now) return false;
    const entry = this.#window.peek(now);
    if (entry !== undefined) {
      if (this.#isToQuery(entry)) this.#query(entry, now);
      else await this.#sendMessage(entry);
      return true;
    }
    const batch = this.#releases.next(now);
    if (batch === undefined) return false;
    this.#sendRelease(batch, now);
    return true;
  }

  /** The bridge knows a message by the id that it tells; one made of the body is not known here. */
  #isToQuery({ maybeSent, record }: Entry): boolean {
    return (
      this.#settings.queryBeforeResend && maybeSent && !record.byHash && !this.#queriesUnanswered
    );
  }

  #isFull(): boolean {
    return this.#acknowledgements.total >= this.#settings.inFlightMax;
  }

  async #sendMessage(entry: Entry): Promise<void> {
    const { outbox, timers, emit } = this.#ports;
    const flight = this.#window.take(entry);
    if (flight.awaitingQuery) this.#queriesUnanswered = true;
    const rate = this.#rate;
    try {
      const payload = await outbox.body(entry);
      // Answered meanwhile, or the connection is another one: the next step looks anew.
      if (entry.state !== 'pending' || rate !== this.#rate || !this.#isUp) return;
      const { route, id, topic } = entry.record;
      entry.tries++;
      this.#publish({ topic, payload, qos: this.#settings.qosOf(route) }, entry);
      emit('sent', { route, id: idText(id), tries: entry.tries });
    } catch (error) {
      if (entry.state === 'pending') emit('error', asDeviceError(error));
    }
    if (rate === this.#rate) this.#window.wait(flight, timers.now());
  }

  /** Asks for this message and those after it that may have been sent as well, instead of sending them. */
  #query(first: Entry, now: number): void {
    const { route } = first.record;
    const asked: AskedBody[] = [];
    for (
      let entry: Entry | undefined = first;
      entry !== undefined;
      entry = this.#window.peek(now)
    ) {
      if (!this.#isToQuery(entry) || entry.record.route !== route) break;
      if (countAskable(route, [...asked, entry.record]) === asked.length) break;
      asked.push(entry.record);
      // Without an answer in time it is sent.
      entry.maybeSent = false;
      this.#window.ask(entry, now);
    }
    const payload = Buffer.from(queryPayload(route, asked));
    this.#publish({ topic: ownTopic(this.#settings.deviceId, 'query'), payload, qos: 1 });
  }

  #sendRelease(batch: ReleaseBatch, now: number): void {
    const ids = [...batch.entries].map(({ record }) => record.id);
    const payload = Buffer.from(releasePayload(batch.route, ids));
    this.#publish({ topic: ownTopic(this.#settings.deviceId, 'release'), payload, qos: 1 });
    this.#releases.wait(batch, now);
  }

  #publish(publication: Publication, entry?: Entry): void {
    const { transport, timers } = this.#ports;
    this.#rate.took(timers.now());
    const acknowledged = this.#acknowledgements.sent(entry);
    const ended = (outcome: PublishOutcome) => {
      // Lost with its connection: the next one begins with clean counts.
      if (outcome.kind === 'lost') return;
      if (outcome.kind === 'refused' && entry?.state === 'pending') {
        const { route, id } = entry.record;
        const { reasonCode } = outcome;
        this.#ports.emit('not-delivered', { route, id: idText(id), reasonCode });
      }
      if (acknowledged() && entry?.state === 'booked') this.#releases.add(entry, timers.now());
      this.#pump();
    };
    transport
      .publish(publication)
      .then(ended)
      .catch((error: unknown) => this.#ports.emit('error', asDeviceError(error)));
  }

  #schedule(): void {
    this.#wake?.();
    this.#wake = undefined;
    // When packets are unacknowledged up to the limit, a PUBACK or a new connection goes on.
    if (!this.#isUp || this.#isFull()) return;
    const { timers } = this.#ports;
    const now = timers.now();
    const hasNew = this.#window.peek(now) !== undefined;
    const due = [hasNew ? now : this.#window.nextDue(), this.#releases.nextDue()].flatMap(
      (at) => at ?? [],
    );
    if (due.length === 0) return;
    const at = Math.max(Math.min(...due), this.#rate.nextAt(now));
    // Something came between the last step and here.
    if (at <= now) this.#pump();
    else this.#wake = timers.after(at - now, () => this.#pump());
  }
}
