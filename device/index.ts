/** `tollbridge-device`: sends billable events over MQTT exactly once, behind a Tollbridge. */
export type { ForwardEnvelope } from '../core/wire/forward.ts';
export { connect, type Device } from './device.ts';
export * from './errors.ts';
export type { DeviceEvents, MessageName } from './events.ts';
export type { ConnectOptions, Listeners, TlsOptions } from './options.ts';
export type { BookedReceipt } from './outbox/entry.ts';
export type { OutboxLimits } from './outbox/outbox.ts';
export type { RejectedMessage } from './outbox/rejected.ts';
export type {
  BodyRoute,
  CounterRoute,
  FieldRoute,
  Handshake,
  RouteOptions,
  RouteProfile,
  Routes,
} from './publish/profile.ts';
export type { RetryPolicy } from './publish/schedule.ts';
export type {
  EffectOrder,
  FailedMessage,
  FailedMessages,
  Handler,
  ReceivedMessage,
  ReceiveOptions,
  Receiver,
  ReceiverEvent,
  SeenIds,
} from './receiver/types.ts';
export { readSetAside } from './store/store.ts';
export type {
  EnqueuedMessage,
  OutboxStats,
  PendingMessage,
  PublishOptions,
  RejectedMessages,
} from './types.ts';
