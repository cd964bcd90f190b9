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

/** A number that the device counts up, and the epoch that it draws anew when it may have lost it. */
export interface SequenceSource {
  readonly from: 'sequence';
  readonly path: string;
  readonly epochPath: string;
}

/** A time in the body: RFC 3339 with its offset, or integer epoch milliseconds. */
export interface TimestampSource {
  readonly from: 'timestamp';
  readonly path: string;
}

/** The hash of the topic and of these fields, or of the whole body where there are none. */
export interface ContentHashSource {
  readonly from: 'content-hash';
  readonly paths: readonly string[];
}

/** An MQTT 5 user property; the error action's envelope does not have it. */
export interface UserPropertySource {
  readonly from: 'user-property';
  readonly name: string;
}

/** MQTT 5 correlation data; the error action's envelope does not have it. */
export interface CorrelationDataSource {
  readonly from: 'correlation-data';
}

/** One part of an id. */
export type IdPart =
  | PayloadSource
  | TopicLevelSource
  | SequenceSource
  | TimestampSource
  | ContentHashSource
  | UserPropertySource
  | CorrelationDataSource;

/** Several parts that make one id together. */
export interface JoinedSource {
  readonly from: 'all';
  readonly parts: readonly IdPart[];
}

export type IdSource = IdPart | JoinedSource;

/** A field of the JSON body; dots lead into objects. */
export function payload(path: string): PayloadSource {
  return { from: 'payload', path };
}

/** The n-th level of the topic, from 1. */
export function topicLevel(level: number): TopicLevelSource {
  return { from: 'topic-level', level };
}

/** A counter of the device. Arrival out of order is fine, and gaps can be found. */
export function sequence(path: string, options: { readonly epoch: string }): SequenceSource {
  // Plain JavaScript can leave the options out; the check says so, with the fix.
  return { from: 'sequence', path, epochPath: options?.epoch };
}

/** A time of the body. Two events in one millisecond are one to it. */
export function timestamp(path: string): TimestampSource {
  return { from: 'timestamp', path };
}

/** What the body says, for devices that cannot be changed; without fields, the whole of it. */
export function contentHash(...paths: readonly string[]): ContentHashSource {
  return { from: 'content-hash', paths };
}

/** An MQTT 5 user property. */
export function userProperty(name: string): UserPropertySource {
  return { from: 'user-property', name };
}

/** MQTT 5 correlation data. */
export function correlationData(): CorrelationDataSource {
  return { from: 'correlation-data' };
}

/** Joins parts into one id, e.g. `all(timestamp('at'), payload('connector'))`. */
export function all(...parts: readonly IdPart[]): JoinedSource {
  return { from: 'all', parts };
}

/** What two bodies of one id may differ in and still be the same message. */
export interface SameBody {
  readonly ignoring: readonly string[];
}

/** Compares canonical JSON without these fields, for devices that stamp each try. */
export function ignoring(...paths: readonly string[]): SameBody {
  return { ignoring: paths };
}

/** Whether a source, or a part of it, is of this kind. */
export function partsOf(source: IdSource): readonly IdPart[] {
  return source.from === 'all' ? source.parts : [source];
}
