/**
 * From a delivery to the message it carries, or to the reason why there is none. Pure: the same
 * delivery is always read the same way, whenever and however often it is tried.
 */
import { fingerprintOf } from '../base/canonical.ts';
import { bodyHashOf } from '../base/hash.ts';
import { type JsonReading, readJsonObject, readUtf8 } from '../base/json.ts';
import {
  BODY_BYTES_MAX,
  CLOCK_AHEAD_MILLIS_MAX,
  DAY_MILLIS,
  DEVICE_BYTES_MAX,
  HOUR_MILLIS,
  QUOTED_CHARS_MAX,
} from '../base/limits.ts';
import { quoted } from '../base/printable.ts';
import { type EpochMillis, toIso } from '../base/time.ts';
import type { Route } from '../config/route.ts';
import { partsOf } from '../config/sources.ts';
import { type FactsOf, guaranteeOf } from '../guarantees/index.ts';
import type { Delivery } from './envelope.ts';
import type { MessageId, MessageKey } from './id.ts';
import type { Reading } from './reading.ts';
import type { Fault, Rejection } from './reasons.ts';
import { levelOf, topicMatches } from './topics.ts';

/** What the guarantee of a route reads from a message. */
export type Facts = FactsOf<Route>;

/** What a device means to say once. */
export interface Message<F extends Facts = Facts> {
  readonly device: string;
  /** None on `latest` routes: a value is known by its topic. */
  readonly id: MessageId | undefined;
  readonly key: MessageKey;
  /** Text where the body is UTF-8, else its bytes. */
  readonly body: string | Uint8Array;
  readonly isJson: boolean;
  readonly bodyHash: string;
  /** The hash by which two bodies of one id count as the same. */
  readonly fingerprint: string;
  /** What its guarantee reads from it, beyond the id. */
  readonly facts: F;
}

export type MessageReading<F extends Facts = Facts> =
  | { readonly kind: 'message'; readonly message: Message<F> }
  /**
   * Well-formed, but outside the time in which it would be booked anew. A copy of a message that
   * is booked already is still a copy, so the table is asked before it is rejected.
   */
  | { readonly kind: 'out-of-range'; readonly message: Message<F>; readonly rejection: Rejection }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

export function readMessage<R extends Route>(
  route: R,
  delivery: Delivery,
): MessageReading<FactsOf<R>> {
  const guarantee = guaranteeOf<R>(route);
  const bodyHash = bodyHashOf(delivery.topic, delivery.body);
  const device = levelOf(delivery.topic, route.device.level) || undefined;
  const who = identify(route, delivery, device);
  const known = { bodyHash, device, answerTo: who.ok ? who.device : publisherOf(delivery) };
  const rejected = ({ reason, detail }: Fault, id?: MessageId): MessageReading<FactsOf<R>> => ({
    kind: 'rejected',
    rejection: { ...known, reason, detail, id },
  });
  if (!who.ok) return rejected(who);
  if (delivery.body.length > BODY_BYTES_MAX) {
    const detail = `the body has ${delivery.body.length} bytes; up to ${BODY_BYTES_MAX} are allowed`;
    return rejected({ reason: 'too-long', detail });
  }
  const json = readJsonObject(delivery.body);
  if (!json.ok && guarantee.needsJson(route))
    return rejected({ reason: 'invalid-body', detail: json.detail });
  const content = guarantee.read(route, delivery, who.device, json.ok ? json.value : {});
  if (!content.ok) return rejected(content, content.id);
  const { id, key, facts } = content;
  const message: Message<FactsOf<R>> = {
    device: who.device,
    id,
    key,
    facts,
    body: json.ok ? json.text : (readUtf8(delivery.body) ?? delivery.body),
    isJson: json.ok,
    bodyHash,
    fingerprint: fingerprintIn(route, delivery, json, key, bodyHash),
  };
  const time = guarantee.timeOf(facts);
  const fault = timeFault(time, guarantee.ageMillisMax(route), delivery.receivedAt);
  if (fault === undefined) return { kind: 'message', message };
  return { kind: 'out-of-range', message, rejection: { ...known, ...fault, id } };
}

/** A hash of the content says itself what counts: bodies of one such id are the same. */
function fingerprintIn(
  route: Route,
  { topic }: Delivery,
  json: JsonReading,
  key: MessageKey,
  bodyHash: string,
): string {
  const isHashed = 'id' in route && partsOf(route.id).some(({ from }) => from === 'content-hash');
  if (isHashed) return key.id;
  if (route.ignoring === null || !json.ok) return bodyHash;
  return fingerprintOf(topic, json.value, route.ignoring);
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

/** Whether a message comes at a time when it may still be booked anew. */
function timeFault(
  time: EpochMillis | null,
  ageMillisMax: number,
  receivedAt: EpochMillis,
): Fault | undefined {
  if (time === null) return undefined;
  if (time < receivedAt - ageMillisMax) {
    const allowed = `up to ${ageMillisMax / DAY_MILLIS} days before are allowed`;
    return { reason: 'late', detail: `${timesOf(time, receivedAt)}; ${allowed}` };
  }
  if (time > receivedAt + CLOCK_AHEAD_MILLIS_MAX) {
    const allowed = `up to ${CLOCK_AHEAD_MILLIS_MAX / HOUR_MILLIS} hours ahead are allowed`;
    return { reason: 'early', detail: `${timesOf(time, receivedAt)}; ${allowed}` };
  }
  return undefined;
}

function timesOf(time: EpochMillis, receivedAt: EpochMillis): string {
  return `its time is ${toIso(time)}, it was received at ${toIso(receivedAt)}`;
}

function quote(text: string): string {
  return quoted(text, QUOTED_CHARS_MAX);
}
