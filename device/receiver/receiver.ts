/**
 * Calls a handler once for every id that arrives under a filter.
 *
 * Owns the messages taken and not finished, at most `waitingMax`, and by `receiver-marks` and
 * `receiver-failed` what is on disk. Invariants: a message is acknowledged only when its mark (or
 * the caller's own), or its place among the failed, is on disk; of one id one handler runs at a
 * time, and copies share its outcome; of one topic one message is handled at a time, in the order
 * of arrival; nothing that was not handled is dropped without an event and a place on disk.
 */
import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import { quoted } from '../../core/base/printable.ts';
import { ClosedError, HandlerFailedError, SubscriptionRefusedError } from '../errors.ts';
import type { Inbound, Subscription } from '../ports.ts';
import { Deferred } from '../publish/deferred.ts';
import { waitMillis } from '../publish/schedule.ts';
import { FailedMessageStore, type Failure } from './failed-messages.ts';
import { messageKey, readInbound } from './message.ts';
import { checkReceiveOptions, type ReceiverSettings } from './options.ts';
import { ProcessedIds, scopeOf } from './processed-ids.ts';
import { SerialQueues } from './serial-queues.ts';
import type {
  FailedMessage,
  FailedMessages,
  Handler,
  ReceivedMessage,
  ReceiveOptions,
  Receiver,
  ReceiverEvent,
  ReceiverPorts,
} from './types.ts';

/** A receiver as the device holds it. */
export interface OwnedReceiver extends Receiver {
  /** Before the connection ends: waits for the handlers under way; the subscription stays. */
  close(): Promise<void>;
}

/** @throws InvalidFilterError, InvalidOptionsError */
export function createReceiver(
  ports: ReceiverPorts,
  filter: string,
  handler: Handler,
  options: ReceiveOptions = {},
): OwnedReceiver {
  return new FilterReceiver(ports, checkReceiveOptions(filter, options), handler);
}

/** Marks a message as done, in one write with its place among the failed if it failed. */
type Done = (failed?: FailedMessage) => Promise<void>;

/** What is to be done with a message that has an id, or that passes without one. */
interface Task {
  readonly key: string;
  readonly message: ReceivedMessage;
}

class FilterReceiver implements OwnedReceiver, Subscription {
  readonly filter: string;
  readonly qos: 0 | 1;
  readonly #ports: ReceiverPorts;
  readonly #settings: ReceiverSettings;
  readonly #handler: Handler;
  readonly #processed: ProcessedIds;
  readonly #failed: FailedMessageStore;
  readonly #running = new Map<string, Promise<void>>();
  readonly #queues = new SerialQueues();
  readonly #slots: PQueue;
  /** Waits between tries; called when the receiver is closed. */
  readonly #waits = new Set<() => void>();
  readonly #ready = new Deferred<void>();
  readonly #unsubscribe: () => Promise<void>;
  #isClosed = false;

