/**
 * A device: what `connect` answers. It holds the parts together and owns their lives: the store is
 * opened before and closed after everything else.
 */
import { EventEmitter } from 'node:events';
import { v4, v7 } from 'uuid';
import { idText, type MessageId } from '../core/message/id.ts';
import { Session } from './connection/session.ts';
import {
  ClosedError,
  type DeviceError,
  DrainTimeoutError,
  InvalidIdError,
  type StoreUnreadableError,
  UnknownRouteError,
} from './errors.ts';
import type { DeviceEvents, Emit } from './events.ts';
import { type ConnectOptions, checkOptions, type Settings } from './options.ts';
import type { BookedReceipt, Entry } from './outbox/entry.ts';
import type { Outbox } from './outbox/outbox.ts';
import { openOutbox } from './outbox/start.ts';
import type { EpochMillis, Store } from './ports.ts';
import { draftOf } from './publish/body.ts';
import { Sender } from './publish/sender.ts';
import { Receivers } from './receiver/receivers.ts';
import type { Handler, ReceiveOptions, Receiver } from './receiver/types.ts';
import { asDeviceError } from './store/failure.ts';
import { openStore } from './store/store.ts';
import type {
  EnqueuedMessage,
  OutboxStats,
  PendingMessage,
  PublishOptions,
  RejectedMessages,
} from './types.ts';

interface Parts {
  readonly settings: Settings;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly setAside: StoreUnreadableError | undefined;
}

/**
 * Opens the outbox, begins to connect, and resolves when `publish` may be called: when the outbox is
 * open or, with `waitMillis`, at the first connection.
 * @throws InvalidOptionsError, StoreLockedError, DiskFullError, StoreFailedError; with `waitMillis`
 *   ConnectionRefusedError or SubscriptionRefusedError as well
 */
export async function connect(options: ConnectOptions): Promise<Device> {
  const settings = await checkOptions(options);
  const opened = await openStore(settings.outbox, { now: settings.clock });
  const { store } = opened;
  let device: Device | undefined;
  try {
    const outbox = await openOutbox(settings.deviceId, {
      store,
      limits: settings.limits,
      clock: settings.clock,
      drawEpoch: () => v4(),
      onError: (error) => device?.emitSafely('error', asDeviceError(error)),
    });
    device = new Device({ settings, store, outbox, setAside: opened.setAside?.error });
    await device.open();
    return device;
  } catch (error) {
    await (device ?? store).close();
    throw error;
  }
}

export class Device extends EventEmitter<DeviceEvents> {
  /** Set when the outbox could not be read at this start: what it is and where it lies now. */
  readonly setAside: StoreUnreadableError | undefined;
  readonly rejected: RejectedMessages;
  readonly #settings: Settings;
  readonly #store: Store;
  readonly #outbox: Outbox;
  readonly #session: Session;
  readonly #sender: Sender;
  readonly #receivers: Receivers;
  readonly #drained = new Set<() => void>();
  #closing: Promise<void> | undefined;

