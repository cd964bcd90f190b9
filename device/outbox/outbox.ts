/**
 * The outbox: every message that `publish` took and the bridge has not answered, on disk.
 *
 * Owns the records in the store and the index of them in memory (ids, hashes, sizes; bodies stay on
 * disk). Keeps these invariants:
 * - a message is handed out for sending only after its id and bytes are flushed, and its bytes are
 *   read back with the hash they were written with;
 * - an id stands for one body: another body under it is refused while it is held;
 * - a message leaves the disk only on a receipt of its very body, on `completed`, or by `discard`;
 * - a number of a counter is written together with its message and never given out twice;
 * - what is held stays within the limits, those being written included.
 */
import { bodyHashOf } from '../../core/base/hash.ts';
import { idText, type MessageId } from '../../core/message/id.ts';
import { stripBasicIngest } from '../../core/message/topics.ts';
import {
  ConflictError,
  type DeviceError,
  IdInUseError,
  OutboxFullError,
  RejectedError,
  StoreFailedError,
} from '../errors.ts';
import type { Clock, EpochMillis, Store, StoreChange } from '../ports.ts';
import type { Draft } from '../publish/body.ts';
import { Deferred } from '../publish/deferred.ts';
import { asDeviceError } from '../store/failure.ts';
import { Entries } from './entries.ts';
import { type BookedReceipt, type Entry, type Rejection, receiptOf } from './entry.ts';
import {
  type BookedOutcome,
  type Counter,
  type MessageRecord,
  put,
  type RejectedRecord,
  remove,
  serialKey,
} from './records.ts';
import { RejectedStore } from './rejected.ts';

export interface OutboxLimits {
  /** Messages held, rejected ones and ids not yet completed included. */
  readonly messages: number;
  /** Bytes of bodies held. */
  readonly bytes: number;
}

export interface OutboxOptions {
  readonly store: Store;
  readonly limits: OutboxLimits;
  readonly clock: Clock;
  readonly drawEpoch: () => string;
  /** A write of an answer failed: the message will be sent again after the next start. */
  readonly onError: (error: unknown) => void;
}

/** What was found in the store at the start. */
export interface Found {
  readonly messages: readonly MessageRecord[];
  readonly rejected: readonly RejectedRecord[];
  readonly counters: ReadonlyMap<string, Counter>;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Entries();
  readonly #counters: Map<string, Counter>;
  readonly #writing = new Map<Entry, Promise<void>>();
  readonly rejected: RejectedStore;
  #nextSerial = 0;
  #bytes = 0;
  #answersWriting = 0;

