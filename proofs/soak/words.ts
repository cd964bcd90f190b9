/** What the run and its processes say to one another. */
import type { Faults } from '../../local/contracts.ts';
import type { RouteName } from './plan.ts';

/** Bytes of one process after a collection of its garbage. */
export interface Memory {
  /** What is reachable: the heap, and buffers outside of it. */
  readonly usedBytes: number;
  readonly rssBytes: number;
}

/** The two ways in which a delivery becomes a dead letter, as they are counted. */
export const DEAD_LETTER = {
  queue: 'dead letter after the tries of a queue',
  event: 'dead letter after the tries of Lambda',
} as const;

export type ToCloud =
  | { readonly kind: 'start'; readonly options: CloudOrders }
  | { readonly kind: 'memory' | 'waiting' | 'idle' | 'redrive' | 'close'; readonly ask: number }
  | { readonly kind: 'faults'; readonly faults: Faults; readonly ask: number };

export interface CloudOrders {
  readonly assembly: string;
  readonly dataDir: string;
  readonly mqttPort: number;
  readonly apiPort: number;
  readonly seed: number;
  readonly speed: number;
  readonly faults: Faults;
}

export interface CloudState {
  readonly memory: Memory;
  /** Bytes of it that the log journal holds, which grows up to a bound of its own. */
  readonly journalBytes: number;
  /** Messages in queues, dead-letter queues included. */
  readonly queued: number;
}

export type FromCloud =
  | {
      readonly kind: 'ready';
      readonly mqttPort: number;
      readonly apiUrl: string;
      readonly tables: Readonly<Record<'Ledger' | 'DedupRecords' | 'State' | 'Quarantine', string>>;
    }
  | { readonly kind: 'answer'; readonly ask: number; readonly value: unknown }
  /** Since the last time: how often something happened, and which forwards went out or were lost. */
  | {
      readonly kind: 'news';
      readonly counts: Readonly<Record<string, number>>;
      readonly forwarded: readonly string[];
      readonly droppedAt: readonly string[];
    };

export interface DeviceOrders {
  readonly device: string;
  readonly index: number;
  readonly url: string;
  readonly outbox: string;
}

export type ToDevice =
  | {
      readonly kind: 'say';
      readonly serial: string;
      readonly route: RouteName;
      readonly id: string | undefined;
      readonly body: object;
    }
  | { readonly kind: 'state' | 'pending' | 'drain' | 'close'; readonly ask: number };

export type FromDevice =
  | { readonly kind: 'open' }
  | { readonly kind: 'answer'; readonly ask: number; readonly value: unknown }
  | { readonly kind: 'kept'; readonly serial: string }
  /** The device library itself would not take it. */
  | { readonly kind: 'untaken'; readonly serial: string; readonly why: string }
  /** Told by the library for every booking, also of one whose caller is gone. */
  | {
      readonly kind: 'receipt';
      readonly route: string;
      readonly id: string;
      readonly bookedAt: number;
    }
  | { readonly kind: 'rejected'; readonly route: string; readonly reason: string }
  | { readonly kind: 'completed'; readonly route: string; readonly id: string };

export interface ReceiverOrders {
  readonly url: string;
  readonly folder: string;
}

export type FromReceiver =
  | { readonly kind: 'answer'; readonly ask: number; readonly value: unknown }
  | { readonly kind: 'subscribed' }
  /** The effect of this forward is on disk. */
  | { readonly kind: 'effect'; readonly id: string }
  | { readonly kind: 'trouble'; readonly what: string };
