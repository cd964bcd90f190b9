/**
 * Every error that the package throws or tells, each with a `code` to switch on. A message says what
 * was got, what is allowed, and what to do next; what it repeats of a peer or a body is printable.
 */
import { printable, quoted } from '../core/base/printable.ts';

export type DeviceErrorCode =
  | 'invalid-options'
  | 'unknown-route'
  | 'invalid-body'
  | 'invalid-id'
  | 'body-too-long'
  | 'conflict'
  | 'id-in-use'
  | 'outbox-full'
  | 'rejected'
  | 'connection-refused'
  | 'subscription-refused'
  | 'closed'
  | 'drain-timeout'
  | 'store-locked'
  | 'store-unreadable'
  | 'store-failed'
  | 'disk-full'
  | 'invalid-filter'
  | 'handler-failed';

const QUOTED_CHARS_MAX = 128;

/** The base of them all: `error instanceof DeviceError`, then `switch (error.code)`. */
export abstract class DeviceError extends Error {
  abstract readonly code: DeviceErrorCode;

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/** Options that cannot work; all their problems at once. */
export class InvalidOptionsError extends DeviceError {
  readonly code = 'invalid-options';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`these options cannot be used: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/** `publish` names a route that `connect` was not given. */
export class UnknownRouteError extends DeviceError {
  readonly code = 'unknown-route';
  readonly route: string;

  constructor(route: string, known: readonly string[]) {
    const names = known.map((name) => quoted(name, QUOTED_CHARS_MAX)).join(', ') || 'none';
    super(`there is no route ${quoted(route, QUOTED_CHARS_MAX)}; connect was given: ${names}`);
    this.route = route;
  }
}

/** The body cannot become the JSON object that the bridge reads. Nothing was kept. */
export class InvalidBodyError extends DeviceError {
  readonly code = 'invalid-body';
}

/** The id cannot be a key of the bridge. Nothing was kept. */
export class InvalidIdError extends DeviceError {
  readonly code = 'invalid-id';
}

/** The body is longer than what the bridge books. Nothing was kept. */
export class BodyTooLongError extends DeviceError {
  readonly code = 'body-too-long';
  readonly bytes: number;

  constructor(bytes: number, bytesMax: number) {
    super(
      `the body has ${bytes} bytes; up to ${bytesMax} are booked: split it, or send a reference`,
    );
    this.bytes = bytes;
  }
}

/** The outbox holds another body under this id. The one it holds is not touched. */
export class ConflictError extends DeviceError {
  readonly code = 'conflict';
  readonly route: string;
  readonly id: string;

  constructor(route: string, id: string) {
    const name = quoted(id, QUOTED_CHARS_MAX);
    super(
      `route ${route}: the outbox holds another body under the id ${name}; ` +
        'an id names one message only: publish this one under an id of its own',
    );
    this.route = route;
    this.id = id;
  }
}

/** The id is still being released, or lies in the side store of rejected messages. */
export class IdInUseError extends DeviceError {
  readonly code = 'id-in-use';
  readonly route: string;
  readonly id: string;

  constructor(route: string, id: string, why: string) {
    super(`route ${route}: the id ${quoted(id, QUOTED_CHARS_MAX)} ${why}; take another id`);
    this.route = route;
    this.id = id;
  }
}

/** The outbox is full. Nothing was dropped, and this message was not kept. */
export class OutboxFullError extends DeviceError {
  readonly code = 'outbox-full';

  constructor(
    stats: { readonly messages: number; readonly bytes: number },
    limit: string,
    rejected: number,
  ) {
    super(
      `the outbox holds ${stats.messages} messages and ${stats.bytes} bytes, ${rejected} of them ` +
        `rejected; ${limit} is its limit. Nothing was dropped, and this message was not kept: ` +
        'publish it again once receipts have made room' +
        (rejected > 0 ? ', and export and discard what was rejected' : ''),
    );
  }
}

/** The bridge refused the message for good. It lies in the side store of rejected messages. */
export class RejectedError extends DeviceError {
  readonly code = 'rejected';
  readonly route: string;
  readonly id: string;
  /** The bridge's word, e.g. `conflict`, `late`, `invalid-amount`. */
  readonly reason: string;
  /** What was got and what is allowed, as the bridge puts it. */
  readonly detail: string | undefined;
  /** For a conflict: the fields in which the two bodies differ. */
  readonly fields: readonly string[] | undefined;

  constructor(rejection: {
    readonly route: string;
    readonly id: string;
    readonly reason: string;
    readonly detail: string | undefined;
    readonly fields: readonly string[] | undefined;
  }) {
    const { route, id, reason, detail, fields } = rejection;
    const why = detail === undefined ? '' : ` (${printable(detail, 256)})`;
    const differing =
      fields === undefined ? '' : `, differing in ${printable(fields.join(', '), 256)}`;
    super(
      `route ${route}: the bridge rejected ${quoted(id, QUOTED_CHARS_MAX)}: ` +
        `${printable(reason, 64)}${differing}${why}; it is kept in device.rejected for a person to look at`,
    );
    this.route = route;
    this.id = id;
    this.reason = reason;
    this.detail = detail;
    this.fields = fields;
  }
}

/** The broker refused the connection: credentials, client id or rights. The outbox is kept. */
export class ConnectionRefusedError extends DeviceError {
  readonly code = 'connection-refused';
}

/** The broker refused a subscription, so no answer could ever arrive. */
export class SubscriptionRefusedError extends DeviceError {
  readonly code = 'subscription-refused';
  readonly filter: string;

  constructor(filter: string, cause?: unknown) {
    super(
      `the broker refused the subscription to ${quoted(filter, 256)}; ` +
        'the policy of this device has to allow it',
      cause,
    );
    this.filter = filter;
  }
}

/** `close` was called. What the outbox holds is sent by the next start with the same folder. */
export class ClosedError extends DeviceError {
  readonly code = 'closed';
  /** Whether the message is in the outbox; false where it came too late to be kept. */
  readonly kept: boolean;

  constructor(message: string, kept = false) {
    super(message);
    this.kept = kept;
  }
}

/** Messages were still without a receipt when the time given to `drain` was over. */
export class DrainTimeoutError extends DeviceError {
  readonly code = 'drain-timeout';
  readonly pending: number;

  constructor(pending: number, timeoutMillis: number) {
    super(
      `${pending} messages are unfinished after ${timeoutMillis} ms; they are kept, ` +
        'and sending goes on: drain again, or close and start later with the same outbox',
    );
    this.pending = pending;
  }
}

/** Another process (or another device object of this one) has the folder open. */
export class StoreLockedError extends DeviceError {
  readonly code = 'store-locked';
  readonly folder: string;

  constructor(folder: string, cause?: unknown) {
    super(
      `the store in ${folder} is open elsewhere; one process at a time may use it: ` +
        'end the other one, or give this one a folder of its own',
      cause,
    );
    this.folder = folder;
  }
}

/**
 * A store that could not be read was set aside whole, and a new one begun. Told as an event, and
 * thrown only where not even that was possible (`setAside` is undefined then).
 */
export class StoreUnreadableError extends DeviceError {
  readonly code = 'store-unreadable';
  readonly folder: string;
  /** Where the unreadable store lies now. */
  readonly setAside: string | undefined;

  constructor(folder: string, setAside: string | undefined, cause?: unknown) {
    super(
      setAside === undefined
        ? `the store in ${folder} cannot be read, and could not be moved aside: ` +
            'move the folder by hand and keep it; it may hold messages that were never booked'
        : `the store in ${folder} could not be read. It was moved to ${setAside}, unchanged, and ` +
            'a new one begun: keep it, for it may hold messages that were never booked',
      cause,
    );
    this.folder = folder;
    this.setAside = setAside;
  }
}

/**
 * The disk did not take the write. A later start may still find the message, for a disk can keep
 * what it did not confirm: try again under the same id, and it is one message whatever happened.
 */
export class DiskFullError extends DeviceError {
  readonly code = 'disk-full';
  readonly folder: string;

  constructor(folder: string, cause?: unknown) {
    super(
      `the disk of ${folder} is full; nothing is sent that was not kept before: make room, close, ` +
        'connect again with the same folder, and try again under the same id',
      cause,
    );
    this.folder = folder;
  }
}

/** Reading or writing the store failed in another way (its cause says how). */
export class StoreFailedError extends DeviceError {
  readonly code = 'store-failed';
  readonly folder: string;

  constructor(folder: string, cause?: unknown) {
    const why = cause instanceof Error ? `: ${printable(cause.message, 256)}` : '';
    super(
      `the store in ${folder} failed${why}; what it acknowledged before is kept: ` +
        'look at the disk and the rights of the folder, close and connect again, and try again ' +
        'under the same id',
      cause,
    );
    this.folder = folder;
  }
}

/** `receive` was given a filter that no broker takes. */
export class InvalidFilterError extends DeviceError {
  readonly code = 'invalid-filter';
}

/** A handler of `receive` threw; its cause is what it threw. */
export class HandlerFailedError extends DeviceError {
  readonly code = 'handler-failed';
  readonly id: string;

  constructor(id: string, cause?: unknown) {
    super(
      `the handler failed for ${quoted(id, QUOTED_CHARS_MAX)}; the message is tried again, ` +
        'or kept among the failed ones, with receiver.failed to look at them',
      cause,
    );
    this.id = id;
  }
}
