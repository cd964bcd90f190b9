/** `tollbridge-device`: sends billable events over MQTT exactly once, behind a Tollbridge. */
export { connect, type Device } from './device.ts';
export type {
  Held,
  Kept,
  PendingMessage,
  PublishOptions,
  RejectedMessages,
} from './device-types.ts';
export type { BookedReceipt } from './entry.ts';
export * from './errors.ts';
export type { DeviceEvents, MessageName } from './events.ts';
export type { ConnectOptions, Listeners, TlsOptions } from './options.ts';
export type { OutboxLimits } from './outbox.ts';
export type {
  BodyRoute,
  CounterRoute,
  FieldRoute,
  Handshake,
  RouteOptions,
  RouteProfile,
  Routes,
} from './profile.ts';
export type {
  EffectOrder,
  FailedMessage,
  FailedMessages,
  ForwardEnvelope,
  Handler,
  ReceivedMessage,
  ReceiveOptions,
  Receiver,
  ReceiverEvent,
  SeenIds,
} from './receiver-types.ts';
export type { RejectedMessage } from './rejected.ts';
export type { RetryPolicy } from './schedule.ts';
export { readSetAside } from './store.ts';
