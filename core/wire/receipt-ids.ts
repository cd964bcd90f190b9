/**
 * The way back from what receipts call an id to the id itself, for release and query: there no body
 * says what the id was made of. Bound to `id-sources.ts` by the marks; `test/core/wire/receipt-ids.test.ts` goes
 * both ways through every source.
 */

import { isJsonNumber, type JsonValue } from '../base/json.ts';
import type { Route } from '../config/route.ts';
import { encodeId, type MessageId, readId, withinLength } from '../message/id.ts';

/** How a route's ids are told. */
export type IdFormat =
  /** As a text or an integer of the device. */
  | 'plain'
  /** As `epoch:number`. */
  | 'sequence'
  /** As base64. */
  | 'correlation-data'
  /** As the key itself. */
  | 'key'
  /** There are none (`latest`). */
  | 'none';

export function idTellingOf(route: Route): IdFormat {
  if (route.guarantee === 'latest') return 'none';
  switch (route.id.from) {
    case 'payload':
    case 'topic-level':
    case 'user-property':
      return 'plain';
    case 'sequence':
      return 'sequence';
    case 'correlation-data':
      return 'correlation-data';
    case 'timestamp':
    case 'content-hash':
    case 'all':
      return 'key';
  }
}

/**
 * The ids that may be meant; none where it can be no id of the route. They are two where an epoch
 * is all digits: receipts do not tell the epoch 7 from the epoch "7".
 */
export function parseReceiptId(
  format: IdFormat,
  value: JsonValue | undefined,
): readonly MessageId[] {
  const reading = readId(value, 'the id');
  return reading.ok ? idsDisplayedAs(format, reading.id) : [];
}

/** The same, of an id that has been read already. */
export function idsDisplayedAs(format: IdFormat, id: MessageId): readonly MessageId[] {
  if (format === 'plain') return [id];
  if (id.kind !== 'text') return [];
  return madeOf(format, id.text).filter((made) => withinLength('the id', made).ok);
}

function madeOf(format: Exclude<IdFormat, 'plain'>, told: string): readonly MessageId[] {
  switch (format) {
    case 'sequence':
      return sequencesTold(told);
    case 'correlation-data':
      return [{ kind: 'made', key: `cor:${told}`, told }];
    case 'key':
      return [{ kind: 'made', key: told, told }];
    case 'none':
      return [];
  }
}

function sequencesTold(told: string): readonly MessageId[] {
  const [, epoch, number] = /^(.+):(0|[1-9]\d*)$/s.exec(told) ?? [];
  if (epoch === undefined || number === undefined) return [];
  const epochs: MessageId[] = [{ kind: 'text', text: epoch }];
  if (/^-?\d+$/.test(epoch)) epochs.push({ kind: 'integer', digits: epoch });
  return epochs.map((id) => ({ kind: 'made', key: `seq:${encodeId(id)}:${number}`, told }));
}

/** The id in an answer: as the device wrote it. */
export function displayId(value: JsonValue): MessageId {
  return isJsonNumber(value)
    ? { kind: 'integer', digits: value.value }
    : { kind: 'text', text: String(value) };
}
