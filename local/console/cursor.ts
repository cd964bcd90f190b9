/** Where the next page of a table begins, as a text that a page hands back. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export interface Cursor {
  /** Which of several partitions is being read, from 0. */
  readonly shard: number;
  readonly key: Readonly<Record<string, AttributeValue>> | undefined;
}

const CURSOR_CHARS_MAX = 8_192;
const KEYS = new Set(['pk', 'id', 'sk', 'accountPeriod', 'occurrence', 'routeDay', 'receivedAt']);

export function writeCursor({ shard, key }: Cursor): string {
  const texts = Object.entries(key ?? {}).map(([name, value]) => [name, value.S ?? '']);
  return Buffer.from(JSON.stringify([shard, Object.fromEntries(texts)])).toString('base64url');
}

/**
 * Reads a cursor; the first page has none.
 * @throws RangeError for what no page has given
 */
export function readCursor(text: string | undefined, shards: number): Cursor {
  if (text === undefined) return { shard: 0, key: undefined };
  const fault = new RangeError(
    'The cursor is none that a page has given; begin with the first page.',
  );
  if (text.length > CURSOR_CHARS_MAX) throw fault;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw fault;
  }
  if (!Array.isArray(value) || value.length !== 2) throw fault;
  const [shard, texts] = value as readonly unknown[];
  if (typeof shard !== 'number' || !Number.isInteger(shard) || shard < 0 || shard >= shards) {
    throw fault;
  }
  if (typeof texts !== 'object' || texts === null || Array.isArray(texts)) throw fault;
  const entries = Object.entries(texts);
  if (entries.length === 0) return { shard, key: undefined };
  const isKey = entries.every(
    ([name, part]) => KEYS.has(name) && typeof part === 'string' && part !== '',
  );
  if (!isKey) throw fault;
  return {
    shard,
    key: Object.fromEntries(entries.map(([name, part]) => [name, { S: String(part) }])),
  };
}
