/**
 * Where the parts of a message are found. A source is plain data: the configuration travels to the
 * function as JSON.
 */

/** A field of the JSON body, by its path: `payload('meter.id')` is the `id` inside `meter`. */
export interface PayloadSource {
  readonly from: 'payload';
  readonly path: string;
}

/** A level of the topic, counted from 1 as `topic(n)` does in rule SQL. */
export interface TopicLevelSource {
  readonly from: 'topic-level';
  readonly level: number;
}

/** A field of the JSON body; dots lead into objects. */
export function payload(path: string): PayloadSource {
  return { from: 'payload', path };
}

/** The n-th level of the topic, from 1. */
export function topicLevel(level: number): TopicLevelSource {
  return { from: 'topic-level', level };
}
