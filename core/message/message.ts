/**
 * From a delivery to the message it carries, or to the reason why there is none. Pure: the same
 * delivery is always read the same way, whenever and however often it is tried.
 */
import { fingerprintOf } from '../base/canonical.ts';
import { bodyHashOf } from '../base/hash.ts';
import { type JsonObject, type JsonReading, readJsonObject, readUtf8 } from '../base/json.ts';
import {
  BODY_BYTES_MAX,
  CLOCK_AHEAD_MILLIS_MAX,
  DEVICE_BYTES_MAX,
  QUOTED_CHARS_MAX,
} from '../base/limits.ts';
import { quoted } from '../base/printable.ts';
import { type EpochMillis, toIso } from '../base/time.ts';
import type { Route } from '../config/route.ts';
import { partsOf } from '../config/sources.ts';
import { type Entry, type Reading, readEntry, readTime } from './charge.ts';
import type { Delivery } from './envelope.ts';
import { keyOf, type MessageId, type MessageKey } from './id.ts';
import { type Counted, countedIn, readIdFrom } from './id-sources.ts';
import type { Fault, Reason } from './reasons.ts';
import { levelOf, topicMatches } from './topics.ts';

/** What a message says beyond its id, by the guarantee of its route. */
export type Facts =
  | {
      readonly kind: 'exactly-once';
      readonly entry: Entry;
      /** Where the id is counted by the device. */
      readonly counted: Counted | null;
    }
  | {
      readonly kind: 'deduplicated';
      /** The message's own time, where the route names one. */
      readonly ownTime: EpochMillis | null;
    }
  | { readonly kind: 'latest'; readonly version: EpochMillis };

/** What a device means to say once. */
export interface Message {
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
  readonly facts: Facts;
}

/**
 * The facts of a message of one guarantee.
 * @throws TypeError when the message came by a route of another: the function was bound wrongly
 */
export function factsOf<Kind extends Facts['kind']>(
  { facts }: Message,
  kind: Kind,
): Extract<Facts, { kind: Kind }> {
  if (facts.kind === kind) return facts as Extract<Facts, { kind: Kind }>;
  throw new TypeError(`a message of a route '${facts.kind}' was handled as '${kind}'`);
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
   * Well-formed, but outside the time in which it would be booked anew. A copy of a message that
   * is booked already is still a copy, so the table is asked before it is rejected.
   */
  | { readonly kind: 'out-of-range'; readonly message: Message; readonly rejection: Rejection }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

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
  if (!json.ok && looksInside(route))
    return rejected({ reason: 'invalid-body', detail: json.detail });
  const content = readContent(route, delivery, who.device, json.ok ? json.value : {});
  if (!content.ok) return rejected(content, content.id);
  const { id, key, facts } = content;
  const message: Message = {
    device: who.device,
    id,
    key,
    facts,
    body: json.ok ? json.text : (readUtf8(delivery.body) ?? delivery.body),
    isJson: json.ok,
    bodyHash,
    fingerprint: fingerprintIn(route, delivery, json, key, bodyHash),
  };
  const fault = timeFault(route, facts, delivery.receivedAt);
  if (fault === undefined) return { kind: 'message', message };
  return { kind: 'out-of-range', message, rejection: { ...known, ...fault, id } };
}

/** Whether the route needs a JSON object; others take any payload. */
function looksInside(route: Route): boolean {
  if (route.guarantee !== 'deduplicated') return true;
  const reads = partsOf(route.id).some(
    (part) =>
      part.from === 'payload' ||
      part.from === 'sequence' ||
      part.from === 'timestamp' ||
      (part.from === 'content-hash' && part.paths.length > 0),
  );
  return reads || route.time !== null || route.ignoring !== null;
}

type Content = {
  readonly id: MessageId | undefined;
  readonly key: MessageKey;
  readonly facts: Facts;
};
type ContentReading =
  | ({ readonly ok: true } & Content)
  | ({ readonly ok: false; readonly id?: MessageId } & Fault);

function readContent(
  route: Route,
  delivery: Delivery,
  device: string,
  body: JsonObject,
): ContentReading {
  if (route.guarantee === 'latest') {
    const version = readTime(route.version.path, body);
    if (!version.ok) return version;
    const facts = { kind: route.guarantee, version: version.time };
    return { ok: true, id: undefined, key: { pk: device, id: delivery.topic }, facts };
  }
  const reading = readIdFrom(route.id, { delivery, body });
  if (!reading.ok) return reading;
  const { id } = reading;
  const key = keyOf(route.name, device, id);
  if (route.guarantee === 'deduplicated') {
    const own = route.time === null ? undefined : readTime(route.time.path, body);
    if (own !== undefined && !own.ok) return { ...own, id };
    return { ok: true, id, key, facts: { kind: route.guarantee, ownTime: own?.time ?? null } };
  }
  const entry = readEntry(route.entry, body);
  if (!entry.ok) return { ...entry, id };
  const counted = countedIn(route.id, { delivery, body });
  return { ok: true, id, key, facts: { kind: route.guarantee, entry: entry.entry, counted } };
}

/** A hash of the content says itself what counts: bodies of one such id are the same. */
function fingerprintIn(
  route: Route,
  { topic }: Delivery,
  json: JsonReading,
  key: MessageKey,
  bodyHash: string,
): string {
  const isHashed =
    route.guarantee !== 'latest' && partsOf(route.id).some(({ from }) => from === 'content-hash');
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
function timeFault(route: Route, facts: Facts, receivedAt: EpochMillis): Fault | undefined {
  const time = timeOf(facts);
  if (time === null) return undefined;
  const ageMillisMax = ageMillisMaxOf(route);
  if (time < receivedAt - ageMillisMax) {
    const allowed = `up to ${ageMillisMax / 86_400_000} days before are allowed`;
    return { reason: 'late', detail: `${timesOf(time, receivedAt)}; ${allowed}` };
  }
  if (time > receivedAt + CLOCK_AHEAD_MILLIS_MAX) {
    const allowed = 'up to 24 hours ahead are allowed';
    return { reason: 'early', detail: `${timesOf(time, receivedAt)}; ${allowed}` };
  }
  return undefined;
}

function timesOf(time: EpochMillis, receivedAt: EpochMillis): string {
  return `its time is ${toIso(time)}, it was received at ${toIso(receivedAt)}`;
}

function timeOf(facts: Facts): EpochMillis | null {
  switch (facts.kind) {
    case 'exactly-once':
      return facts.entry.occurredAt;
    case 'deduplicated':
      return facts.ownTime;
    case 'latest':
      return facts.version;
  }
}

function ageMillisMaxOf(route: Route): number {
  switch (route.guarantee) {
    case 'exactly-once':
      return route.maxAgeDays * 86_400_000;
    case 'deduplicated':
      return route.windowSeconds * 1_000;
    case 'latest':
      // An old value is not late: it is stale, or the first of its topic.
      return Number.POSITIVE_INFINITY;
  }
}

function quote(text: string): string {
  return quoted(text, QUOTED_CHARS_MAX);
}
