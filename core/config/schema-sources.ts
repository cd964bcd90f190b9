/** What may be written of where the parts of a message are found. */
import * as z from 'zod';
import { ID_PARTS_MAX, QUOTED_CHARS_MAX, TOPIC_SLASHES_MAX } from '../base/limits.ts';
import { fields, isObject, passOn, quote, quoteAll, source } from './read.ts';
import type {
  IdPart,
  IdSource,
  PayloadSource,
  SameBody,
  TimestampSource,
  TopicLevelSource,
} from './sources.ts';

/** Dotted keys, none of them empty. */
const path = z.string().regex(/^[^.]+(\.[^.]+)*$/);
const differentPaths = z.array(path).refine((paths) => new Set(paths).size === paths.length);

/** An object as a source's function makes it. */
function made<F extends IdSource['from'], S extends z.ZodRawShape>(from: F, shape: S) {
  return fields({ from: z.literal(from), ...shape }, 'it by its function');
}

const payload = made('payload', { path });
const timestamp = made('timestamp', { path });

/** @param fix the option as it could be written */
export function payloadSource(fix: string): z.ZodType<PayloadSource> {
  return source(payload, () => fieldWords('payload', fix));
}

export function timestampSource(fix: string): z.ZodType<TimestampSource> {
  return source(timestamp, () => fieldWords('timestamp', fix));
}

function fieldWords(from: 'payload' | 'timestamp', fix: string) {
  const allowed = `${from}('path'), a field of the body; dots lead into objects`;
  return { allowed, fix: `write ${fix}` };
}

/** The device is a `+` of the filter; of a filter that is wrong, which is empty here, any level. */
export function deviceSource(topic: string): z.ZodType<TopicLevelSource> {
  const plus = topic.split('/').flatMap((level, index) => (level === '+' ? [index + 1] : []));
  const schema = made('topic-level', {
    level: z.number().refine((level) => topic === '' || plus.includes(level)),
  });
  return source(schema, (value) => ({
    got: levelText(value, topic),
    allowed:
      plus.length > 0
        ? `topicLevel(n) where level n of '${topic}' is a +: ${plus.join(' or ')}`
        : 'topicLevel(n) where level n of the topic is a +',
    fix:
      plus.length === 0 && topic !== ''
        ? 'put a + into the topic for the device'
        : `write device: topicLevel(${plus[0] ?? 'n'})`,
  }));
}

/** A level as it stands in the filter; undefined where it is no level, or there is no filter. */
function levelText(value: unknown, topic: string): string | undefined {
  if (topic === '' || !isObject(value)) return undefined;
  if (value.from !== 'topic-level' || typeof value.level !== 'number') return undefined;
  const found = topic.split('/')[value.level - 1];
  return `topicLevel(${value.level}), ${found === undefined ? 'which the filter does not have' : `which is '${found}'`}`;
}

/** Only a level that a wildcard fills can differ between messages. */
function openLevels(topic: string) {
  const levels = topic.split('/');
  const open = levels.flatMap((level, index) => (level === '+' ? [`${index + 1}`] : []));
  const rest = levels.indexOf('#') + 1;
  if (rest > 0) open.push(`${rest} to ${TOPIC_SLASHES_MAX + 1}`);
  return {
    has: (level: number) =>
      topic === '' ||
      levels[level - 1] === '+' ||
      (rest > 0 && level >= rest && level <= TOPIC_SLASHES_MAX + 1),
    allowed:
      open.length > 0
        ? `topicLevel(n) where a wildcard of '${topic}' fills level n: ${open.join(' or ')}`
        : 'topicLevel(n) where a wildcard of the topic fills level n',
  };
}

/** A name that could not be sent would make every message one without an id. */
const propertyName = z
  .string()
  .max(QUOTED_CHARS_MAX)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u);

const sequence = made('sequence', { path, epochPath: path }).refine(
  (written) => written.path !== written.epochPath,
);

const PART_WORDS = new Map(
  Object.entries({
    payload: fieldWords('payload', "e.g. id: payload('id')"),
    timestamp: fieldWords('timestamp', "e.g. id: timestamp('id')"),
    sequence: {
      allowed: "sequence('path', { epoch: 'path' }), two different fields of the body",
      fix: "write e.g. sequence('seq', { epoch: 'boot' }), where boot is drawn anew whenever seq may have been lost",
    },
    'content-hash': {
      allowed: 'contentHash() for the whole body, or contentHash of different fields of it',
      fix: "write e.g. contentHash('at', 'type'), each field once",
    },
    'user-property': {
      allowed: `userProperty('name') with a name of 1 to ${QUOTED_CHARS_MAX} characters`,
      fix: "write e.g. userProperty('message-id')",
    },
    all: { allowed: 'one level of all(…)', fix: 'join all parts in one' },
  }),
);
const ANY_PART_WORDS = {
  allowed:
    "payload('path'), sequence('path', { epoch: 'path' }), timestamp('path'), " +
    "contentHash('path', …), userProperty('name'), correlationData(), topicLevel(n), or all(…) of them",
  fix: "write e.g. id: payload('id'), where the device keeps the id it made",
};

function idPart(topic: string): z.ZodType<IdPart> {
  const open = openLevels(topic);
  const part = z.discriminatedUnion('from', [
    payload,
    made('topic-level', { level: z.int().min(1).refine(open.has) }),
    sequence,
    timestamp,
    made('content-hash', { paths: differentPaths }),
    made('user-property', { name: propertyName }),
    made('correlation-data', {}),
  ]);
  return source(part, (value) => {
    const from = isObject(value) && typeof value.from === 'string' ? value.from : '';
    if (from === 'topic-level') {
      const fix = 'name such a level, put a + into the topic, or take the id from the body';
      return { got: levelText(value, topic), allowed: open.allowed, fix };
    }
    return PART_WORDS.get(from) ?? ANY_PART_WORDS;
  });
}

const joined = source(
  made('all', { parts: z.array(z.unknown()).min(2).max(ID_PARTS_MAX) }),
  (value) => ({
    got: `all(…) of ${isObject(value) && Array.isArray(value.parts) ? value.parts.length : 'no list'}`,
    allowed: `all(…) of 2 to ${ID_PARTS_MAX} parts`,
    fix: "write one source alone, or e.g. id: all(timestamp('at'), payload('connector'))",
  }),
);

/** One source, or several that are joined: each part is looked at, however many there are. */
export function idSource(topic: string): z.ZodType<IdSource> {
  const part = idPart(topic);
  return z.custom<IdSource>().superRefine((value: unknown, context) => {
    const isJoined = isObject(value) && value.from === 'all';
    const whole = (isJoined ? joined : part).safeParse(value);
    for (const issue of whole.error?.issues ?? []) passOn(context, issue);
    // What is no list at all is the joined source's own problem.
    if (!isJoined || !Array.isArray(value.parts)) return;
    const parts = z.array(part).safeParse(value.parts);
    for (const issue of parts.error?.issues ?? []) passOn(context, issue, ['parts']);
  });
}

/** What does not count when two bodies are compared. */
export const sameBody: z.ZodType<SameBody> = source(
  fields({ ignoring: z.array(path).min(1) }, 'it by its function'),
  (value) => ({
    got:
      isObject(value) && Array.isArray(value.ignoring)
        ? `ignoring(${quoteAll(value.ignoring)})`
        : quote(value),
    allowed: 'ignoring(…) with one field of the body or more; dots lead into objects',
    fix: "leave it out to compare the bytes, or write e.g. sameBody: ignoring('sentAt')",
  }),
);
