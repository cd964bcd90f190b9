/**
 * What receipts change. Invariant: only an answer that names the very body that is held, under its
 * id and route, changes anything; every other is told and ignored.
 */

import { printable, quoted } from '../../core/base/printable.ts';
import { idText, isSameId, type MessageId } from '../../core/message/id.ts';
import { type Receipt, readReceipts } from '../../core/wire/receipts.ts';
import type { Emit } from '../events.ts';
import { type Entry, receiptOf } from '../outbox/entry.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { asDeviceError } from '../store/failure.ts';
import type { Releases } from './releases.ts';

export interface AnswersOptions {
  readonly emit: Emit;
  /** The message needs no more sending. */
  readonly answered: (entry: Entry) => void;
  /** A full handshake's booking is on disk: its id may be released. */
  readonly booked: (entry: Entry) => void;
  /** The bridge was asked and does not know the message. */
  readonly unknown: (entry: Entry) => void;
  /** Something was answered, and the answer written down. */
  readonly settled: () => void;
}

type BodyReceipt = Exclude<Receipt, { readonly outcome: 'completed' }>;
type Booked = Extract<Receipt, { readonly outcome: 'accepted' | 'duplicate' }>;

export class Answers {
  readonly #outbox: Outbox;
  readonly #releases: Releases;
  readonly #options: AnswersOptions;

  constructor(outbox: Outbox, releases: Releases, options: AnswersOptions) {
    this.#outbox = outbox;
    this.#releases = releases;
    this.#options = options;
  }

  /** Never throws, whatever the bytes. */
  read(payload: Uint8Array): void {
    const reading = readReceipts(payload);
    if (!reading.ok) {
      this.#ignore(`a payload of receipts cannot be read: ${reading.detail}`);
      return;
    }
    for (const why of reading.odd) this.#ignore(why);
    for (const answer of reading.receipts) {
      this.#take(reading.route, answer).catch((error: unknown) => {
        this.#options.emit('error', asDeviceError(error));
      });
    }
  }

  async #take(route: string, answer: Receipt): Promise<void> {
    if (answer.outcome === 'completed') return this.#complete(route, answer.id);
    const entry = this.#outbox.findHash(route, answer.bodyHash);
    if (entry === undefined) return this.#takeUnheld(route, answer);
    if (!answers(answer, entry)) {
      return this.#ignore(`a receipt of ${named(route, answer.id)} names the body of another id`);
    }
    switch (entry.state) {
      case 'pending':
        return this.#settle(entry, answer);
      case 'writing':
        return this.#ignore(`a receipt of ${named(route, answer.id)}, which was never sent`);
      case 'settled':
      case 'booked':
        // Each try is answered, so a second receipt is the ordinary case.
        return;
    }
  }

  async #settle(entry: Entry, answer: BodyReceipt): Promise<void> {
    const { emit, answered, unknown, settled } = this.#options;
    switch (answer.outcome) {
      case 'unknown':
        return unknown(entry);
      case 'rejected': {
        const rejecting = this.#outbox.reject(entry, answer);
        answered(entry);
        emit('rejected', await rejecting);
        break;
      }
      case 'accepted':
      case 'duplicate': {
        const booking = this.#outbox.book(entry, answer.outcome, answer.bookedAt);
        answered(entry);
        await booking;
        if (entry.receipt !== undefined) emit('receipt', entry.receipt);
        if (entry.state === 'booked') this.#options.booked(entry);
        break;
      }
    }
    settled();
  }

  async #complete(route: string, id: MessageId): Promise<void> {
    const entry = this.#outbox.find(route, id);
    if (entry?.state !== 'booked' || !this.#releases.isReleased(entry)) {
      return this.#ignore(`completed, of ${named(route, id)}, which is not being released`);
    }
    this.#releases.completed(entry);
    await this.#outbox.complete(entry);
    this.#options.emit('completed', { route, id: idText(id) });
    this.#options.settled();
  }

  async #takeUnheld(route: string, answer: BodyReceipt): Promise<void> {
    const { id } = answer;
    const isBooked = answer.outcome === 'accepted' || answer.outcome === 'duplicate';
    if (isBooked && (await this.#noteBooked(route, answer))) return;
    const known = id === undefined ? undefined : this.#outbox.find(route, id);
    this.#ignore(
      known === undefined
        ? `${answer.outcome}, of ${named(route, id)}, which is not held`
        : `${answer.outcome}, of ${named(route, id)}, but of another body than the one held`,
    );
  }

  /** A rejected message that was booked after all, for instance by an operator of the bridge. */
  async #noteBooked(route: string, { id, bodyHash, bookedAt, outcome }: Booked): Promise<boolean> {
    const noted = await this.#outbox.rejected.noteBooked(route, id, bodyHash, bookedAt);
    if (noted !== undefined) this.#options.emit('receipt', receiptOf(noted, { outcome, bookedAt }));
    return noted !== undefined;
  }

  #ignore(why: string): void {
    this.#options.emit('ignored', { why });
  }
}

/** Whether the answer names this message; its hash does already. */
function answers(answer: BodyReceipt, { record }: Entry): boolean {
  if (record.byHash) return true;
  // The bridge could not read the id: it has the hash alone to say which body it means.
  if (answer.id === undefined) return answer.outcome === 'rejected';
  return isSameId(answer.id, record.id);
}

function named(route: string, id: MessageId | undefined): string {
  const of = `route ${printable(route, 64)}`;
  return id === undefined ? `a body of ${of}` : `${quoted(idText(id), 64)} of ${of}`;
}
