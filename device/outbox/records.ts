/**
 * What the outbox writes, by area of the store. A serial is the order in which messages were
 * published, padded so that the order of keys is the order of numbers.
 *
 * - `owner`: whose outbox it is, and the version of this layout
 * - `message`, by serial: a message without its body: pending, or booked and not yet completed
 * - `body`, by serial: its body, byte for byte
 * - `rejected`, by serial: a rejected message (its body stays where it is)
 * - `counter`, by route: the epoch and the next number
 */

import { jsonOrUndefined } from '../../core/base/json.ts';
import type { EpochMillis } from '../../core/base/time.ts';
import type { MessageId } from '../../core/message/id.ts';
import type { StoreChange } from '../ports.ts';
import type { Handshake } from '../publish/profile.ts';

export const LAYOUT_VERSION = 1;

export type Area = 'owner' | 'message' | 'body' | 'rejected' | 'counter';

export type BookedOutcome = 'accepted' | 'duplicate';

/** What a device keeps of a message beside its body. */
export interface MessageRecord {
  readonly serial: number;
  readonly route: string;
  readonly topic: string;
  readonly handshake: Handshake;
  readonly id: MessageId;
  /** The bridge makes the id itself, so receipts are matched by the hash alone. */
  readonly byHash: boolean;
  readonly hash: string;
  /** Of the body, in bytes. */
  readonly size: number;
  /** When it was published. */
  readonly since: EpochMillis;
  /** In a full handshake: booked, and not completed yet. The body is gone then. */
  readonly booked: { readonly outcome: BookedOutcome; readonly bookedAt: EpochMillis } | undefined;
}

export interface RejectedRecord extends MessageRecord {
  readonly reason: string;
  readonly detail: string | undefined;
  readonly fields: readonly string[] | undefined;
  readonly rejectedAt: EpochMillis;
  /** It was booked after all: somebody handled it at the bridge. */
  readonly bookedLaterAt: EpochMillis | undefined;
}

export interface Counter {
  readonly epoch: string;
  readonly next: number;
}

const SERIAL_DIGITS = 16;

export function serialKey(serial: number): string {
  return serial.toString().padStart(SERIAL_DIGITS, '0');
}

export function put(area: Area, key: string | number, value: object | Uint8Array): StoreChange {
  const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
  return { area, key: keyText(key), value: bytes };
}

export function remove(area: Area, key: string | number): StoreChange {
  return { area, key: keyText(key), value: undefined };
}

function keyText(key: string | number): string {
  return typeof key === 'number' ? serialKey(key) : key;
}

/** Undefined when the bytes are no such record. */
export function readMessage(bytes: Uint8Array): MessageRecord | undefined {
  const value = readJson(bytes);
  return isMessage(value) ? value : undefined;
}

export function readRejected(bytes: Uint8Array): RejectedRecord | undefined {
  const value = readJson(bytes);
  if (!isMessage(value)) return undefined;
  const { reason, detail, fields, rejectedAt, bookedLaterAt } = value as Partial<RejectedRecord>;
  if (typeof reason !== 'string' || typeof rejectedAt !== 'number') return undefined;
  return { ...value, reason, detail, fields, rejectedAt, bookedLaterAt };
}

export function readCounter(bytes: Uint8Array): Counter | undefined {
  const value = readJson(bytes) as Partial<Counter> | undefined;
  if (typeof value?.epoch !== 'string' || !Number.isSafeInteger(value.next)) return undefined;
  return { epoch: value.epoch, next: value.next ?? 0 };
}

export function readOwner(bytes: Uint8Array): { layout: number; device: string } | undefined {
  const value = readJson(bytes) as { layout?: unknown; device?: unknown } | undefined;
  if (typeof value?.layout !== 'number' || typeof value.device !== 'string') return undefined;
  return { layout: value.layout, device: value.device };
}

function isMessage(value: unknown): value is MessageRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { serial, route, topic, handshake, id, hash, size, since } = value as Partial<
    Record<keyof MessageRecord, unknown>
  >;
  return (
    Number.isSafeInteger(serial) &&
    typeof route === 'string' &&
    typeof topic === 'string' &&
    (handshake === 'short' || handshake === 'full') &&
    isId(id) &&
    typeof hash === 'string' &&
    Number.isSafeInteger(size) &&
    typeof since === 'number'
  );
}

function isId(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, text, digits: number } = value as Readonly<Record<string, unknown>>;
  return kind === 'text'
    ? typeof text === 'string'
    : kind === 'integer' && typeof number === 'string';
}

function readJson(bytes: Uint8Array): unknown {
  return jsonOrUndefined(Buffer.from(bytes).toString('utf8'));
}
