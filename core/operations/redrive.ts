/**
 * What a dead letter takes along when it is redriven. SQS takes a message that is sent back for a
 * new one, with a new id and a new SentTimestamp. The rule's envelope tells its own time, but an
 * error action's has none, and the function reads it off the queue. So a mover writes down when the
 * letter was first sent, and the function honours that.
 */

import type { EpochMillis } from '../base/time.ts';
import { RECEIVED_AT_ATTRIBUTE } from '../message/envelope.ts';

/** A message attribute as SQS knows them, text or digits. */
export interface TextAttribute {
  readonly dataType: 'String' | 'Number';
  readonly stringValue: string;
}

/**
 * @param sentAt of the dead letter: a standard queue keeps the first one when it moves a message to
 * its dead-letter queue (Amazon SQS, "Setting-up dead-letter queue retention")
 */
export function redrivenAttributes<Attribute extends TextAttribute>(
  body: string,
  sentAt: EpochMillis,
  attributes: Readonly<Record<string, Attribute>>,
): Readonly<Record<string, Attribute | TextAttribute>> {
  if (Object.hasOwn(attributes, RECEIVED_AT_ATTRIBUTE) || hasReceivedAt(body)) return attributes;
  const original = { dataType: 'Number', stringValue: String(sentAt) } as const;
  return { ...attributes, [RECEIVED_AT_ATTRIBUTE]: original };
}

/** What cannot be read does not tell its time. */
function hasReceivedAt(body: string): boolean {
  try {
    const envelope: unknown = JSON.parse(body);
    return typeof envelope === 'object' && envelope !== null && 'receivedAt' in envelope;
  } catch {
    return false;
  }
}
