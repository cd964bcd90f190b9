/** The messages that a receiver could not handle, on disk: the area `failed`, by the message's key. */
import { printable } from '../../core/base/printable.ts';
import type { Clock, Store, StoreChange } from '../ports.ts';
import { readInbound } from './message.ts';
import type { FailedMessage, FailureReason, ReceivedMessage } from './types.ts';

const FAILED = 'failed';
const DETAIL_CHARS_MAX = 512;

export interface Failure {
  readonly reason: FailureReason;
  readonly detail: string;
  readonly tries: number;
}

/** As it is written; the message itself as it arrived, to be read again. */
interface FailedRecord extends Failure {
  readonly failedAt: ReturnType<Clock>;
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly userProperties: readonly (readonly [name: string, value: string])[];
}

export class FailedMessageStore {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #scope: string;
  readonly #max: number;

  constructor(
    { store, clock }: { readonly store: Store; readonly clock: Clock },
    options: { readonly scope: string; readonly max: number },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#scope = options.scope;
    this.#max = options.max;
  }

  get count(): number {
    return this.#store.count(FAILED);
  }

  get hasRoom(): boolean {
    return this.count < this.#max;
  }

  failedOf(key: string, message: ReceivedMessage, failure: Failure): FailedMessage {
    const detail = printable(failure.detail, DETAIL_CHARS_MAX);
    return { ...failure, key, message, detail, failedAt: this.#clock() };
  }

  /** The change that stores it, for a write with others. */
  changeFor(failed: FailedMessage): StoreChange {
    const { message, reason, detail, tries, failedAt } = failed;
    const { topic, payload, qos, retain, userProperties } = message;
    const record: FailedRecord = {
      ...{ reason, detail, tries, failedAt, topic, qos, retain, userProperties },
      payload: Buffer.from(payload).toString('base64'),
    };
    return this.#change(failed.key, Buffer.from(JSON.stringify(record)));
  }

  async find(key: string): Promise<FailedMessage | undefined> {
    const value = await this.#store.read(FAILED, this.#name(key));
    return value === undefined ? undefined : readFailed(key, value);
  }

  async has(key: string): Promise<boolean> {
    return (await this.#store.read(FAILED, this.#name(key))) !== undefined;
  }

  async remove(key: string): Promise<boolean> {
    if (!(await this.has(key))) return false;
    await this.#store.write([this.#change(key, undefined)]);
    return true;
  }

  async *list(): AsyncGenerator<FailedMessage> {
    // The sign after the hyphen ends the keys of this receiver.
    const range = { after: this.#name(''), before: `${this.#scope}.` };
    for await (const { key, value } of this.#store.entries(FAILED, range)) {
      yield readFailed(key.slice(this.#name('').length), value);
    }
  }

  #change(key: string, value: Buffer | undefined): StoreChange {
    return { area: FAILED, key: this.#name(key), value };
  }

  #name(key: string): string {
    return `${this.#scope}-${key}`;
  }
}

/** The store gives back what was written or fails, so the shape needs no second check. */
function readFailed(key: string, value: Buffer): FailedMessage {
  const record = JSON.parse(value.toString()) as FailedRecord;
  const { reason, detail, tries, failedAt, topic, qos, retain, userProperties } = record;
  const payload = Buffer.from(record.payload, 'base64');
  const { message } = readInbound({ topic, qos, retain, userProperties, payload });
  return { key, reason, detail, tries, failedAt, message };
}
