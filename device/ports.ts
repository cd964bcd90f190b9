/**
 * What the device's logic needs of the world. The logic runs on these alone, so a simulation can
 * give it a clock that it moves, a store that forgets at a crash, and a network that loses.
 */

export type { Clock, EpochMillis } from '../core/base/time.ts';
export type { Store, StoreChange } from './store/types.ts';

export interface Timers {
  /** Milliseconds that never go back, from any start: what waits are measured by. */
  now(): number;
  /** Calls once after so many milliseconds; the answer cancels it, and may be called any time. */
  after(millis: number, task: () => void): () => void;
}

/** A number from 0 up to but not 1. */
export type Random = () => number;

export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
}

/** What became of one PUBLISH packet. */
export type PublishOutcome =
  /** PUBACK came; at QoS 0 the packet was handed to the connection. It says nothing of a booking. */
  | { readonly kind: 'acknowledged' }
  /** MQTT 5: a PUBACK with a reason of 0x80 or more. It is no delivery at all. */
  | { readonly kind: 'refused'; readonly reasonCode: number }
  /** The connection ended first. Nobody knows. */
  | { readonly kind: 'lost' };

export interface TransportListener {
  /** Connected, and the subscription to receipts is granted: from now on publications may be sent. */
  up(): void;
  /** The connection is over. Every publication on it has been answered or is answered `lost`. */
  down(): void;
  /** A payload on the device's receipts topic. */
  receipts(payload: Uint8Array): void;
}

/** One connection after another, under one client id, with no memory of its own. */
export interface Transport {
  /** Sends one PUBLISH on the present connection; `lost` when there is none. Never rejects. */
  publish(publication: Publication): Promise<PublishOutcome>;
}

/** A message that arrived for a receiver. */
export interface Inbound {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** MQTT 5 user properties, in order; none in MQTT 3.1.1. */
  readonly userProperties: readonly (readonly [name: string, value: string])[];
}

/** What a receiver asks of the session. */
export interface Subscription {
  readonly filter: string;
  readonly qos: 0 | 1;
  /**
   * Takes a message; its PUBACK waits until this resolves. When it rejects there is no PUBACK, and
   * the connection is ended, so that a broker with a persistent session delivers it again.
   */
  take(message: Inbound): Promise<void>;
  /** The broker granted the filter on a connection, or refused it. */
  answered?(outcome: 'granted' | 'refused'): void;
}

export interface Subscriptions {
  /** Subscribes now if connected, and on every connection after; the answer ends it. */
  subscribe(subscription: Subscription): () => Promise<void>;
}
