import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../core/config/check.ts';
import { LockError } from '../../core/config/lock.ts';
import { LockFileError } from '../../core/config/lock-text.ts';
import type { Bridge } from '../../core/config/route.ts';
import { payload } from '../../core/config/sources.ts';
import { acceptedNames, carryOut, isCi, type LockSetting, planLock } from '../../lib/lock-file.ts';
import { charges } from '../../tools/handlers/samples.ts';

const before = checkConfig({ routes: { charges } });
const otherId = checkConfig({ routes: { charges: { ...charges, id: payload('uuid') } } });
const oneMore = checkConfig({ routes: { charges, meters: { ...charges, topic: 'meters/+' } } });

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollbridge-lock-'));
  path = join(folder, 'tollbridge.lock.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A run of the app, as far as the lock goes; what it said. */
function run(bridge: Bridge, setting: Partial<LockSetting> = {}): readonly string[] {
  const said: string[] = [];
  const plan = planLock({ path, bridge, accepted: [], isCi: false, ...setting });
  carryOut(plan, path, (text) => said.push(text));
  return said;
}

function lockText(): string {
  return readFileSync(path, 'utf8');
}

describe('the lock file', () => {
  it('is made by the first run, which says so', () => {
    expect(run(before)).toEqual([
      'tollbridge.lock.json is new: commit it beside tollbridge.config.ts',
    ]);
    expect(lockText()).toContain('"id": "payload(\'id\')"');
    expect(readdirSync(folder)).toEqual(['tollbridge.lock.json']);
  });

  it('is left alone, and nothing is said, while nothing changes', () => {
    run(before);
    writeFileSync(path, JSON.stringify(JSON.parse(lockText())));
    const text = lockText();
    expect(run(before)).toEqual([]);
    expect(run(before, { isCi: true })).toEqual([]);
    expect(lockText()).toBe(text);
  });

  it('gains new routes', () => {
    run(before);
    expect(run(oneMore)).toEqual(['tollbridge.lock.json has the new routes: commit it']);
    expect(lockText()).toContain('"meters"');
    expect(run(oneMore)).toEqual([]);
  });

  it('holds against a change that nobody accepted', () => {
    run(before);
    const text = lockText();
    expect(() => run(otherId)).toThrow(LockError);
    expect(() => run(before)).not.toThrow();
    run(oneMore);
    expect(() => run(before)).toThrow(/meters[\s\S]*not there/);
    rmSync(path);
    run(before);
    expect(lockText()).toBe(text);
  });

  it('takes in a change that is accepted by name, once', () => {
    run(before);
    expect(run(otherId, { accepted: ['charges.id'] })).toEqual([
      'tollbridge.lock.json now says what was accepted (charges.id): commit it',
    ]);
    expect(lockText()).toContain('"id": "payload(\'uuid\')"');
    expect(run(otherId)).toEqual([]);
    expect(() => run(otherId, { accepted: ['charges.id'] })).toThrow('accepts nothing');
  });

  it('is not written where a name accepts nothing', () => {
    run(before);
    const text = lockText();
    const accepted = ['charges.id', 'charge.id'];
    expect(() => run(otherId, { accepted })).toThrow("'charge.id', which accepts nothing");
    expect(lockText()).toBe(text);
    rmSync(path);
    expect(() => run(before, { accepted: ['charges.id'] })).toThrow('accepts nothing');
    expect(existsSync(path)).toBe(false);
  });

  it('is not written by a decision alone: the template comes first', () => {
    expect(planLock({ path, bridge: before, accepted: [], isCi: false }).kind).toBe('write');
    expect(existsSync(path)).toBe(false);
  });

  it.each(['', '{', '{"lockVersion":2}', '<<<<<<< HEAD\n{}\n'])(
    'that is malformed is refused and never written over: %j',
    (text) => {
      writeFileSync(path, text);
      expect(() => run(before)).toThrow(LockFileError);
      expect(() => run(before, { accepted: ['charges.id'] })).toThrow(LockFileError);
      expect(lockText()).toBe(text);
    },
  );

  it('that is no file is refused', () => {
    mkdirSync(path);
    expect(() => run(before)).toThrow(/cannot be read: EISDIR/);
  });

  it('that cannot be written is an error, and leaves nothing behind', () => {
    const gone = join(folder, 'gone', 'tollbridge.lock.json');
    const plan = planLock({ path: gone, bridge: before, accepted: [], isCi: false });
    expect(() => carryOut(plan, gone, () => undefined)).toThrow(LockFileError);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('in CI', () => {
  it.each<[string, Bridge, readonly string[]]>([
    ['lacks new routes', oneMore, []],
    ['would have to change', otherId, ['charges.id']],
  ])('a lock file that %s is refused: the checkout is thrown away', (fault, bridge, accepted) => {
    run(before);
    const text = lockText();
    expect(() => run(bridge, { isCi: true, accepted })).toThrow(
      new RegExp(`${fault}[\\s\\S]*Run npx cdk synth on your own machine and commit`),
    );
    expect(lockText()).toBe(text);
  });

  it('a missing lock file is not made', () => {
    expect(() => run(before, { isCi: true })).toThrow('is missing, and CI is set');
    expect(existsSync(path)).toBe(false);
  });

  it('is wherever CI is set to anything but no', () => {
    expect(['true', '1', 'yes', 'TRUE'].map(isCi)).toEqual([true, true, true, true]);
    expect([undefined, '', '0', 'false', 'False'].map(isCi)).not.toContain(true);
  });
});

describe('accepted names', () => {
  it('come from the command line and the environment, each once', () => {
    expect(acceptedNames('a.id, b', 'b,c.device,')).toEqual(['a.id', 'b', 'c.device']);
    expect(acceptedNames(['a.id', 'b'], undefined)).toEqual(['a.id', 'b']);
    expect(acceptedNames(undefined, '', null)).toEqual([]);
  });
});
