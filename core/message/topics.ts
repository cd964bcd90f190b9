/** MQTT topics and topic filters (MQTT 3.1.1 §4.7) under IoT Core's limits. */
import { TOPIC_BYTES_MAX, TOPIC_SLASHES_MAX } from '../base/limits.ts';

const BASIC_INGEST = /^\$aws\/rules\/[^/]+\//;

/** The bridge's own topics: receipts, release, query. */
export const OWN_TOPICS = 'tollbridge/#';

/** A topic as the device means it: without Basic Ingest's `$aws/rules/NAME/`. */
export function stripBasicIngest(topic: string): string {
  return topic.replace(BASIC_INGEST, '');
}

/** The n-th level of a topic, from 1 as `topic(n)` in rule SQL counts; undefined past the end. */
export function levelOf(topic: string, n: number): string | undefined {
  return topic.split('/')[n - 1];
}

/** Whether a topic matches a filter; a leading wildcard does not match `$` topics (§4.7.2). */
export function topicMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false;
  for (const [index, level] of wanted.entries()) {
    // Before the length is looked at: `a/#` also matches `a` (§4.7.1.2).
    if (level === '#') return true;
    if (index >= levels.length) return false;
    if (level !== '+' && level !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}

/** Whether some topic matches both filters. */
export function filtersOverlap(one: string, other: string): boolean {
  // A leading wildcard does not match `$` topics (§4.7.2).
  if (one.startsWith('$') && /^[+#]/.test(other)) return false;
  if (other.startsWith('$') && /^[+#]/.test(one)) return false;
  return levelsOverlap(one.split('/'), other.split('/'));
}

function levelsOverlap(one: readonly string[], other: readonly string[]): boolean {
  const [a, ...restOfOne] = one;
  const [b, ...restOfOther] = other;
  if (a === '#' || b === '#') return true;
  if (a === undefined || b === undefined) {
    // The parent level: `a` and `a/#` share the topic `a`.
    return a === b || (a ?? b) === '#';
  }
  const same = a === b || a === '+' || b === '+';
  return same && levelsOverlap(restOfOne, restOfOther);
}

/** What is wrong with a topic filter for use in a rule, or undefined. */
export function filterFault(filter: string): string | undefined {
  const levels = filter.split('/');
  if (filter === '') return 'it is empty';
  if (!filter.isWellFormed()) return 'it is not well-formed Unicode';
  if (/[\p{Cc}'"\\]/u.test(filter)) return 'it has a quote, backslash or control character';
  if (/\s/.test(filter)) return 'it has white space';
  if (filter.includes('${')) return 'it has a substitution template';
  // A policy would let devices publish what no rule takes.
  if (/[*?]/.test(filter)) return 'it has * or ?, wildcards of a device policy and of no rule';
  if (Buffer.byteLength(filter) > TOPIC_BYTES_MAX)
    return `it is longer than ${TOPIC_BYTES_MAX} bytes`;
  if (levels.length - 1 > TOPIC_SLASHES_MAX) return `it has more than ${TOPIC_SLASHES_MAX} slashes`;
  if (levels.some((level) => level === '')) return 'it has an empty level';
  if (levels.slice(0, -1).includes('#')) return '# is not its last level';
  if (levels.some((level) => /[+#]/.test(level) && level.length > 1)) {
    return '+ and # stand for a whole level';
  }
  return undefined;
}

/** What is wrong with a topic to publish on, or undefined. */
export function topicFault(topic: string): string | undefined {
  if (topic === '') return 'it is empty';
  if (/[+#\0]/.test(topic)) return 'it has a wildcard or a zero byte';
  if (Buffer.byteLength(topic) > TOPIC_BYTES_MAX)
    return `it is longer than ${TOPIC_BYTES_MAX} bytes`;
  if (topic.split('/').length - 1 > TOPIC_SLASHES_MAX) {
    return `it has more than ${TOPIC_SLASHES_MAX} slashes`;
  }
  return undefined;
}
