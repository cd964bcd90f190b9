import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  filterFault,
  filtersOverlap,
  stripBasicIngest,
  topicFault,
  topicMatches,
} from '../../../core/message/topics.ts';

describe('topicMatches', () => {
  it.each([
    ['billing/+/charges', 'billing/dev-1/charges', true],
    ['billing/+/charges', 'billing//charges', true],
    ['billing/+/charges', 'billing/dev-1/charges/', false],
    ['billing/+/charges', 'billing/dev-1', false],
    ['billing/+/charges', 'Billing/dev-1/charges', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['#', 'a/b', true],
    ['#', '$aws/things', false],
    ['+/things', '$aws/things', false],
    ['$aws/+', '$aws/things', true],
    ['+', '', true],
  ])('says of filter %s and topic %s: %s', (filter, topic, expected) => {
    expect(topicMatches(filter, topic)).toBe(expected);
  });
});

const LEVELS = ['a', 'b', '$x', ''];
/** Every topic of up to four levels over the alphabet: more levels than any filter tried. */
const TOPICS = [1, 2, 3, 4].flatMap((count) =>
  Array.from({ length: LEVELS.length ** count }, (_, n) =>
    Array.from(
      { length: count },
      (_, at) => LEVELS[Math.floor(n / LEVELS.length ** at) % LEVELS.length],
    ).join('/'),
  ),
);
const filterArbitrary = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', '$x', '+'), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([levels, open]) => (open ? [...levels.slice(0, 2), '#'] : levels).join('/'));

describe('filtersOverlap', () => {
  it('is what trying every topic says', () => {
    const seen = { yes: 0, no: 0 };
    fc.assert(
      fc.property(filterArbitrary, filterArbitrary, (one, other) => {
        const shared = TOPICS.some(
          (topic) => topicMatches(one, topic) && topicMatches(other, topic),
        );
        seen[shared ? 'yes' : 'no']++;
        expect(filtersOverlap(one, other)).toBe(shared);
        expect(filtersOverlap(other, one)).toBe(shared);
      }),
      { seed: 20261120, numRuns: 1_500 },
    );
    expect(Math.min(seen.yes, seen.no)).toBeGreaterThan(100);
  });

  it('knows that a/# reaches its parent a', () => {
    expect(filtersOverlap('a', 'a/#')).toBe(true);
    expect(filtersOverlap('tollbridge', 'tollbridge/#')).toBe(true);
    expect(filtersOverlap('a/b', 'a/b/c')).toBe(false);
  });
});

describe('stripBasicIngest', () => {
  it.each([
    ['$aws/rules/tollbridge_charges/billing/dev-1/charges', 'billing/dev-1/charges'],
    ['billing/dev-1/charges', 'billing/dev-1/charges'],
    ['$aws/rules/one/$aws/rules/two/billing', '$aws/rules/two/billing'],
    ['x/$aws/rules/one/billing', 'x/$aws/rules/one/billing'],
    ['$aws/rules/one', '$aws/rules/one'],
    ['$aws/things/one/shadow', '$aws/things/one/shadow'],
  ])('makes of %s %s', (topic, expected) => {
    expect(stripBasicIngest(topic)).toBe(expected);
  });
});

describe('filterFault', () => {
  it.each([
    ['', 'empty'],
    ['a//b', 'empty level'],
    ['/a', 'empty level'],
    ['a/', 'empty level'],
    ['a/#/b', 'not its last level'],
    ['a/b+', 'whole level'],
    ['a/#b', 'whole level'],
    ["a/'b", 'quote'],
    ['a/"b', 'quote'],
    ['a/\\b', 'backslash'],
    ['a/\u0000', 'control character'],
    ['a/\u0085', 'control character'],
    ['a/b c', 'white space'],
    ['billing/*/charges', 'wildcards of a device policy'],
    ['billing/a?c', 'wildcards of a device policy'],
    ['a/\u00a0', 'white space'],
    [`a/$${'{topic()}'}`, 'substitution'],
    ['a/\ud800', 'well-formed'],
    [`a/${'x'.repeat(255)}`, '256 bytes'],
    ['a/b/c/d/e/f/g/h/i', '7 slashes'],
  ])('refuses %j', (filter, fault) => {
    expect(filterFault(filter)).toContain(fault);
  });

  it.each(['a', '+', '#', 'billing/+/charges', 'a/b/c/d/e/f/g/h', 'ü/+/#', `a/${'x'.repeat(254)}`])(
    'accepts %s',
    (filter) => {
      expect(filterFault(filter)).toBeUndefined();
    },
  );
});

describe('topicFault', () => {
  it.each([
    ['', 'empty'],
    ['a/+', 'wildcard'],
    ['a/#', 'wildcard'],
    ['a\u0000', 'zero byte'],
    ['ü'.repeat(129), '256 bytes'],
    ['a/b/c/d/e/f/g/h/i', '7 slashes'],
  ])('refuses %j', (topic, fault) => {
    expect(topicFault(topic)).toContain(fault);
  });

  it('accepts a topic at its limits', () => {
    expect(topicFault('ü'.repeat(128))).toBeUndefined();
    expect(topicFault('a/b/c/d/e/f/g/h')).toBeUndefined();
  });
});
