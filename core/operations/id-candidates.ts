/**
 * From an id as a person has it (out of a receipt, a log or a table) back to the keys that it can
 * have. A text alone does not say what it was: `7` can be the string or the number, `b:7` a string
 * or the seventh of the epoch b. So every reading is given, each with its name.
 */
import { LosslessNumber } from 'lossless-json';
import type { JsonValue } from '../base/json.ts';
import { encodeId } from '../message/id.ts';
import { type IdFormat, parseReceiptId } from '../wire/receipt-ids.ts';

export type IdTaking = 'text' | 'integer' | 'key' | 'sequence' | 'correlation data';

export interface IdCandidate {
  /** What the text was taken for. */
  readonly reading: IdTaking;
  /** The sort key of its row. */
  readonly key: string;
}

/** Each key once, the plainest reading first; none where the text can be no id at all. */
export function candidatesOf(told: string): readonly IdCandidate[] {
  if (told === '') return [];
  // By JSON's grammar: 007 is no number that a device can send.
  const isInteger = /^-?(?:0|[1-9]\d*)$/.test(told);
  const takings: readonly (readonly [IdTaking, IdFormat, JsonValue])[] = [
    ['text', 'plain', told],
    ...(isInteger ? [['integer', 'plain', new LosslessNumber(told)] as const] : []),
    ['key', 'key', told],
    ['sequence', 'sequence', told],
    ['correlation data', 'correlation-data', told],
  ];
  const seen = new Set<string>();
  return takings
    .flatMap(([reading, telling, value]) =>
      parseReceiptId(telling, value).map((id) => ({ reading, key: encodeId(id) })),
    )
    .filter(({ key }) => !seen.has(key) && seen.add(key));
}
