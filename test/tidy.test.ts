/** The house rules that the linter does not know. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['bin', 'cli', 'core', 'device', 'examples', 'lambda', 'lib', 'local', 'test'];
/** What is installed or built, not written. */
const GENERATED = new Set(['node_modules', 'dist']);
const LINES_MAX = 350;

interface Source {
  readonly path: string;
  readonly text: string;
  /** Files inside the project as their paths, packages as their names. */
  readonly imports: readonly string[];
}

/** Sources of a folder; none while the folder does not exist. */
function sourcesOf(folder: string): readonly Source[] {
  const top = join(ROOT, folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?ts$/.test(name))
    .filter((name) => !name.split(sep).some((part) => GENERATED.has(part)))
    .map((name) => read(join(folder, name)));
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, imports: importsOf(path, text) };
}

function importsOf(path: string, text: string): readonly string[] {
  const found = text.matchAll(
    /(?<!['"])\b(?:from|import|import\(|require\()\s*['"]([^'"\s,]+)['"]/g,
  );
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? join(dirname(path), name) : name,
  );
}

const sources = FOLDERS.flatMap(sourcesOf);

/** Imports that a rule forbids, each with the file it stands in. */
function breaches(folder: string, isForbidden: (name: string) => boolean): readonly string[] {
  return sourcesOf(folder).flatMap(({ path, imports }) =>
    imports.filter(isForbidden).map((name) => `${path} imports ${name}`),
  );
}

function within(...folders: readonly string[]): (name: string) => boolean {
  return (name) => folders.some((folder) => name === folder || name.startsWith(folder + sep));
}

describe('imports', () => {
  it('of core stay in core, but for hashing, lossless JSON and decimals', () => {
    const allowed = new Set(['node:crypto', 'lossless-json', 'big.js']);
    const isInside = within('core');
    expect(sourcesOf('core').length).toBeGreaterThan(20);
    expect(breaches('core', (name) => !isInside(name) && !allowed.has(name))).toEqual([]);
  });

  it('of lambda never reach the template, the local cloud, the commands or the CDK', () => {
    const isElsewhere = within('lib', 'local', 'cli', 'bin', 'test');
    const isCdk = (name: string) => /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/.test(name);
    expect(sourcesOf('lambda').length).toBeGreaterThan(10);
    expect(breaches('lambda', (name) => isElsewhere(name) || isCdk(name))).toEqual([]);
  });

  it('of lib never reach the local cloud, the commands or tests', () => {
    expect(breaches('lib', within('local', 'cli', 'test'))).toEqual([]);
  });

  it('of the local cloud come from the commands, bin and tests alone', () => {
    const others = FOLDERS.filter((folder) => !['local', 'cli', 'bin', 'test'].includes(folder));
    expect(others.flatMap((folder) => breaches(folder, within('local')))).toEqual([]);
  });

  it('of the device’s package are its own, of core, of Node.js, and what its package.json names', () => {
    const manifest = readFileSync(join(ROOT, 'device', 'package.json'), 'utf8');
    const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
    const isInside = within('core', 'device');
    const isOwn = (name: string) => isInside(name) || name.startsWith('node:');
    const isKnown = (name: string) => Object.hasOwn(dependencies, name);
    expect(sourcesOf('device').length).toBeGreaterThan(15);
    expect(breaches('device', (name) => !isOwn(name) && !isKnown(name))).toEqual([]);
    const isAws = (name: string) => /aws|cdk|constructs/.test(name);
    expect(Object.keys(dependencies).filter(isAws)).toEqual([]);
  });

  it('of the device’s logic reach neither MQTT.js nor the disk, so that a simulation can run it', () => {
    const edges = ['device.ts', 'inbound.ts', 'index.ts', 'options.ts', 'refusal.ts', 'session.ts'];
    const logic = sourcesOf('device').filter(
      ({ path }) => !edges.includes(path.slice('device/'.length)) && !/store-?|receive/.test(path),
    );
    const isEdge = (name: string) => /^(mqtt|classic-level)$|^node:(fs|net|tls|timers)/.test(name);
    expect(logic.length).toBeGreaterThan(10);
    expect(logic.filter(({ imports }) => imports.some(isEdge)).map(({ path }) => path)).toEqual([]);
  });

  it('of the examples are the device’s package and Node.js', () => {
    const isDevice = within(join('device', 'index.ts'));
    const isOwn = (name: string) =>
      isDevice(name) || name === 'tollbridge-device' || name.startsWith('node:');
    expect(breaches('examples', (name) => !isOwn(name))).toEqual([]);
  });

  it('of tests stand in tests alone', () => {
    const others = FOLDERS.filter((folder) => folder !== 'test');
    expect(others.flatMap((folder) => breaches(folder, within('test')))).toEqual([]);
  });

  it('are found by this test at all', () => {
    const found = importsOf(
      'core/x.ts',
      "import a from './a.ts';\nexport * from '../lib/b.ts';\nawait import('node:fs');",
    );
    expect(found).toEqual([join('core', 'a.ts'), join('lib', 'b.ts'), 'node:fs']);
  });
});

describe('sources', () => {
  it('are all looked at: every folder of the project that holds any is in the list', () => {
    const skipped = new Set(['node_modules', 'cdk.out', 'docs', 'coverage', 'bench', 'research']);
    const folders = readdirSync(ROOT)
      .filter((name) => !name.startsWith('.') && !name.startsWith('cdk.out') && !skipped.has(name))
      .filter((name) => statSync(join(ROOT, name)).isDirectory())
      .filter((name) => sourcesOf(name).length > 0);
    expect(folders.filter((name) => !FOLDERS.includes(name))).toEqual([]);
  });

  it(`have up to ${LINES_MAX} lines`, () => {
    const long = sources.filter(({ text }) => text.trimEnd().split('\n').length > LINES_MAX);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  // The words are put together here, so that this file does not hold what it looks for.
  it.each([
    [
      'a reminder',
      new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`),
    ],
    ['an unchecked type', new RegExp(`(:|<|\\bas|=>)\\s*${'an' + 'y'}\\b(?!\\s+[a-z])`)],
    [
      'a silenced compiler',
      new RegExp(`@ts-(${'ign' + 'ore'}|${'no' + 'check'}|${'expect' + '-error'})`),
    ],
    ['a silenced linter for a whole file', new RegExp(`biome-ignore${'-all'}`)],
    [
      'a path of one machine',
      new RegExp(`(${'/ho' + 'me/'}|${'/wo' + 'rk/'}|${'/Us' + 'ers/'})[a-z]`),
    ],
  ])('hold no %s', (_, pattern) => {
    const found = sources.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, n) => (pattern.test(line) ? [`${path}:${n + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });
});
