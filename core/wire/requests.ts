/**
 * What a device asks beyond its messages: to release ids (QoS 2's PUBREL) and to query what became
 * of messages. Written by devices; read by the bridge, for which everything in a request is the
 * device's word, so all of it is read with suspicion.
 */

import { isBodyHash } from '../base/hash.ts';
import {
  isJsonNumber,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readJsonObject,
} from '../base/json.ts';
import { BODY_BYTES_MAX, DEVICE_BYTES_MAX, ID_BYTES_MAX } from '../base/limits.ts';
import type { Delivery } from '../message/envelope.ts';
import { idJson, type MessageId } from '../message/id.ts';
import { readOwnTopic } from './topics.ts';

/** Ids that one release or query names: far fewer than one payload can answer. */
export const REQUEST_IDS_MAX = 100;

/** A message that is asked for: its id as receipts tell it, none where it could not be read. */
export interface AskedMessage {
  readonly id: JsonValue | undefined;
  readonly bodyHash: string;
}

export type Request = {
  /** Of the topic (I6). */
  readonly device: string;
  /** Undefined when the request did not come over MQTT. */
  readonly clientId: string | undefined;
  readonly route: string;
} & (
  | { readonly kind: 'release'; readonly ids: readonly JsonValue[] }
  | { readonly kind: 'query'; readonly messages: readonly AskedMessage[] }
);

export type RequestReading =
  /** `unread` counts the entries that name nothing; they get no answer. */
  | { readonly ok: true; readonly request: Request; readonly unread: number }
  | { readonly ok: false; readonly detail: string };

/** Reads a request; a repeated entry is asked once. */
export function readRequest({ topic, body, clientId }: Delivery): RequestReading {
  const { device, name: kind } = readOwnTopic(topic);
  if (kind !== 'release' && kind !== 'query') return refused('the topic asks for nothing known');
  if (device === '' || Buffer.byteLength(device) > DEVICE_BYTES_MAX) {
    return refused(`the device's name is empty or longer than ${DEVICE_BYTES_MAX} bytes`);
  }
  if (body.length > BODY_BYTES_MAX) {
    return refused(`it has ${body.length} bytes; up to ${BODY_BYTES_MAX} are answered`);
  }
  const json = readJsonObject(body);
  if (!json.ok) return refused(json.detail);
  const { v, route } = json.value;
  if (!isJsonNumber(v) || v.value !== '1')
    return refused('v is not 1, the version of the protocol');
  if (typeof route !== 'string' || route === '') return refused('route is no name of a route');
  const from = { device, clientId, route };
  return kind === 'release' ? readRelease(from, json.value) : readQuery(from, json.value);
}

type From = Pick<Request, 'device' | 'clientId' | 'route'>;

function readRelease(from: From, { ids }: JsonObject): RequestReading {
  if (!Array.isArray(ids)) return refused('ids is no array');
  const values: readonly JsonValue[] = ids;
  const told = values.filter(isId);
  const request = { ...from, kind: 'release' as const, ids: distinct(told, idName) };
  return { ok: true, request, unread: values.length - told.length };
}

function readQuery(from: From, { messages }: JsonObject): RequestReading {
  if (!Array.isArray(messages)) return refused('messages is no array');
  const values: readonly JsonValue[] = messages;
  const asked = values.flatMap(readAsked);
  const name = ({ id, bodyHash }: AskedMessage) => `${idName(id ?? null)} ${bodyHash}`;
  const request = { ...from, kind: 'query' as const, messages: distinct(asked, name) };
  return { ok: true, request, unread: values.length - asked.length };
}

function readAsked(value: JsonValue): readonly AskedMessage[] {
  if (!isJsonObject(value)) return [];
  const { id, bodyHash } = value;
  if (!isBodyHash(bodyHash)) return [];
  return id === undefined || isId(id) ? [{ id, bodyHash }] : [];
}

/** A text or an integer that fits a key; whether the route has such ids is asked later. */
function isId(value: JsonValue): boolean {
  if (isJsonNumber(value)) return /^-?\d+$/.test(value.value) && fits(value.value);
  return typeof value === 'string' && value !== '' && value.isWellFormed() && fits(value);
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= ID_BYTES_MAX;
}

/** Tells the number 1 from the text "1". */
function idName(id: JsonValue): string {
  return isJsonNumber(id) ? id.value : JSON.stringify(id);
}

function distinct<T>(values: readonly T[], nameOf: (value: T) => string): readonly T[] {
  return [...new Map(values.map((value) => [nameOf(value), value])).values()];
}

function refused(detail: string): RequestReading {
  return { ok: false, detail };
}

export function releasePayload(route: string, ids: readonly MessageId[]): string {
  return `{"v":1,"route":${JSON.stringify(route)},"ids":[${ids.map(idJson).join(',')}]}`;
}

/** How many of the ids, from the first on, one release can name; at least one. */
export function countReleasable(route: string, ids: readonly MessageId[]): number {
  return countFitting(releasePayload(route, []), ids.map(idJson));
}

export interface AskedBody {
  readonly id: MessageId;
  readonly hash: string;
}

export function queryPayload(route: string, messages: readonly AskedBody[]): string {
  const asked = messages.map(askedJson).join(',');
  return `{"v":1,"route":${JSON.stringify(route)},"messages":[${asked}]}`;
}

/** How many of the messages, from the first on, one query can name; at least one. */
export function countAskable(route: string, messages: readonly AskedBody[]): number {
  return countFitting(queryPayload(route, []), messages.map(askedJson));
}

function askedJson({ id, hash }: AskedBody): string {
  return `{"id":${idJson(id)},"bodyHash":"${hash}"}`;
}

/** The bridge answers no request that is longer than a body may be. */
function countFitting(frame: string, parts: readonly string[]): number {
  let bytes = Buffer.byteLength(frame) - 1;
  let count = 0;
  for (const part of parts.slice(0, REQUEST_IDS_MAX)) {
    bytes += Buffer.byteLength(part) + 1;
    if (count > 0 && bytes > BODY_BYTES_MAX) break;
    count++;
  }
  return count;
}
