/**
 * From a delivery to the message it carries, or to the reason why there is none. Pure: the same
 * delivery is always read the same way, whenever and however often it is tried.
 */
import type { Route } from './config/route.ts';
import { type DecimalReading, readDecimal } from './decimal.ts';
import type { Delivery } from './envelope.ts';
import { bodyHashOf } from './hash.ts';
import { keyOf, type MessageId, type MessageKey, readId } from './identity.ts';
import { readInstant } from './instant.ts';
import { fieldAt, isJsonNumber, type JsonObject, type JsonValue, readJsonObject } from './json.ts';
import {
  BODY_BYTES_MAX,
  CLOCK_AHEAD_MILLIS_MAX,
  DEVICE_BYTES_MAX,
  PARTITION_KEY_BYTES_MAX,
  QUOTED_CHARS_MAX,
} from './limits.ts';
import { quoted } from './printable.ts';
import type { Reason } from './reasons.ts';
import { type EpochMillis, epochMillis, toIso } from './time.ts';
import { levelOf, topicMatches } from './topics.ts';

/** What a charge says: the part of a ledger row that invoices are made of. */
export interface Entry {
  readonly account: string;
  /** A decimal, exactly the number that was sent. */
  readonly amount: string;
  readonly unit: string;
  readonly occurredAt: EpochMillis;
}

/** What a device means to say once. */
export interface Message {
  readonly device: string;
  readonly id: MessageId;
  readonly key: MessageKey;
  readonly body: string;
  readonly bodyHash: string;
  /** The hash by which two bodies of one id count as the same. */
  readonly likeness: string;
  readonly entry: Entry;
}

/** A delivery that cannot be booked; what is known of it goes into quarantine. */
export interface Rejection {
  readonly reason: Reason;
  /** What was got and what is allowed, for a person. */
  readonly detail: string;
  readonly bodyHash: string;
  /** The device in the topic, where there is one. */
  readonly device: string | undefined;
  readonly id: MessageId | undefined;
  /** Whose receipts topic the answer goes to; never that of a device that did not publish. */
  readonly answerTo: string | undefined;
}

export type MessageReading =
  | { readonly kind: 'message'; readonly message: Message }
  /**
   * Well-formed, but outside the time in which new charges are booked. A copy of one that is
   * booked already is still a copy, so the ledger is asked before it is rejected.
   */
  | { readonly kind: 'untimely'; readonly message: Message; readonly rejection: Rejection }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

type Fault = { readonly reason: Reason; readonly detail: string };
type Reading<T> = ({ readonly ok: true } & T) | ({ readonly ok: false } & Fault);

export function readMessage(route: Route, delivery: Delivery): MessageReading {
  const bodyHash = bodyHashOf(delivery.topic, delivery.body);
  const device = levelOf(delivery.topic, route.device.level) || undefined;
  const who = identify(route, delivery, device);
  const known = { bodyHash, device, answerTo: who.ok ? who.device : publisherOf(delivery) };
  const rejected = ({ reason, detail }: Fault, id?: MessageId): MessageReading => ({
    kind: 'rejected',
    rejection: { ...known, reason, detail, id },
  });
  if (!who.ok) return rejected(who);
  if (delivery.body.length > BODY_BYTES_MAX) {
    const detail = `the body has ${delivery.body.length} bytes; up to ${BODY_BYTES_MAX} are allowed`;
    return rejected({ reason: 'too-long', detail });
  }
  const json = readJsonObject(delivery.body);
  if (!json.ok) return rejected({ reason: 'invalid-body', detail: json.detail });
  const id = readId(fieldAt(json.value, route.id.path), `the id (${route.id.path})`);
  if (!id.ok) return rejected(id);
  const reading = readEntry(route, json.value);
  if (!reading.ok) return rejected(reading, id.id);
  const message: Message = {
    device: who.device,
    id: id.id,
    key: keyOf(route.name, who.device, id.id),
    body: json.text,
    bodyHash,
    likeness: bodyHash,
    entry: reading.entry,
  };
  const fault = timeFault(route, reading.entry.occurredAt, delivery.receivedAt);
  if (fault === undefined) return { kind: 'message', message };
  return { kind: 'untimely', message, rejection: { ...known, ...fault, id: id.id } };
}

