/**
 * The operator's mover: brings dead letters back to the queue that they belong to.
 *
 * SQS takes a message that is sent back for a new one, with a new id and a new SentTimestamp. An
 * error action's envelope has no time of its own: the function reads it off the SentTimestamp. So
 * the mover writes the first one into an attribute, and the function honours that.
 */
import { RECEIVED_AT_ATTRIBUTE } from '../../core/envelope.ts';
import type { MessageAttributes, MessageView, Queue } from './queue.ts';

export class RedriveError extends Error {
  override readonly name = 'RedriveError';
}

/**
 * Moves every visible message of `deadLetters` and says how many there were.
 *
 * @param sources the queues that have it as their dead-letter queue
 * @throws RedriveError when a message could belong to several queues; none has been moved then
 */
export function redrive(deadLetters: Queue, sources: readonly Queue[]): number {
  const [source, ...others] = sources;
  if (source !== undefined && others.length === 0) {
    return deadLetters.redriveTo(source, attributesOf);
  }
  // Lambda's own dead letters do not say where they came from.
  const names = sources.map(({ name }) => name).join(', ') || 'none';
  throw new RedriveError(
    `${deadLetters.name} is the dead-letter queue of ${sources.length} queues (${names}); exactly one is allowed, or it is not known where its messages belong.`,
  );
}

function attributesOf({ body, sentAt, messageAttributes }: MessageView): MessageAttributes {
  if (RECEIVED_AT_ATTRIBUTE in messageAttributes || hasReceivedAt(body)) return messageAttributes;
  const original = { dataType: 'Number', stringValue: String(sentAt) } as const;
  return { ...messageAttributes, [RECEIVED_AT_ATTRIBUTE]: original };
}

/** The rule's own envelope tells its time; what cannot be read does not. */
function hasReceivedAt(body: string): boolean {
  try {
    const envelope: unknown = JSON.parse(body);
    return typeof envelope === 'object' && envelope !== null && 'receivedAt' in envelope;
  } catch {
    return false;
  }
}
