/** Forwards: the bridge's own publication of a message on a clean topic (I4). */

import { TOPIC_BYTES_MAX } from '../base/limits.ts';
import { quoted } from '../base/printable.ts';
import { bookingIdOf, idJson, type MessageId } from '../message/id.ts';
import type { Message } from '../message/message.ts';
import { topicFault } from '../message/topics.ts';
import type { Publication } from '../tables/ports.ts';

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

/**
 * The name that receivers remember. A ledger's id is used once for ever. In a window it can come
 * back, and is then another message: the delivery that opened the window tells them apart.
 *
 * @param owner the delivery that the message is known by
 */
export function forwardIdOf(
  route: string,
  { key, facts, device }: Pick<Message, 'key' | 'facts' | 'device'>,
  owner: string,
): string {
  switch (facts.kind) {
    case 'exactly-once':
      return bookingIdOf(key);
    case 'deduplicated':
      return `${bookingIdOf(key)}#${owner}`;
    case 'latest':
      return `${route}#${device}#${key.id}#${facts.version}`;
  }
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
    `{"v":1,"tollbridge-id":${JSON.stringify(forwardId)},${marked}` +
    `"route":${JSON.stringify(forward.route)},"device":${JSON.stringify(device)},` +
    `${named}${bodyMember(forward)}}`;
  const userProperties: [string, string][] = [['tollbridge-id', forwardId]];
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
