/** Every broken variant is caught, by what it says and as it says; the list is printed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { print } from '../../cli/output/print.ts';
import { variants } from './catalogue.ts';
import { judgeSimulated, judgeTested } from './judge.ts';
import { conclusion, isProven, proofMarkdown, proofTable } from './report.ts';
import { type Proof, proveVariants } from './run.ts';
import { simulate } from './simulated.ts';
import { EditMissedError, type Invariant, SIMULATED, sourcesOf, type Variant } from './variant.ts';

const INVARIANTS: readonly Invariant[] = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7'];

/** The rows of regressions that others have had, each of which a variant is named after. */
const REGRESSIONS = [
  'pulsar#5218',
  'emqx#16721',
  'powertools-typescript#5675',
  'powertools-typescript#5714',
  'powertools-typescript#5715',
  'powertools-python#4759',
  'nats-server#7302',
  'fxa#21129',
  'thingsboard#5714',
  'iotedge-lorawan-starterkit#1152',
  'rafiki#223',
];

function variant(changes: Partial<Variant> = {}): Variant {
  const edit = { file: 'core/base/hash.ts', from: "digest('hex')", to: "digest('base64')" };
  return {
    ...{ name: 'a-variant', after: 'ours', fault: 'none', breaks: ['I3'] },
    ...{ edits: [edit], checks: [SIMULATED] },
    ...changes,
  };
}

describe('the broken variants', () => {
  let proof: Proof;
  beforeAll(async () => {
    proof = await proveVariants(variants);
    print(proofTable(proof));
    print(conclusion(proof));
  }, 600_000);

  it('are all caught, each under an invariant that it says it breaks', () => {
    expect(conclusion(proof)).not.toContain('NOT caught');
    expect(isProven(proof)).toBe(true);
  });

  it('leave the code itself alone, which passes the same schedules', () => {
    expect(proof.control?.failure).toBeUndefined();
    expect(proof.control?.schedules).toBeGreaterThanOrEqual(1_000);
  });

  it.each(INVARIANTS)('show that the simulation can see %s broken', (invariant) => {
    const seen = proof.findings.filter(
      ({ check, said }) => check.by === 'simulation' && said.startsWith(`${invariant},`),
    );
    expect(seen.map(({ variant: { name } }) => name)).not.toEqual([]);
  });

  it.each(REGRESSIONS)('have one that is named after %s', (regression) => {
    expect(variants.some(({ after }) => after.includes(regression))).toBe(true);
  });

  it('have each a name, a file to change and a check of their own', () => {
    const names = variants.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, edits, checks, breaks } of variants) {
      expect([edits.length, checks.length, breaks.length], name).not.toContain(0);
    }
  });
});

describe('a variant whose text is not in the code any more', () => {
  it('is refused, and says which text of which file', () => {
    const edits = [{ file: 'core/base/hash.ts', from: 'what never stood there', to: '' }];
    expect(() => sourcesOf(variant({ edits }))).toThrow(EditMissedError);
    expect(() => sourcesOf(variant({ edits }))).toThrow(
      /a-variant: a text stands 0 times in core\/base\/hash\.ts.*what never stood there/,
    );
  });

  it('is refused where the text stands twice, for nobody knows which is meant', () => {
    const edits = [{ file: 'core/base/hash.ts', from: 'topicBytes', to: '' }];
    expect(() => sourcesOf(variant({ edits }))).toThrow(/stands 4 times/);
  });

  it('ends the whole run, before anything is run', async () => {
    const edits = [{ file: 'core/base/hash.ts', from: 'what never stood there', to: '' }];
    await expect(proveVariants([variant({ edits })])).rejects.toThrow(EditMissedError);
  });
});

describe('a variant that is no fault', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-variants-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const harmless = variant({
    name: 'harmless',
    edits: [{ file: 'core/base/hash.ts', from: "bytes, 'hex')", to: 'bytes, `hex`)' }],
  });

  it('survives, and is said to', async () => {
    const run = await simulate(harmless, 20, folder);
    const finding = judgeSimulated(harmless, SIMULATED, run);
    expect(finding).toMatchObject({ fault: 'survived 20 schedules', said: '' });
    const proof = { findings: [finding], control: undefined };
    expect(isProven(proof)).toBe(false);
    for (const shown of [proofTable(proof), proofMarkdown(proof), conclusion(proof)]) {
      expect(shown).toMatch(/not caught.*survived/is);
    }
  });

  it('cannot be simulated where the simulation does not run the source', async () => {
    const edits = [{ file: 'lib/constructs/acknowledge.ts', from: 'export', to: ' export' }];
    await expect(simulate(variant({ edits }), 1, folder)).rejects.toThrow(
      /holds nothing of .*acknowledge\.ts/,
    );
  });
});

describe('a catch', () => {
  const failure = { seed: 11, invariant: 'I4', what: 'never forwarded' } as const;

  it('under an invariant that the variant does not name is none', () => {
    const finding = judgeSimulated(variant(), SIMULATED, { schedules: 5, failure });
    expect(finding.fault).toBe('caught under I4, and not under I3');
    expect(isProven({ findings: [finding], control: undefined })).toBe(false);
  });

  it('says how many schedules it took, and the seed of the last', () => {
    const broken = variant({ breaks: ['I4'] });
    const finding = judgeSimulated(broken, SIMULATED, { schedules: 5, failure });
    expect(finding).toMatchObject({ fault: undefined, after: '5 schedules' });
    expect(finding.said).toBe('I4, seed 11: never forwarded');
  });

  it('is none while the code itself fails', () => {
    expect(isProven({ findings: [], control: { schedules: 5, failure } })).toBe(false);
    expect(isProven({ findings: [], control: { schedules: 5, failure: undefined } })).toBe(true);
  });

  const check = { by: 'test', file: 'test/x.test.ts', title: 'a suite a test' } as const;
  const outcome = { variant: 'a-variant', file: check.file, said: '' };

  it.each([
    ['the test fails and another passes', ['failed', 'passed'], undefined],
    ['the test passes', ['passed', 'failed'], 'survived the test'],
    ['everything fails', ['failed', 'failed'], 'every test of the file fails'],
    ['the test was skipped', ['skipped', 'passed'], 'survived the test'],
  ] as const)('by a test: %s', (_, [one, other], fault) => {
    const outcomes = [
      { ...outcome, title: 'a suite a test', state: one },
      { ...outcome, title: 'a suite a test of something else', state: other },
      { ...outcome, variant: 'another', title: 'a suite a test', state: 'failed' as const },
    ];
    expect(judgeTested(variant(), check, outcomes).fault).toBe(fault);
  });

  it('by a test that does not exist is none', () => {
    expect(judgeTested(variant(), check, []).fault).toBe('there is no test “a suite a test”');
  });
});