  /** Use `connect`. */
  constructor({ settings, store, outbox, setAside }: Parts) {
    super();
    const { timers, random, on } = settings;
    const emit: Emit = (name, ...args) => this.emitSafely(name, ...args);
    this.#settings = settings;
    this.#store = store;
    this.#outbox = outbox;
    this.setAside = setAside;
    this.#session = new Session(settings, { timers, random, emit });
    this.#sender = new Sender(
      { ...settings, qosOf: (route) => settings.routes.get(route)?.qos ?? 1 },
      { outbox, transport: this.#session, timers, random, emit, settled: () => this.#settled() },
    );
    const { clock } = settings;
    const ports = { subscriptions: this.#session, store, clock, timers, random };
    this.#receivers = new Receivers(ports, settings);
    this.rejected = rejectedOf(outbox);
    for (const name of Object.keys(on) as (keyof DeviceEvents)[]) {
      // The compiler cannot see that name and listener belong together.
      this.on(name, on[name] as (...args: unknown[]) => void);
    }
  }

  /** Part of `connect`. */
  async open(): Promise<void> {
    if (this.setAside !== undefined) this.emitSafely('store-corrupt', this.setAside);
    const { waitMillis } = this.#settings;
    const refusal = waitMillis === 0 ? undefined : this.#firstConnection(waitMillis);
    this.#session.start(this.#sender);
    const error = await refusal;
    if (error !== undefined) throw error;
  }

  /** Whether messages can go out right now. */
  get connected(): boolean {
    return this.#session.isUp;
  }

  /**
   * Takes a message and resolves when it is booked. Before anything is sent, its id and its bytes
   * are on disk: from then on it will be booked, or end in `rejected`, whatever happens here.
   * @throws InvalidBodyError, InvalidIdError, BodyTooLongError, ConflictError, IdInUseError,
   *   OutboxFullError, DiskFullError, StoreFailedError: it was not taken
   * @throws RejectedError: the bridge refused it for good
   * @throws ClosedError: `close` came first; `kept` says whether the next start sends it
   */
  async publish(route: string, body: object, options: PublishOptions = {}): Promise<BookedReceipt> {
    const { receipt } = await this.enqueue(route, body, options);
    return receipt;
  }

  /** The same in two steps: resolves when the message is on disk, with the promise of its receipt. */
  async enqueue(
    route: string,
    body: object,
    options: PublishOptions = {},
  ): Promise<EnqueuedMessage> {
    if (this.#closing !== undefined) throw new ClosedError(TOO_LATE);
    const profile = this.#settings.routes.get(route);
    if (profile === undefined) {
      throw new UnknownRouteError(route, [...this.#settings.routes.keys()]);
    }
    const msecs = millisOf(options.at, this.#settings.clock());
    const draft = draftOf(profile, body, options.id, {
      draw: () => v7({ msecs }),
      nextNumber: (name) => this.#outbox.nextNumber(name),
    });
    const { entry, written, isNew } = this.#outbox.enqueue(draft);
    const receipt = this.#outbox.answerTo(entry);
    try {
      await written;
    } finally {
      // Were it not written, it would not be there to wait for any more.
      this.#settled();
    }
    const id = idText(draft.id);
    if (isNew) {
      this.#sender.add(entry);
      this.emitSafely('enqueued', { route, id });
    }
    return { route, id, bodyHash: draft.hash, receipt };
  }

  /** What is on disk and has no receipt, oldest first; also what an earlier start left. */
  pending(): readonly PendingMessage[] {
    return [...this.#outbox.entries()].filter(({ state }) => state === 'pending').map(pendingOf);
  }

  /** The receipt of a message that is held, also of an earlier start; undefined when none is. */
  receiptOf(route: string, id: string | bigint | number): Promise<BookedReceipt> | undefined {
    const entry = this.#outbox.find(route, idOf(id));
    return entry && this.#outbox.answerTo(entry);
  }

  stats(): OutboxStats {
    const inFlight = this.#sender.inFlight;
    return { ...this.#outbox.stats(), rejected: this.#outbox.rejected.count, inFlight };
  }

  /**
   * Resolves when every message is answered and, in full handshakes, completed. Sending goes on
   * whatever becomes of it.
   * @throws DrainTimeoutError, ClosedError
   */
  async drain(options: { readonly timeoutMillis?: number } = {}): Promise<void> {
    if (this.#closing !== undefined) throw new ClosedError(CLOSED_BEFORE, true);
    if (this.#outbox.unfinished === 0) return;
    const { timeoutMillis } = options;
    const { timers } = this.#settings;
    const isOver = await new Promise<boolean>((resolve) => {
      let cancel = () => {};
      const done = () => {
        cancel();
        resolve(false);
      };
      this.#drained.add(done);
      if (timeoutMillis === undefined) return;
      cancel = timers.after(timeoutMillis, () => {
        this.#drained.delete(done);
        resolve(true);
      });
    });
    if (this.#closing !== undefined) throw new ClosedError(CLOSED_BEFORE, true);
    if (isOver) throw new DrainTimeoutError(this.#outbox.unfinished, timeoutMillis ?? 0);
  }

  /**
   * Calls the handler once for every id that the bridge forwards under the filter.
   * @throws InvalidFilterError, InvalidOptionsError, ClosedError
   */
  receive(filter: string, handler: Handler, options?: ReceiveOptions): Receiver {
    return this.#receivers.receive(filter, handler, options);
  }

  /** Ends the connection and closes the outbox. What it holds is sent by the next start. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Part of the package: emits an event. A listener that throws ends the process, not the sender.
   * Node.js ends a process over an `error` that nobody listens to; a device goes on recording.
   */
  emitSafely<Name extends keyof DeviceEvents>(name: Name, ...args: DeviceEvents[Name]): void {
    if (name === 'error' && this.listenerCount(name) === 0) return;
    try {
      (this as EventEmitter).emit(name, ...args);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  async #close(): Promise<void> {
    // So that `close` has answered before anything below looks whether it was called.
    await Promise.resolve();
    try {
      await allInTurn([
        async () => this.#sender.down(),
        () => this.#receivers.close(),
        () => this.#session.close(),
        () => this.#outbox.flushed(),
        () => this.#store.close(),
      ]);
    } finally {
      // Whatever failed above, nobody is left waiting.
      this.#outbox.abandon(() => new ClosedError(CLOSED_BEFORE, true));
      for (const done of this.#drained) done();
    }
  }

  #settled(): void {
    if (this.#outbox.unfinished > 0) return;
    for (const done of this.#drained) done();
    this.#drained.clear();
  }

  /** What refused the device, or undefined when it is connected or the time is over. */
  #firstConnection(waitMillis: number): Promise<DeviceError | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#settings.timers.after(waitMillis, () => resolve(undefined));
      const end = (error?: DeviceError) => {
        cancel();
        this.off('connected', end);
        this.off('refused', end);
        resolve(error);
      };
      this.once('connected', end);
      this.once('refused', end);
    });
  }
}

/** Goes on after a step that fails, for the last one gives the store and its lock free. */
async function allInTurn(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

function rejectedOf({ rejected }: Outbox): RejectedMessages {
  return {
    get count() {
      return rejected.count;
    },
    list: () => rejected.list(),
    lines: () => rejected.lines(),
    discard: (route, id) => rejected.discard(route, idOf(id)),
  };
}

function pendingOf({ record, tries }: Entry): PendingMessage {
  const { route, id, hash, size, since } = record;
  return { route, id: idText(id), bodyHash: hash, bytes: size, since, tries };
}

function idOf(id: string | bigint | number): MessageId {
  return typeof id === 'string'
    ? { kind: 'text', text: id }
    : { kind: 'integer', digits: id.toString() };
}

const TOO_LATE = 'the device is closed; nothing was kept and nothing is sent: connect again';
const CLOSED_BEFORE =
  'the device was closed before the receipt came; the message is kept, and the next start with ' +
  'this outbox sends it again under the same id';
/** UUIDv7 holds 48 bits of milliseconds. */
const UUID_MILLIS_MAX = 2 ** 48 - 1;

function millisOf(at: Date | number | undefined, now: EpochMillis): number {
  const millis = at === undefined ? now : Number(at);
  if (Number.isSafeInteger(millis) && millis >= 0 && millis <= UUID_MILLIS_MAX) return millis;
  throw new InvalidIdError(
    `the time ${String(at ?? now)} cannot be part of an id; give a Date or milliseconds since 1970`,
  );
}