/** Who speaks (I6): the topic level that the policy allows this client alone. */
function identify(
  route: Route,
  delivery: Delivery,
  device: string | undefined,
): Reading<{ readonly device: string }> {
  if (!topicMatches(route.topic, delivery.topic)) {
    const detail = `the topic ${quote(delivery.topic)} does not match ${route.topic}`;
    return { ok: false, reason: 'wrong-topic', detail };
  }
  if (device === undefined) {
    return {
      ok: false,
      reason: 'missing-device',
      detail: 'the device level of the topic is empty',
    };
  }
  if (route.trustTopicLevel === null && delivery.clientId !== device) {
    const client =
      delivery.clientId === undefined ? 'none (not over MQTT)' : quote(delivery.clientId);
    const detail = `the topic names ${quote(device)}, the connection's client id is ${client}`;
    return { ok: false, reason: 'wrong-device', detail };
  }
  const bytes = Buffer.byteLength(device);
  if (bytes > DEVICE_BYTES_MAX) {
    const detail = `the device's name has ${bytes} bytes; up to ${DEVICE_BYTES_MAX} are allowed`;
    return { ok: false, reason: 'too-long', detail };
  }
  return { ok: true, device };
}

/**
 * Who published what its topic's device did not: it is told, the other hears nothing. A client id
 * can hold what a topic level cannot; then there is nowhere to answer.
 */
function publisherOf({ clientId }: Delivery): string | undefined {
  return clientId !== undefined && clientId !== '' && !/[/+#\0]/.test(clientId)
    ? clientId
    : undefined;
}

function readEntry(route: Route, body: JsonObject): Reading<{ readonly entry: Entry }> {
  const account = readAccount(route, fieldAt(body, route.entry.account.path));
  if (!account.ok) return account;
  const amount = readAmount(route, fieldAt(body, route.entry.amount.path));
  if (!amount.ok) return amount;
  const { path } = route.entry.occurredAt;
  const at = fieldAt(body, path);
  if (at === undefined || at === null) {
    return { ok: false, reason: 'missing-time', detail: `the time (${path}) is missing` };
  }
  const occurredAt = readInstant(at);
  if (occurredAt === undefined) {
    const allowed = 'RFC 3339 with its offset, or integer epoch milliseconds';
    const detail = `the time (${path}) is ${show(at)}; allowed: ${allowed}`;
    return { ok: false, reason: 'invalid-time', detail };
  }
  const entry = {
    account: account.account,
    amount: amount.amount,
    unit: route.entry.unit,
    occurredAt,
  };
  return { ok: true, entry };
}

function readAccount(
  route: Route,
  value: JsonValue | undefined,
): Reading<{ readonly account: string }> {
  const where = `the account (${route.entry.account.path})`;
  if (value === undefined || value === null || value === '') {
    return { ok: false, reason: 'missing-account', detail: `${where} is missing or empty` };
  }
  const account = isJsonNumber(value) && /^-?\d+$/.test(value.value) ? value.value : value;
  if (typeof account !== 'string' || !account.isWellFormed()) {
    const detail = `${where} is ${show(value)}; a string or an integer is allowed`;
    return { ok: false, reason: 'invalid-account', detail };
  }
  const bytes = Buffer.byteLength(account);
  if (bytes <= ACCOUNT_BYTES_MAX) return { ok: true, account };
  const detail = `${where} has ${bytes} bytes; 1 to ${ACCOUNT_BYTES_MAX} are allowed`;
  return { ok: false, reason: 'too-long', detail };
}

/** The index's partition key holds the account, a month, a shard and the signs between them. */
const ACCOUNT_BYTES_MAX = PARTITION_KEY_BYTES_MAX - '#2026-11#99'.length;

function readAmount(
  route: Route,
  value: JsonValue | undefined,
): Reading<{ readonly amount: string }> {
  const where = `the amount (${route.entry.amount.path})`;
  if (value === undefined || value === null || value === '') {
    return { ok: false, reason: 'missing-amount', detail: `${where} is missing or empty` };
  }
  const text = isJsonNumber(value) ? value.value : value;
  const reading: DecimalReading =
    typeof text === 'string' ? readDecimal(text) : { ok: false, detail: 'not a decimal number' };
  if (reading.ok) return { ok: true, amount: reading.decimal };
  const detail = `${where} is ${show(value)}: ${reading.detail}`;
  return { ok: false, reason: 'invalid-amount', detail };
}

function timeFault(
  route: Route,
  occurredAt: EpochMillis,
  receivedAt: EpochMillis,
): Fault | undefined {
  const oldest = epochMillis(receivedAt - route.maxAgeDays * 86_400_000);
  const newest = epochMillis(receivedAt + CLOCK_AHEAD_MILLIS_MAX);
  const detail = `occurred at ${toIso(occurredAt)}, received at ${toIso(receivedAt)}`;
  if (occurredAt < oldest) {
    return {
      reason: 'late',
      detail: `${detail}; up to ${route.maxAgeDays} days before are allowed`,
    };
  }
  if (occurredAt > newest) {
    return { reason: 'early', detail: `${detail}; up to 24 hours ahead are allowed` };
  }
  return undefined;
}

function show(value: JsonValue): string {
  if (isJsonNumber(value)) return value.value.slice(0, QUOTED_CHARS_MAX);
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function quote(text: string): string {
  return quoted(text, QUOTED_CHARS_MAX);
}
