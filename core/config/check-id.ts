/** Checks where an id comes from: one source, or several that are joined. */
import { ID_PARTS_MAX, QUOTED_CHARS_MAX, TOPIC_SLASHES_MAX } from '../base/limits.ts';
import { isPath, levelText, NO_PATH } from './check-sources.ts';
import { type Fields, isObject, isWhole, type Problems, quote } from './problems.ts';
import { sourceText } from './source-text.ts';
import type { IdPart, IdSource } from './sources.ts';

/** What the topic levels of an id are held against. */
export interface IdTopic {
  /** The route's filter; empty where it is wrong. */
  readonly topic: string;
  /** The level that names the device. */
  readonly deviceLevel: number;
}

const ALLOWED =
  "payload('path'), sequence('path', { epoch: 'path' }), timestamp('path'), " +
  "contentHash('path', …), userProperty('name'), correlationData(), topicLevel(n), or all(…) of them";
const FIX = "write e.g. id: payload('id'), where the device keeps the id it made";

/** Stands for a part that is wrong; rules pass over its path. */
const BROKEN: IdPart = { from: 'payload', path: NO_PATH };

/** Keys of each source, as its function makes them. */
const KEYS: Readonly<Record<IdSource['from'], readonly string[]>> = {
  payload: ['from', 'path'],
  'topic-level': ['from', 'level'],
  sequence: ['from', 'path', 'epochPath'],
  timestamp: ['from', 'path'],
  'content-hash': ['from', 'paths'],
  'user-property': ['from', 'name'],
  'correlation-data': ['from'],
  all: ['from', 'parts'],
};

export function checkId(problems: Problems, at: string, source: unknown, place: IdTopic): IdSource {
  if (!isObject(source) || source.from !== 'all') {
    const part = checkPart(problems, at, source, place);
    refuseDeviceAlone(problems, at, part, [part], place);
    return part;
  }
  problems.onlyKeys(at, source, KEYS.all);
  const written: readonly unknown[] = Array.isArray(source.parts) ? source.parts : [];
  if (written.length < 2 || written.length > ID_PARTS_MAX) {
    problems.add(
      at,
      `all(…) of ${written.length}`,
      `all(…) of 2 to ${ID_PARTS_MAX} parts`,
      "write one source alone, or e.g. id: all(timestamp('at'), payload('connector'))",
    );
  }
  const parts = written.map((part, index) => {
    const here = `${at}.parts[${index}]`;
    if (!isObject(part) || part.from !== 'all') return checkPart(problems, here, part, place);
    problems.add(here, 'all(…) inside of all(…)', 'one level of all(…)', 'join all parts in one');
    return BROKEN;
  });
  refuseRepeats(problems, at, parts);
  if (parts.length > 0) refuseDeviceAlone(problems, at, { from: 'all', parts }, parts, place);
  return { from: 'all', parts };
}

function checkPart(problems: Problems, at: string, source: unknown, place: IdTopic): IdPart {
  if (!isObject(source) || !isPartName(source.from)) {
    problems.add(at, quote(source), ALLOWED, FIX);
    return BROKEN;
  }
  const { from } = source;
  problems.onlyKeys(at, source, KEYS[from]);
  switch (from) {
    case 'payload':
    case 'timestamp':
      return { from, path: checkPath(problems, at, from, source.path) };
    case 'topic-level':
      return checkLevel(problems, at, source.level, place);
    case 'sequence':
      return checkSequence(problems, at, source);
    case 'content-hash':
      return checkHash(problems, at, source.paths);
    case 'user-property':
      return checkUserProperty(problems, at, source.name);
    case 'correlation-data':
      return { from };
  }
}

function isPartName(from: unknown): from is IdPart['from'] {
  return typeof from === 'string' && from !== 'all' && Object.hasOwn(KEYS, from);
}

function checkPath(problems: Problems, at: string, from: string, path: unknown): string {
  if (isPath(path)) return path;
  const allowed = `${from}('path'), a field of the body; dots lead into objects`;
  problems.add(at, `${from}(${quote(path)})`, allowed, `write e.g. id: ${from}('id')`);
  return NO_PATH;
}

