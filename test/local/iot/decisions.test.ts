/** Decisions of policies that are remembered. */
import { expect, it } from 'vitest';
import { createDecisions } from '../../../local/iot/decisions.ts';

/** Counts what has to be decided. */
function counting() {
  const decisions = createDecisions();
  let decided = 0;
  return {
    decided: () => decided,
    of: (rights: object, key: string, decision: boolean) =>
      decisions.of(rights, key, () => {
        decided += 1;
        return decision;
      }),
  };
}

it.each([true, false])('what was decided is not decided again: %s', (decision) => {
  const decisions = counting();
  const rights = {};
  expect(decisions.of(rights, 'iot:Publish a', decision)).toBe(decision);
  expect(decisions.of(rights, 'iot:Publish a', !decision)).toBe(decision);
  expect(decisions.decided()).toBe(1);
});

it('rights that are another object, or another question, are decided for themselves', () => {
  const decisions = counting();
  const rights = { policies: [] };
  expect(decisions.of(rights, 'a', true)).toBe(true);
  expect(decisions.of({ policies: [] }, 'a', false)).toBe(false);
  expect(decisions.of(rights, 'b', false)).toBe(false);
  expect(decisions.decided()).toBe(3);
});

it('one who asks for thing after thing fills no memory: at 10,000 all of his are forgotten', () => {
  const decisions = counting();
  const rights = {};
  const other = {};
  decisions.of(other, '0', true);
  for (let key = 0; key < 10_000; key += 1) decisions.of(rights, String(key), true);
  decisions.of(rights, '0', true);
  expect(decisions.decided()).toBe(10_001);
  decisions.of(rights, 'one more', true);
  decisions.of(rights, '0', true);
  decisions.of(other, '0', true);
  expect(decisions.decided()).toBe(10_003);
});

it('nor does one who asks for very long things', () => {
  const decisions = counting();
  const rights = {};
  const longest = 'x'.repeat(2_000);
  for (let time = 0; time < 2; time += 1) decisions.of(rights, longest, true);
  expect(decisions.decided()).toBe(1);
  for (let time = 0; time < 2; time += 1) decisions.of(rights, `${longest}x`, true);
  expect(decisions.decided()).toBe(3);
});
