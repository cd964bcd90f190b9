/** Checks where the parts of a message are found: the sources of `sources.ts`, one by one. */
import { isObject, type Problems, quote } from './problems.ts';
import type { PayloadSource, TimestampSource, TopicLevelSource } from './sources.ts';

/** Dotted keys, none of them empty. */
export function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.split('.').every((key) => key !== '');
}

/** A path that is wrong; rules that look at paths pass it over. */
export const NO_PATH = '';

export function checkPayload(
  problems: Problems,
  at: string,
  source: unknown,
  fix: string,
): PayloadSource {
  return { from: 'payload', path: pathOf(problems, at, source, 'payload', fix) };
}

export function checkTimestamp(
  problems: Problems,
  at: string,
  source: unknown,
  fix: string,
): TimestampSource {
  return { from: 'timestamp', path: pathOf(problems, at, source, 'timestamp', fix) };
}

function pathOf(
  problems: Problems,
  at: string,
  source: unknown,
  wanted: 'payload' | 'timestamp',
  fix: string,
): string {
  const { from, path } = isObject(source) ? source : {};
  if (isObject(source)) problems.onlyKeys(at, source, ['from', 'path']);
  if (from === wanted && isPath(path)) return path;
  const got =
    from === 'payload' || from === 'timestamp' ? `${from}(${quote(path)})` : quote(source);
  const allowed = `${wanted}('path'), a field of the body; dots lead into objects`;
  problems.add(at, got, allowed, `write ${fix}`);
  return NO_PATH;
}

/** The device is a `+` of the filter. */
export function checkDevice(
  problems: Problems,
  at: string,
  source: unknown,
  topic: string,
): TopicLevelSource {
  const levels = topic.split('/');
  const plus = levels.flatMap((level, index) => (level === '+' ? [index + 1] : []));
  const allowed =
    plus.length > 0
      ? `topicLevel(n) where level n of '${topic}' is a +: ${plus.join(' or ')}`
      : 'topicLevel(n) where level n of the topic is a +';
  const { from, level } = isObject(source) ? source : {};
  if (isObject(source)) problems.onlyKeys(at, source, ['from', 'level']);
  if (from !== 'topic-level' || typeof level !== 'number') {
    problems.add(at, quote(source), allowed, `write device: topicLevel(${plus[0] ?? 'n'})`);
    return { from: 'topic-level', level: 0 };
  }
  if (topic !== '' && !plus.includes(level)) {
    const fix =
      plus[0] === undefined
        ? 'put a + into the topic for the device'
        : `write device: topicLevel(${plus[0]})`;
    problems.add(at, levelText(level, levels), allowed, fix);
  }
  return { from: 'topic-level', level };
}

/** A level as it stands in a filter. */
export function levelText(level: number, levels: readonly string[]): string {
  const found = levels[level - 1];
  return `topicLevel(${level}), ${found === undefined ? 'which the filter does not have' : `which is '${found}'`}`;
}

/** The paths of `sameBody: ignoring(…)`; null where the bytes have to be equal. */
export function checkSameBody(
  problems: Problems,
  at: string,
  sameBody: unknown,
): readonly string[] | null {
  if (sameBody === undefined) return null;
  if (isObject(sameBody)) problems.onlyKeys(at, sameBody, ['ignoring']);
  const { ignoring } = isObject(sameBody) ? sameBody : {};
  const allowed = 'ignoring(…) with one field of the body or more; dots lead into objects';
  const fix = "leave it out to compare the bytes, or write e.g. sameBody: ignoring('sentAt')";
  if (!Array.isArray(ignoring)) {
    problems.add(at, quote(sameBody), allowed, fix);
    return null;
  }
  if (ignoring.length === 0) problems.add(at, 'ignoring(), with no field', allowed, fix);
  const paths: readonly unknown[] = ignoring;
  for (const path of paths) {
    if (!isPath(path)) problems.add(at, `ignoring(${quote(path)})`, allowed, fix);
  }
  return paths.filter(isPath);
}