  constructor(ports: ReceiverPorts, settings: ReceiverSettings, handler: Handler) {
    const { filter, qos, name, rememberMillis, failedMax, concurrency } = settings;
    const scope = scopeOf(name);
    this.filter = filter;
    this.qos = qos;
    this.#ports = ports;
    this.#settings = settings;
    this.#handler = handler;
    this.#processed = new ProcessedIds(ports, { scope, rememberMillis });
    this.#failed = new FailedMessageStore(ports, { scope, max: failedMax });
    this.#slots = new PQueue({ concurrency });
    this.#unsubscribe = ports.subscriptions.subscribe(this);
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get failed(): FailedMessages {
    const list = this.#failed;
    return {
      get count() {
        return list.count;
      },
      list: () => list.list(),
      retry: (key) => this.#retry(key),
      discard: (key) => list.remove(key),
    };
  }

  answered(outcome: 'granted' | 'refused'): void {
    const { filter } = this;
    if (outcome === 'granted') this.#ready.resolve();
    else this.#ready.reject(new SubscriptionRefusedError(filter));
    this.#emit({ kind: outcome === 'granted' ? 'subscribed' : 'subscription-refused', filter });
  }

  async take(inbound: Inbound): Promise<void> {
    try {
      await this.#taken(inbound);
    } catch (error) {
      // Neither acknowledged nor refused: it stays with the broker for the next start, and what
      // other handlers finish meanwhile can still be acknowledged.
      if (this.#isClosed) await new Promise<never>(() => {});
      throw error;
    }
  }

  #taken(inbound: Inbound): Promise<void> {
    const { message, fault } = readInbound(inbound);
    const isPassed = fault !== undefined && this.#settings.withoutId === 'pass';
    // Two equal messages without an id may be two true ones.
    const task = { key: isPassed ? randomUUID() : messageKey(message), message };
    const copyOf = this.#running.get(task.key);
    if (copyOf !== undefined) return this.#share(copyOf, message);
    const obstacle = this.#obstacle();
    if (obstacle !== undefined) return this.#refuse(message, obstacle);
    const work =
      fault === undefined || isPassed
        ? () => this.#once(task)
        : () => this.#putAside(task, { reason: 'no-id', detail: fault, tries: 0 });
    return this.#start(task, work).catch((error: Error) => this.#refuse(message, error));
  }

  async unsubscribe(): Promise<void> {
    await this.#unsubscribe();
    await this.#queues.idle();
    await this.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ready.reject(new ClosedError('the receiver was closed before its filter was granted'));
    for (const end of this.#waits) end();
    await this.#queues.idle();
  }

  #obstacle(): Error | undefined {
    if (this.#isClosed) return closedError();
    const { waitingMax } = this.#settings;
    if (this.#running.size < waitingMax) return undefined;
    return new Error(`${waitingMax} messages wait for their handlers`);
  }

  async #refuse(message: ReceivedMessage, error: Error): Promise<void> {
    this.#emit({ kind: 'not-taken', message, error });
    // At QoS 0 there is no second delivery to ask for.
    if (message.qos > 0) throw error;
  }

  async #share(first: Promise<void>, message: ReceivedMessage): Promise<void> {
    await first;
    this.#emit({ kind: 'copy', message });
  }

  /** From this call to the end of the work, the key is this work's alone. */
  #start<T>({ key, message }: Task, work: () => Promise<T>): Promise<T> {
    const result = this.#queues.run(message.topic, async () => {
      if (this.#isClosed) throw closedError();
      return work();
    });
    const end = result.then(() => {});
    // Known to the caller by `result`, whether or not a copy waits for it too.
    end.catch(() => {});
    this.#running.set(key, end);
    return result.finally(() => {
      this.#running.delete(key);
      // It is tried again at a later mark; until then old ids stay, which harms nobody.
      this.#processed.sweep((busy) => this.#running.has(busy)).catch(() => {});
    });
  }

  /** One message, from its first look at the disk to its last write. */
  async #once(task: Task): Promise<void> {
    const { order } = this.#settings;
    if (task.message.id === undefined) return this.#handle(task);
    switch (order) {
      case 'effect-first':
      case 'mark-first':
        return this.#marked(task, order);
      case 'with-effect':
        if (await this.#failed.has(task.key)) return this.#emitCopy(task);
        return this.#handle(task);
    }
  }

  async #marked(task: Task, order: 'effect-first' | 'mark-first'): Promise<void> {
    const { key } = task;
    let old = await this.#processed.find(key);
    const known = old?.isOver === false ? old.state : undefined;
    if (known === 'done') {
      await this.#processed.set(key, 'done', old);
      return this.#emitCopy(task);
    }
    const done: Done = async (failed) => {
      const others = failed === undefined ? [] : [this.#failed.changeFor(failed)];
      await this.#processed.set(key, 'done', old, others);
    };
    if (known === 'begun') return this.#putAside(task, INTERRUPTED, done);
    if (order === 'mark-first') {
      old = { ...(await this.#processed.set(key, 'begun', old)), isOver: false };
    }
    return this.#handle(task, done);
  }

  /** Tries until the handler succeeds or the message is kept among the failed; `done` marks it. */
  async #handle(task: Task, done?: Done): Promise<void> {
    const { message } = task;
    for (let tries = 1; ; tries += 1) {
      const outcome = await this.#attempt(task, tries);
      if (outcome.kind === 'copy') return this.#emitCopy(task);
      if (outcome.kind === 'handled') {
        await done?.();
        return this.#emit({ kind: 'handled', message, tries });
      }
      if (tries >= this.#settings.tries) {
        const failure: Failure = { reason: 'handler', detail: outcome.detail, tries };
        if (await this.#storeFailed(task, failure, done)) return;
      }
      await this.#wait(tries);
    }
  }

  async #attempt(task: Task, tries: number): Promise<Attempt> {
    const { message } = task;
    try {
      return await this.#slots.add(async () => {
        if (this.#isClosed) throw closedError();
        if (await this.#isThere(message)) return { kind: 'copy' };
        await this.#handler(message);
        return { kind: 'handled' };
      });
    } catch (error) {
      if (error instanceof ClosedError && this.#isClosed) throw error;
      const failed = new HandlerFailedError(message.id ?? message.topic, error);
      this.#emit({ kind: 'handler-failed', message, tries, error: failed });
      return { kind: 'failed', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Whether the caller's own store has the effect. */
  async #isThere({ id }: ReceivedMessage): Promise<boolean> {
    return id !== undefined && (await this.#settings.seen?.has(id)) === true;
  }

  /** Keeps it among the failed ones, and waits for room as long as there is none. */
  async #putAside(task: Task, failure: Failure, done?: Done): Promise<void> {
    for (let tries = 1; !(await this.#storeFailed(task, failure, done)); tries += 1) {
      await this.#wait(tries);
    }
  }

  /** False when there is no room. */
  async #storeFailed(task: Task, failure: Failure, done?: Done): Promise<boolean> {
    const { key, message } = task;
    if (!this.#failed.hasRoom && !(await this.#failed.has(key))) {
      this.#emit({ kind: 'failed-list-full', message });
      return false;
    }
    const failed = this.#failed.failedOf(key, message, failure);
    // A mark and the failed message are one write.
    if (done === undefined) await this.#ports.store.write([this.#failed.changeFor(failed)]);
    else await done(failed);
    this.#emit({ kind: 'failed', failed });
    return true;
  }

  async #retry(key: string): Promise<boolean> {
    const failed = await this.#failed.find(key);
    if (failed === undefined) return false;
    const { message } = failed;
    if (this.#running.has(key)) {
      throw new Error(`the message ${quoted(key, 64)} is being handled just now; wait for it`);
    }
    return this.#start({ key, message }, async () => {
      await this.#slots.add(async () => {
        if (!(await this.#isThere(message))) await this.#handler(message);
      });
      return this.#failed.remove(key);
    });
  }

  /** Rejects when the receiver is closed meanwhile. */
  async #wait(tries: number): Promise<void> {
    const { timers, random } = this.#ports;
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        this.#waits.delete(end);
        resolve();
      };
      const cancel = timers.after(waitMillis(this.#settings.retry, tries, random), end);
      this.#waits.add(end);
      if (this.#isClosed) end();
    });
    if (this.#isClosed) throw closedError();
  }

  #emitCopy({ message }: Task): void {
    this.#emit({ kind: 'copy', message });
  }

  /** A listener that throws ends the process, not the receiver. */
  #emit(event: ReceiverEvent): void {
    try {
      this.#settings.onEvent(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

type Attempt =
  | { readonly kind: 'handled' }
  | { readonly kind: 'copy' }
  | { readonly kind: 'failed'; readonly detail: string };

const INTERRUPTED: Failure = {
  reason: 'interrupted',
  detail: 'the process ended while the handler ran; look whether its effect is there',
  tries: 1,
};

function closedError(): ClosedError {
  return new ClosedError('the receiver is closed; the broker delivers the message again');
}
