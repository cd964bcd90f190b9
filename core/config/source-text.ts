/**
 * A source as it is written in the configuration. Problems quote it and the lock file pins it, so
 * two sources have one text only if they read the same.
 */
import type { IdSource, SameBody } from './sources.ts';

export function sourceText(source: IdSource): string {
  switch (source.from) {
    case 'payload':
      return `payload(${text(source.path)})`;
    case 'topic-level':
      return `topicLevel(${source.level})`;
    case 'sequence':
      return `sequence(${text(source.path)}, { epoch: ${text(source.epochPath)} })`;
    case 'timestamp':
      return `timestamp(${text(source.path)})`;
    case 'content-hash':
      // The hash is that of canonical JSON, so the order of its fields says nothing.
      return `contentHash(${list(source.paths)})`;
    case 'user-property':
      return `userProperty(${text(source.name)})`;
    case 'correlation-data':
      return 'correlationData()';
    case 'all':
      return `all(${source.parts.map(sourceText).join(', ')})`;
  }
}

export function ignoringText({ ignoring }: SameBody): string {
  return `ignoring(${list(ignoring)})`;
}

function list(paths: readonly string[]): string {
  return [...new Set(paths)].toSorted().map(text).join(', ');
}

/** In single quotes, with whatever would end or blur them escaped. */
function text(value: string): string {
  return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