/** Only a level that a wildcard fills can differ between messages. */
function checkLevel(problems: Problems, at: string, level: unknown, { topic }: IdTopic): IdPart {
  const levels = topic.split('/');
  const open = levels.flatMap((each, index) => (each === '+' ? [`${index + 1}`] : []));
  const rest = levels.indexOf('#') + 1;
  if (rest > 0) open.push(`${rest} to ${TOPIC_SLASHES_MAX + 1}`);
  const allowed =
    open.length > 0
      ? `topicLevel(n) where a wildcard of '${topic}' fills level n: ${open.join(' or ')}`
      : 'topicLevel(n) where a wildcard of the topic fills level n';
  const fix = 'name such a level, put a + into the topic, or take the id from the body';
  if (!isWhole(level) || level < 1) {
    problems.add(at, `topicLevel(${quote(level)})`, allowed, fix);
    return BROKEN;
  }
  const isOpen =
    topic === '' ||
    levels[level - 1] === '+' ||
    (rest > 0 && level >= rest && level <= TOPIC_SLASHES_MAX + 1);
  if (!isOpen) {
    problems.add(at, levelText(level, levels), allowed, fix);
    return BROKEN;
  }
  return { from: 'topic-level', level };
}

function checkSequence(problems: Problems, at: string, source: Fields): IdPart {
  const { path, epochPath } = source;
  const allowed = "sequence('path', { epoch: 'path' }), two fields of the body";
  const fix =
    "write e.g. sequence('seq', { epoch: 'boot' }), where boot is drawn anew whenever seq may have been lost";
  if (isPath(path) && isPath(epochPath) && path !== epochPath) {
    return { from: 'sequence', path, epochPath };
  }
  const got = `sequence(${quote(path)}, { epoch: ${quote(epochPath)} })`;
  problems.add(
    at,
    path === epochPath && isPath(path) ? `${got}, one field twice` : got,
    allowed,
    fix,
  );
  return BROKEN;
}

function checkHash(problems: Problems, at: string, paths: unknown): IdPart {
  const allowed = 'contentHash() for the whole body, or contentHash of different fields of it';
  const fix = "write e.g. contentHash('at', 'type')";
  if (!Array.isArray(paths)) {
    problems.add(at, `contentHash(${quote(paths)})`, allowed, fix);
    return BROKEN;
  }
  const written: readonly unknown[] = paths;
  const good = written.filter(isPath);
  for (const [index, path] of written.entries()) {
    if (!isPath(path)) problems.add(at, `contentHash(${quote(path)})`, allowed, fix);
    else if (written.indexOf(path) < index) {
      problems.add(at, `contentHash with ${quote(path)} twice`, allowed, 'name each field once');
    }
  }
  return good.length < written.length ? BROKEN : { from: 'content-hash', paths: good };
}

/** A name that could not be sent would make every message one without an id. */
function checkUserProperty(problems: Problems, at: string, name: unknown): IdPart {
  if (
    typeof name === 'string' &&
    /^[^\p{Cc}\p{Cs}]+$/u.test(name) &&
    name.length <= QUOTED_CHARS_MAX
  ) {
    return { from: 'user-property', name };
  }
  problems.add(
    at,
    `userProperty(${quote(name)})`,
    `userProperty('name') with a name of 1 to ${QUOTED_CHARS_MAX} characters`,
    "write e.g. userProperty('message-id')",
  );
  return BROKEN;
}

function refuseRepeats(problems: Problems, at: string, parts: readonly IdPart[]): void {
  const texts = parts.filter((part) => part !== BROKEN).map(sourceText);
  const repeated = new Set(texts.filter((text, index) => texts.indexOf(text) < index));
  for (const text of repeated) {
    problems.add(at, `${text} twice`, 'parts that differ', 'join each part once');
  }
}

function refuseDeviceAlone(
  problems: Problems,
  at: string,
  id: IdSource,
  parts: readonly IdPart[],
  { deviceLevel }: IdTopic,
): void {
  const isDevice = (part: IdPart) => part.from === 'topic-level' && part.level === deviceLevel;
  if (!parts.every(isDevice)) return;
  problems.add(
    at,
    `${sourceText(id)}, the device's own level, which is the same in each of its messages`,
    'an id that differs from message to message',
    "take it from the body, e.g. id: payload('id'), or from another level of the topic",
  );
}
