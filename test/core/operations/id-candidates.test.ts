/** Goal: whatever an id was made of, what a receipt tells leads back to its key. */
import { expect, it } from 'vitest';
import { candidatesOf } from '../../../core/operations/id-candidates.ts';

const keysOf = (told: string) => candidatesOf(told).map(({ reading, key }) => `${reading} ${key}`);

it.each([
  ['a-1', ['text a-1', 'correlation data cor:a-1']],
  ['7', ['text 7', 'integer int:7', 'correlation data cor:7']],
  ['120', ['text 120', 'integer int:120', 'correlation data cor:120']],
  ['-7', ['text -7', 'integer int:-7', 'correlation data cor:-7']],
  ['int:7', ['text str:int:7', 'key int:7', 'sequence seq:int:7', 'correlation data cor:int:7']],
  ['3:7', ['text 3:7', 'sequence seq:3:7', 'sequence seq:int:3:7', 'correlation data cor:3:7']],
  ['a:07', ['text a:07', 'correlation data cor:a:07']],
])('takes %j for each of %j', (told, keys) => {
  expect(keysOf(told).filter((key) => keys.includes(key))).toEqual(keys);
});

it('gives no key twice, and none that a table would refuse', () => {
  const keys = candidatesOf('x'.repeat(253)).map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toEqual(['x'.repeat(253)]);
  expect(candidatesOf('')).toEqual([]);
  expect(candidatesOf('\ud800')).toEqual([]);
});
