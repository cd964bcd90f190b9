/** Between rows and DynamoDB attributes. A decimal becomes a number from its text, never a float. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Value } from '../../core/tables/row.ts';

/** @throws TypeError for a value that no row has */
export function attributeOf(value: Value): AttributeValue {
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number' && Number.isSafeInteger(value)) return { N: String(value) };
  if (value instanceof Uint8Array) return { B: value };
  if (Array.isArray(value)) return { L: value.map((item) => ({ S: item })) };
  if (typeof value === 'object' && 'decimal' in value) return { N: value.decimal };
  throw new TypeError(`a row holds no ${typeof value} such as ${String(value)}`);
}

/** @throws TypeError when the attribute is missing or of another type: the row is not ours */
export function textOf(row: Readonly<Record<string, AttributeValue>>, name: string): string {
  const text = row[name]?.S;
  if (text === undefined) throw new TypeError(`the row has no text in ${name}`);
  return text;
}

/** @throws TypeError when the attribute is missing or neither text nor bytes */
export function bytesOrTextOf(
  row: Readonly<Record<string, AttributeValue>>,
  name: string,
): string | Uint8Array {
  return row[name]?.B ?? textOf(row, name);
}

/** @throws TypeError when the attribute is missing or no integer that a float holds exactly */
export function integerOf(row: Readonly<Record<string, AttributeValue>>, name: string): number {
  const integer = Number(row[name]?.N);
  if (!Number.isSafeInteger(integer)) throw new TypeError(`the row has no integer in ${name}`);
  return integer;
}
