/**
 * Forwards: the bridge's own publication of a message on a clean topic (I4). Written by the bridge;
 * read by receivers and by the console.
 */

import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readJsonObject,
} from '../base/json.ts';
import { TOPIC_BYTES_MAX } from '../base/limits.ts';
import { quoted } from '../base/printable.ts';
import { idJson, type MessageId } from '../message/id.ts';
import { topicFault } from '../message/topics.ts';

/** The id's name, as an MQTT 5 user property and in the envelope. */
export const FORWARD_ID = 'tollbridge-id';

/** What a receiver is told beyond the message itself. */
export type ForwardMark = 'duplicate' | 'unverified';

/** A message on its way to the clean topic. */
export interface Forward {
  readonly route: string;
  /** The configured topic, placeholders and all. */
  readonly template: string;
  /** The topic that the message came on. */
  readonly topic: string;
  readonly device: string;
  readonly id: MessageId | undefined;
  /** The same for every publication of one message: what receivers skip copies by. */
  readonly forwardId: string;
  readonly body: string | Uint8Array;
  readonly isJson: boolean;
  readonly mark: ForwardMark | undefined;
}

/** What the bridge publishes, a forward or an answer to a device. */
export interface Publication {
  readonly topic: string;
  /** JSON text. */
  readonly payload: string;
  readonly qos: 0 | 1;
  /** MQTT 5 user properties, in order. */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
}

export type ForwardReading =
  | { readonly ok: true; readonly publication: Publication }
  | { readonly ok: false; readonly detail: string };

/**
 * The publication of a message. A JSON body goes in as the text that was sent, so that no number
 * in it changes on the way; any other goes in as base64.
 */
export function forwardOf(forward: Forward): ForwardReading {
  const { forwardId, device, id, mark } = forward;
  const target = targetOf(forward);
  const fault = topicFault(target);
  if (fault !== undefined) {
    const detail = `the forward's topic ${quoted(target, TOPIC_BYTES_MAX)} is refused: ${fault}`;
    return { ok: false, detail };
  }
  const marked = mark === undefined ? '' : `"${mark}":true,`;
  const named = id === undefined ? '' : `"id":${idJson(id)},`;
  const payload =
    `{"v":1,"${FORWARD_ID}":${JSON.stringify(forwardId)},${marked}` +
    `"route":${JSON.stringify(forward.route)},"device":${JSON.stringify(device)},` +
    `${named}${bodyMember(forward)}}`;
  const userProperties: [string, string][] = [[FORWARD_ID, forwardId]];
  if (mark !== undefined) userProperties.push([mark, 'true']);
  return { ok: true, publication: { topic: target, payload, qos: 1, userProperties } };
}

function targetOf({ template, device, route, topic }: Forward): string {
  return template.replaceAll(/\{(device|route|topic)\}/g, (_, name: string) => {
    if (name === 'device') return device;
    return name === 'route' ? route : topic;
  });
}

function bodyMember({ body, isJson }: Forward): string {
  if (isJson && typeof body === 'string') return `"body":${body}`;
  return `"bodyBase64":"${Buffer.from(body).toString('base64')}"`;
}

/** What the bridge says of a message that it forwards (docs/protocol.md, "Forwards"). */
export interface ForwardEnvelope {
  readonly route: string;
  readonly device: string;
  /** The device's id of the message; none on a route for the newest value. */
  readonly id: string | undefined;
  /** Numbers are `LosslessNumber`: `String(number)` gives the digits that were sent. */
  readonly body: JsonObject | undefined;
  /** A body that is not a JSON object, as it was sent. */
  readonly bytes: Uint8Array | undefined;
  /** The bridge marks a copy, on a route in `mode: 'mark'`. */
  readonly duplicate: boolean;
  /** Forwarded while the bridge could not tell whether it is a copy. */
  readonly unverified: boolean;
}

export interface EnvelopeReading {
  /** What stands under `tollbridge-id`, whatever it is. */
  readonly forwardId: unknown;
  readonly forward: ForwardEnvelope | undefined;
}

/** What a payload is as a forward; other publications can be named by `tollbridge-id` as well. */
export function readForwardEnvelope(payload: Uint8Array): EnvelopeReading {
  const reading = readJsonObject(payload);
  // A body may nest as deep as that reader allows; in its envelope it is one level deeper.
  if (!reading.ok) return { forwardId: idAlone(payload), forward: undefined };
  const fields: Readonly<Record<string, JsonValue>> = { ...reading.value };
  const { v, route, device, id, body, bodyBase64 } = fields;
  const isForward =
    isJsonNumber(v) && v.value === '1' && typeof route === 'string' && typeof device === 'string';
  if (!isForward) return { forwardId: fields[FORWARD_ID], forward: undefined };
  const forward: ForwardEnvelope = {
    route,
    device,
    id: isJsonNumber(id) ? id.value : typeof id === 'string' ? id : undefined,
    body: isJsonObject(body) ? body : undefined,
    bytes: typeof bodyBase64 === 'string' ? Buffer.from(bodyBase64, 'base64') : undefined,
    duplicate: fields.duplicate === true,
    unverified: fields.unverified === true,
  };
  return { forwardId: fields[FORWARD_ID], forward };
}

function idAlone(payload: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString());
    return typeof value === 'object' && value !== null && Object.hasOwn(value, FORWARD_ID)
      ? Reflect.get(value, FORWARD_ID)
      : undefined;
  } catch {
    return undefined;
  }
}
