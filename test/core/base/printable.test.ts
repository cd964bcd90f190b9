import { describe, expect, it } from 'vitest';
import { printable, quoted } from '../../../core/base/printable.ts';

describe('text of devices', () => {
  it.each([
    ['plain é😀 "text"', 'plain é😀 "text"'],
    ['\u001b[31m', '\\u{1b}[31m'],
    ['\u009b2J', '\\u{9b}2J'],
    ['a\u0000b\r\n', 'a\\u{0}b\\u{d}\\u{a}'],
    ['\u202egpj.exe', '\\u{202e}gpj.exe'],
    ['\u2028', '\\u{2028}'],
    ['a\ud800b', 'a\ufffdb'],
  ])('%j is shown as %j', (text, shown) => {
    expect(printable(text, 64)).toBe(shown);
  });

  it('is cut, and never leaves half a character behind', () => {
    expect(printable('x'.repeat(1_000), 64)).toBe('x'.repeat(64));
    expect(printable('x😀', 2)).toBe('x\ufffd');
    expect(quoted('abc', 2)).toBe('"ab"');
  });
});
