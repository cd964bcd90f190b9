/**
 * A redrive inside this process, for tests: the commands move dead letters by the API of SQS. What
 * a letter takes along is decided in one place for both (`core/operations/redrive.ts`).
 */
import { redrivenAttributes } from '../../core/operations/redrive.ts';
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
  return redrivenAttributes(body, sentAt, messageAttributes);
}
