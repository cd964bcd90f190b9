/** A receiver on a real store, with a broker that hands over what the test says. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EpochMillis, epochMillis } from '../../../core/base/time.ts';
import type { Inbound, Subscription } from '../../../device/ports.ts';
import { createReceiver, type OwnedReceiver } from '../../../device/receiver/receiver.ts';
import type {
  FailedMessage,
  Handler,
  ReceivedMessage,
  ReceiveOptions,
  ReceiverEvent,
} from '../../../device/receiver/types.ts';
import { openStore, type Store } from '../../../device/store/store.ts';
import { FakeTimers } from '../fake-world.ts';

export const START = Date.UTC(2026, 10, 21);
export const DAY = 86_400_000;

export interface Bench {
  readonly folder: string;
  readonly store: Store;
  readonly receiver: OwnedReceiver;
  /** What the session was given. */
  readonly subscription: Subscription;
  readonly events: readonly ReceiverEvent[];
  readonly timers: FakeTimers;
  /** Bodies that the handler was called with. */
  readonly calls: readonly string[];
  time: EpochMillis;
  /** Delivers; resolves when the broker may take it as acknowledged. */
  take(message: Partial<Inbound> | string): Promise<void>;
  /** Ends when such an event has been told, now or before. */
  told(kind: ReceiverEvent['kind'], count?: number): Promise<void>;
  kinds(): readonly string[];
  /** The process ends and starts again with the same folder. */
  restart(options?: ReceiveOptions, handler?: Handler): Promise<Bench>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly options?: ReceiveOptions;
  readonly handler?: Handler;
  readonly folder?: string;
  readonly time?: EpochMillis;
}

export async function startBench(given: BenchOptions = {}): Promise<Bench> {
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'receiver-'));
  const { store } = await openStore(folder);
  const events: ReceiverEvent[] = [];
  const waiting = new Set<() => void>();
  const calls: string[] = [];
  const timers = new FakeTimers();
  let subscription: Subscription | undefined;
  const clock = () => bench.time;
  const handler: Handler = (message) => {
    calls.push(textOf(message));
    return given.handler?.(message);
  };
  const onEvent = (event: ReceiverEvent) => {
    events.push(event);
    for (const look of waiting) look();
  };
  const subscriptions = {
    subscribe: (asked: Subscription) => {
      subscription = asked;
      return async () => {};
    },
  };
  const ports = { subscriptions, store, clock, timers, random: () => 0 };
  const options = { ...given.options, onEvent } as ReceiveOptions;
  const receiver = createReceiver(ports, 'booked/+/charges', handler, options);
  const bench: Bench = {
    ...{ folder, store, receiver, events, timers, calls },
    get subscription() {
      if (subscription === undefined) throw new Error('nothing was subscribed');
      return subscription;
    },
    time: given.time ?? epochMillis(START),
    take: (message) => bench.subscription.take(inbound(message)),
    told: (kind, count = 1) =>
      new Promise((resolve) => {
        const look = () => {
          if (events.filter((event) => event.kind === kind).length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    kinds: () => events.map(({ kind }) => kind),
    restart: async (again, other) => {
      await bench.close();
      const next = again ?? given.options;
      const called = other ?? given.handler;
      return startBench({
        folder,
        time: bench.time,
        ...(next === undefined ? {} : { options: next }),
        ...(called === undefined ? {} : { handler: called }),
      });
    },
    close: async () => {
      await receiver.close();
      await store.close();
    },
  };
  return bench;
}

/** A forward as the bridge sends it: `id` or `id body` or `id body topic`. */
export function inbound(message: Partial<Inbound> | string): Inbound {
  const usual = { topic: 'booked/m/charges', qos: 1, retain: false, userProperties: [] } as const;
  if (typeof message !== 'string') {
    return { ...usual, payload: Buffer.from('{}'), ...message };
  }
  const [id = '', body = id, topic = usual.topic] = message.split(' ');
  const payload = Buffer.from(
    `{"v":1,"tollbridge-id":"charges#m#${id}","route":"charges","device":"m","id":"${id}",` +
      `"body":{"text":"${body}"}}`,
  );
  return { ...usual, topic, payload };
}

export function textOf({ forward, payload }: ReceivedMessage): string {
  const text = forward?.body?.text;
  return typeof text === 'string' ? text : Buffer.from(payload).toString();
}

export async function failedOf({ receiver }: Bench): Promise<readonly FailedMessage[]> {
  const found: FailedMessage[] = [];
  for await (const failed of receiver.failed.list()) found.push(failed);
  return found;
}
