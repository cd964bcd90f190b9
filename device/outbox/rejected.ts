/**
 * The side store: messages that the bridge refused for good, whole, for a person to look at. They
 * count against the limits of the outbox and leave it by `discard` alone.
 */

import { toIso } from '../../core/base/time.ts';
import { idText, type MessageId } from '../../core/message/id.ts';
import type { EpochMillis, Store } from '../ports.ts';
import { idKey } from '../publish/body.ts';
import { put, type RejectedRecord, remove, serialKey } from './records.ts';

/** A rejected message as it is listed. */
export interface RejectedMessage {
  readonly route: string;
  readonly id: string;
  readonly topic: string;
  readonly reason: string;
  readonly detail: string | undefined;
  /** For a conflict: the fields in which the two bodies differ. */
  readonly fields: readonly string[] | undefined;
  readonly bodyHash: string;
  readonly since: EpochMillis;
  readonly rejectedAt: EpochMillis;
  /** Set when a receipt said later that it is booked after all. Do not charge it again. */
  readonly bookedLaterAt: EpochMillis | undefined;
  /** The very bytes, as text. */
  readonly body: string;
}

export class RejectedStore {
  readonly #store: Store;
  /** By serial, in the order in which they were published. */
  readonly #records = new Map<number, RejectedRecord>();
  /** Serials by id: bodies of one id can be rejected one after the other. */
  readonly #byId = new Map<string, Set<number>>();
  #bytes = 0;

  constructor(store: Store, found: readonly RejectedRecord[]) {
    this.#store = store;
    for (const record of found) this.add(record);
  }

  get count(): number {
    return this.#records.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(record: RejectedRecord): void {
    this.#records.set(record.serial, record);
    const key = idKey(record.route, record.id);
    this.#byId.set(key, (this.#byId.get(key) ?? new Set()).add(record.serial));
    this.#bytes += record.size;
  }

  /** This very body under this id. */
  find(route: string, id: MessageId, hash: string): RejectedRecord | undefined {
    return this.#of(route, id).find((record) => record.hash === hash);
  }

  /** With their bodies, oldest first; what is rejected or discarded meanwhile may be in it or not. */
  async *list(): AsyncGenerator<RejectedMessage> {
    for (const record of [...this.#records.values()]) {
      const body = await this.#store.read('body', serialKey(record.serial));
      if (body === undefined) continue;
      const { route, topic, reason, detail, fields, hash, since, rejectedAt } = record;
      yield {
        route,
        id: idText(record.id),
        topic,
        reason,
        detail,
        fields,
        bodyHash: hash,
        since,
        rejectedAt,
        bookedLaterAt: record.bookedLaterAt,
        body: Buffer.from(body).toString('utf8'),
      };
    }
  }

  /** One JSON object a line, times in ISO 8601, ready for a file. */
  async *lines(): AsyncGenerator<string> {
    for await (const { since, rejectedAt, bookedLaterAt, ...message } of this.list()) {
      const times = {
        publishedAt: toIso(since),
        rejectedAt: toIso(rejectedAt),
        bookedLaterAt: bookedLaterAt === undefined ? undefined : toIso(bookedLaterAt),
      };
      yield `${JSON.stringify({ ...message, ...times })}\n`;
    }
  }

  /** Deletes every rejected body of this id for good; says how many. */
  async discard(route: string, id: MessageId): Promise<number> {
    const records = this.#of(route, id);
    // Before the write, or a receipt that comes meanwhile would write one of them down again.
    this.#byId.delete(idKey(route, id));
    for (const { serial, size } of records) {
      this.#records.delete(serial);
      this.#bytes -= size;
    }
    await this.#store.write(
      records.flatMap(({ serial }) => [remove('rejected', serial), remove('body', serial)]),
    );
    return records.length;
  }

  /**
   * Notes that the bridge has booked it after all, under the id it tells. Answers the record when it
   * was there, and not noted before.
   */
  async noteBooked(
    route: string,
    id: MessageId | undefined,
    hash: string,
    at: EpochMillis,
  ): Promise<RejectedRecord | undefined> {
    // Where the bridge makes the id of the body, the hash is the id here.
    const ofBody = this.find(route, { kind: 'text', text: hash }, hash);
    const record = ofBody?.byHash ? ofBody : id && this.find(route, id, hash);
    if (record === undefined || record.bookedLaterAt !== undefined) return undefined;
    const noted = { ...record, bookedLaterAt: at };
    this.#records.set(record.serial, noted);
    await this.#store.write([put('rejected', record.serial, noted)]);
    return noted;
  }

  #of(route: string, id: MessageId): readonly RejectedRecord[] {
    return [...(this.#byId.get(idKey(route, id)) ?? [])].flatMap(
      (serial) => this.#records.get(serial) ?? [],
    );
  }
}
