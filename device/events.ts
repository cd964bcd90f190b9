/** The events of a `Device`. */

import type { DeviceError, RejectedError, StoreUnreadableError } from './errors.ts';
import type { BookedReceipt } from './outbox/entry.ts';

/** A message by its names. */
export interface MessageName {
  readonly route: string;
  readonly id: string;
}

export interface DeviceEvents {
  /** Connected and subscribed: sending begins. */
  connected: [];
  /** The connection ended, or could not be made; it is tried again by itself. */
  disconnected: [{ readonly reason: string; readonly retryMillis: number }];
  /** The broker or TLS refused this device; it is tried again, but a person should look. */
  refused: [DeviceError];
  /** A message is on disk. */
  enqueued: [MessageName];
  /** A message was handed to the connection, for the n-th time since this start. */
  sent: [MessageName & { readonly tries: number }];
  /** MQTT 5: the broker refused this PUBLISH; it is sent again later. */
  'not-delivered': [MessageName & { readonly reasonCode: number }];
  /** A message is booked, also one of an earlier start. */
  receipt: [BookedReceipt];
  /** A message was rejected and lies in the side store. */
  rejected: [RejectedError];
  /** Full handshake: the bridge has confirmed the release. */
  completed: [MessageName];
  /** Something arrived that answers nothing here, e.g. a second receipt; nothing was changed by it. */
  ignored: [{ readonly why: string }];
  /** The outbox could not be read; it was set aside and a new one begun. */
  'store-corrupt': [StoreUnreadableError];
  /** The disk failed while nobody waited for it. Without a listener it is dropped, not thrown. */
  error: [DeviceError];
}

/** Emits an event to whoever listens. */
export type Emit = <Name extends keyof DeviceEvents>(
  name: Name,
  ...args: DeviceEvents[Name]
) => void;