  constructor(options: OutboxOptions, found: Found) {
    this.#options = options;
    this.#counters = new Map(found.counters);
    this.rejected = new RejectedStore(options.store, found.rejected);
    for (const record of [...found.messages, ...found.rejected]) {
      this.#nextSerial = Math.max(this.#nextSerial, record.serial + 1);
    }
    for (const record of found.messages) {
      const { booked } = record;
      this.#add({
        record,
        state: booked === undefined ? 'pending' : 'booked',
        tries: 0,
        maybeSent: booked === undefined,
        receipt: booked && receiptOf(record, booked),
        answer: undefined,
      });
    }
  }

  /** In the order in which they were published. */
  entries(): Iterable<Entry> {
    return this.#entries.inOrder();
  }

  stats(): { readonly messages: number; readonly bytes: number } {
    return {
      messages: this.#entries.size + this.rejected.count,
      bytes: this.#bytes + this.rejected.bytes,
    };
  }

  find(route: string, id: MessageId): Entry | undefined {
    return this.#entries.byId(route, id);
  }

  findHash(route: string, hash: string): Entry | undefined {
    return this.#entries.byHash(route, hash);
  }

  /** The number that the next message of this route takes; `enqueue` writes it down. */
  nextNumber(route: string): { readonly epoch: string; readonly seq: number } {
    let counter = this.#counters.get(route);
    if (counter === undefined) {
      counter = { epoch: this.#options.drawEpoch(), next: 1 };
      this.#counters.set(route, counter);
    }
    return { epoch: counter.epoch, seq: counter.next };
  }

  /**
   * Takes a message. The same body under the same id is the same message, whether it is being written,
   * pending, or booked and not completed.
   * @throws ConflictError, IdInUseError, RejectedError, OutboxFullError, or why no more is written
   */
  enqueue(draft: Draft): {
    readonly entry: Entry;
    readonly written: Promise<void>;
    readonly isNew: boolean;
  } {
    const { route, id, hash, bytes } = draft;
    const known = this.find(route.name, id);
    if (known !== undefined) {
      assertSame(known, hash);
      return { entry: known, written: this.#writing.get(known) ?? Promise.resolve(), isNew: false };
    }
    const refused = this.rejected.find(route.name, id, hash);
    if (refused !== undefined) throw new RejectedError({ ...refused, id: idText(refused.id) });
    this.#assertRoom(bytes.length);
    const record: MessageRecord = {
      serial: this.#nextSerial++,
      route: route.name,
      topic: route.topic,
      handshake: route.handshake,
      id,
      byHash: route.id.from === 'body',
      hash,
      size: bytes.length,
      since: this.#options.clock(),
      booked: undefined,
    };
    const entry: Entry = {
      record,
      state: 'writing',
      tries: 0,
      maybeSent: false,
      receipt: undefined,
      answer: undefined,
    };
    this.#add(entry);
    const written = this.#write(entry, bytes, route.id.from === 'counter');
    this.#writing.set(entry, written);
    return { entry, written, isNew: true };
  }

  async #write(entry: Entry, bytes: Uint8Array, isCounted: boolean): Promise<void> {
    const { serial, route } = entry.record;
    const changes: StoreChange[] = [
      put('message', serial, entry.record),
      put('body', serial, bytes),
    ];
    const counter = this.#counters.get(route);
    if (isCounted && counter !== undefined) {
      const next = { epoch: counter.epoch, next: counter.next + 1 };
      this.#counters.set(route, next);
      changes.push(put('counter', route, next));
    }
    try {
      await this.#options.store.write(changes);
      entry.state = 'pending';
    } catch (error) {
      this.#entries.remove(entry);
      this.#bytes -= bytes.length;
      entry.state = 'settled';
      // Whoever asked for its receipt meanwhile would wait for ever.
      entry.answer?.reject(asDeviceError(error));
      throw error;
    } finally {
      this.#writing.delete(entry);
    }
  }

  /** The bytes as they were written. @throws StoreFailedError when the disk gives others */
  async body({ record }: Entry): Promise<Uint8Array> {
    const bytes = await this.#options.store.read('body', serialKey(record.serial));
    if (bytes !== undefined && bodyHashOf(stripBasicIngest(record.topic), bytes) === record.hash) {
      return bytes;
    }
    const what = bytes === undefined ? 'is missing' : 'is not what was written';
    throw new StoreFailedError(
      this.#options.store.folder,
      new Error(`the body of ${idText(record.id)} ${what}; it is not sent`),
    );
  }

  /** The promise of the receipt; one for all who ask. */
  answerTo(entry: Entry): Promise<BookedReceipt> {
    if (entry.receipt !== undefined) return Promise.resolve(entry.receipt);
    entry.answer ??= new Deferred<BookedReceipt>();
    return entry.answer.promise;
  }

  /**
   * The message is booked. In a short handshake it is forgotten; in a full one its id is kept to be
   * released: its state is `booked` once that is on disk. When the disk fails it is never released,
   * for the next start sends it again.
   */
  async book(entry: Entry, outcome: BookedOutcome, bookedAt: EpochMillis): Promise<void> {
    const { record } = entry;
    entry.state = 'settled';
    entry.receipt = receiptOf(record, { outcome, bookedAt });
    this.#bytes -= record.size;
    const changes: StoreChange[] = [remove('body', record.serial)];
    if (record.handshake === 'short') {
      this.#entries.remove(entry);
      changes.push(remove('message', record.serial));
    } else {
      const booked = { ...record, booked: { outcome, bookedAt } };
      changes.push(put('message', record.serial, booked));
    }
    const isWritten = await this.#writeAnswer(changes);
    if (record.handshake === 'full' && isWritten) entry.state = 'booked';
    entry.answer?.resolve(entry.receipt);
  }

  /** The message moves to the rejected ones in one step. */
  async reject(entry: Entry, { reason, detail, fields }: Rejection): Promise<RejectedError> {
    const { record } = entry;
    const rejection = { reason, detail, fields };
    entry.state = 'settled';
    this.#entries.remove(entry);
    this.#bytes -= record.size;
    const rejectedAt = this.#options.clock();
    const rejected = { ...record, ...rejection, rejectedAt, bookedLaterAt: undefined };
    this.rejected.add(rejected);
    await this.#writeAnswer([
      remove('message', record.serial),
      put('rejected', record.serial, rejected),
    ]);
    const error = new RejectedError({ ...rejection, route: record.route, id: idText(record.id) });
    entry.answer?.reject(error);
    return error;
  }

  /** The bridge has confirmed the release: the id is forgotten. */
  async complete(entry: Entry): Promise<void> {
    entry.state = 'settled';
    this.#entries.remove(entry);
    await this.#writeAnswer([remove('message', entry.record.serial)]);
  }

  /** Messages without a written answer, and ids not yet completed. */
  get unfinished(): number {
    return this.#entries.size + this.#answersWriting;
  }

  /** Ends when everything that was enqueued is on disk, or is known not to be. */
  async flushed(): Promise<void> {
    await Promise.allSettled(this.#writing.values());
  }

  /** Every promise that still waits fails; what is on disk stays there. */
  abandon(errorOf: () => DeviceError): void {
    for (const entry of this.#entries.inOrder()) entry.answer?.reject(errorOf());
  }

  async #writeAnswer(changes: readonly StoreChange[]): Promise<boolean> {
    this.#answersWriting++;
    try {
      await this.#options.store.write(changes);
      return true;
    } catch (error) {
      this.#options.onError(error);
      return false;
    } finally {
      this.#answersWriting--;
    }
  }

  #assertRoom(size: number): void {
    const { limits } = this.#options;
    const stats = this.stats();
    if (stats.messages >= limits.messages) {
      throw new OutboxFullError(stats, `${limits.messages} messages`, this.rejected.count);
    }
    if (stats.bytes + size > limits.bytes) {
      throw new OutboxFullError(stats, `${limits.bytes} bytes`, this.rejected.count);
    }
  }

  #add(entry: Entry): void {
    this.#entries.add(entry);
    if (entry.state !== 'booked') this.#bytes += entry.record.size;
  }
}

function assertSame({ record, state }: Entry, hash: string): void {
  if (record.hash === hash) return;
  const id = idText(record.id);
  if (state === 'booked') {
    throw new IdInUseError(record.route, id, 'is booked and being released');
  }
  throw new ConflictError(record.route, id);
}
