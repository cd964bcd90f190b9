import { describe, expect, it } from 'vitest';
import { type Check, checksOf } from './checks.ts';
import { nameOf, type PanResult, reachedIn, readPan, readStatements } from './pan-output.ts';
import { surpriseOf } from './report.ts';

const FULL = `(Spin Version 6.5.2 -- 6 December 2019)
	+ Partial Order Reduction
	+ Compression

Full statespace search for:
	never claim         	- (none specified)
	assertion violations	+
	cycle checks       	- (disabled by -DSAFETY)
	invalid end states	+

State-vector 88 byte, depth reached 437, errors: 0
  5078621 states, stored
 12078621 states, matched

  196.255	total actual memory usage

unreached in proctype Rule
	record.pml:105, state 15, "-end-"
	(1 of 15 states)
unreached in init
	record.pml:324, state 48, "printf('wrong device\\n')"
	(1 of 48 states)
pan: elapsed time 7.74 seconds
`;
const FAILED = `pan:1: assertion violated (((row[0].body==m)||kept[m])||i2) (at depth 49)
pan: wrote record.pml.trail
Warning: Search not completed
State-vector 80 byte, depth reached 49, errors: 1
      120 states, stored
pan: elapsed time 0 seconds
`;

describe('the output of the verifier', () => {
  it('gives the figures of a full search', () => {
    expect(readPan(FULL)).toEqual({
      errors: 0,
      failed: undefined,
      states: 5_078_621,
      depth: 437,
      seconds: 7.74,
      memoryMiB: 196,
      incomplete: undefined,
      unreached: [
        { process: 'Rule', state: 15 },
        { process: 'init', state: 48 },
      ],
    });
  });

  it('gives states in the millions as it rounds them, and a fraction as it stands', () => {
    expect(readPan(FULL.replace('5078621', '1.2e+07')).states).toBe(12_000_000);
  });

  it('names the property by the last word of the assertion', () => {
    expect(readPan(FAILED)).toMatchObject({ errors: 1, failed: 'i2', incomplete: undefined });
  });

  it('names a cycle without an end as the property that everything ends', () => {
    const cycle = FAILED.replace(/assertion violated .*\|\|i2\)/, 'acceptance cycle');
    expect(readPan(cycle).failed).toBe('live');
  });

  it('passes on what is no property: an invalid end is no i1 to i7', () => {
    const end = FAILED.replace(/assertion violated .*\|\|i2\)/, 'invalid end state');
    expect(readPan(end).failed).toBe('invalid end state');
    const unnamed = FAILED.replace('||i2)', '||k)');
    expect(readPan(unnamed).failed).toMatch(/^assertion violated/);
  });

  it.each([
    ['error: max search depth too small', 'greatest depth'],
    ['pan: reached -DMEMLIM bound', 'memory'],
    ['pan: out of memory', 'memory'],
    ['Bit statespace search for:', 'hash'],
    ['Warning: Search not completed', 'not completed'],
  ])('does not take a search for exhaustive that says: %s', (line, why) => {
    expect(readPan(`${line}\n${FULL}`).incomplete).toContain(why);
  });

  it('refuses a text without a search', () => {
    expect(() => readPan('pan: error: too many processes')).toThrow(/did not end its search/);
  });

  it('counts a statement as reached when one of its copies is', () => {
    const statements = readStatements(
      [
        'proctype Rule',
        "\tstate  48 -(tr 115)-> state 2 [id 0 tp 2] [A-e-G] record.pml:324 => printf('late\\n')",
        "\tstate  49 -(tr 116)-> state 2 [id 1 tp 2] [A-e-G] record.pml:324 => printf('late\\n')",
        '\tstate  50 -(tr 117)-> state 2 [id 2 tp 2] [A-e-G] record.pml:325 => d = 1',
        '\tstate  51 -(tr   2)-> state 2 [id 3 tp 2] [A-e-G] record.pml:325 => else',
        'init',
        '\tstate  48 -(tr 118)-> state 2 [id 4 tp 2] [A-e-G] record.pml:330 => (run Rule())',
      ].join('\n'),
    );
    expect(statements.map(({ text }) => text)).not.toContain('else');
    const missed = [
      { process: 'Rule', state: 48 },
      { process: 'Rule', state: 50 },
    ];
    expect([...reachedIn(statements, missed)]).toEqual([
      "Rule record.pml:324 printf('late\\n')",
      'init record.pml:330 (run Rule())',
    ]);
    expect(statements.map(nameOf)).toContain('Rule record.pml:325 d = 1');
  });
});

describe('a surprise', () => {
  const result: PanResult = readPan(FULL);
  const [bound] = checksOf(false).filter(({ kind }) => kind === 'bound');
  const [variant] = checksOf(false).filter(({ kind }) => kind === 'variant');
  const surprise = (check: Check | undefined, changed: Partial<PanResult>) =>
    check && surpriseOf({ check, result: { ...result, ...changed } });

  it('is a bound in which a property fails', () => {
    expect(surprise(bound, {})).toBeUndefined();
    expect(surprise(bound, { errors: 1, failed: 'i4' })).toBe('i4 fails');
  });

  it('is a variant that survives, or that breaks another property than its own', () => {
    expect(variant).toMatchObject({ breaks: 'i2' });
    expect(surprise(variant, { errors: 1, failed: 'i2' })).toBeUndefined();
    expect(surprise(variant, {})).toBe('i2 should fail, and holds');
    expect(surprise(variant, { errors: 1, failed: 'i3' })).toMatch(/^i2 should fail, and i3/);
  });

  it('is a search that was cut, whatever it found', () => {
    expect(surprise(bound, { incomplete: 'cut' })).toBe('cut');
    expect(surprise(variant, { errors: 1, failed: 'i2', incomplete: 'cut' })).toBe('cut');
  });
});

describe('the checks', () => {
  it.each([false, true])('have names of their own in each model (large: %s)', (isLarge) => {
    const names = checksOf(isLarge).map(({ model, name }) => `${model}/${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('break every property at least once', () => {
    const broken = checksOf(false).flatMap((each) => (each.kind === 'variant' ? each.breaks : []));
    expect([...new Set(broken)].toSorted()).toEqual([
      'i1',
      'i2',
      'i3',
      'i4',
      'i5',
      'i6',
      'i7',
      'live',
    ]);
  });
});
