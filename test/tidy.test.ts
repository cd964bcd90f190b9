/** The house rules that the linter does not know. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = [
  'bench',
  'bin',
  'cli',
  'core',
  'device',
  'examples',
  'lambda',
  'lib',
  'local',
  'proofs',
  'test',
  'tools',
];
/** What is installed or built, not written. */
const GENERATED = new Set(['node_modules', 'dist']);
const LINES_MAX = 350;
/** More than this beside one another is a list, and no room. */
const FILES_IN_A_FOLDER_MAX = 20;

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
    /(?<!['"])\b(?:from|import|import\(|require\()\s*['"]([^'"\s,$]+)['"]/g,
  );
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? join(dirname(path), name) : name,
  );
}

const sources = FOLDERS.flatMap(sourcesOf);

function within(...folders: readonly string[]): (name: string) => boolean {
  return (name) => folders.some((folder) => name === folder || name.startsWith(folder + sep));
}

/** Packages of Node.js and of the registry; everything else is a path inside the project. */
const isPackage = (name: string) => !within(...FOLDERS)(name) && !name.endsWith('.ts');

interface FolderRule {
  readonly folder: string;
  /** A folder inside that has a rule of its own instead. */
  readonly without?: string;
  /** Folders inside the project that its sources may import, besides themselves. */
  readonly from: readonly string[];
  /** Packages that they may not import, or all but these. */
  readonly packages?: { readonly except: RegExp } | { readonly only: RegExp };
}

const CDK = /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/;
const BROKER_OR_DISK = /^(mqtt|classic-level)$|^node:(fs|net|tls|timers)/;

/**
 * Who may import whom. Imports point to `core`; only commands, tools, tests, proofs and benches
 * know the local cloud; what users deploy or install knows neither tests nor the CDK it is not part of.
 */
const RULES: readonly FolderRule[] = [
  {
    folder: 'core',
    without: 'core/config',
    from: [],
    packages: { only: /^(node:crypto|lossless-json|big\.js)$/ },
  },
  { folder: 'core/config', from: ['core'], packages: { only: /^zod$/ } },
  { folder: 'core/base', from: [] },
  { folder: 'lambda', from: ['core'], packages: { except: CDK } },
  { folder: 'lambda/runtime', from: ['core'] },
  { folder: 'lib', from: ['core'] },
  { folder: 'device', from: ['core'], packages: { except: /aws|cdk|constructs/ } },
  // A simulation runs the device's logic on ports of its own.
  { folder: 'device/publish', from: ['core', 'device'], packages: { except: BROKER_OR_DISK } },
  { folder: 'device/outbox', from: ['core', 'device'], packages: { except: BROKER_OR_DISK } },
  { folder: 'device/store', from: ['core', 'device'], packages: { except: /^mqtt$/ } },
  {
    folder: 'device/connection',
    from: ['core', 'device'],
    packages: { except: /^classic-level$|^node:fs/ },
  },
  { folder: 'local', from: ['core'], packages: { except: CDK } },
  { folder: 'cli', from: ['core', 'lambda', 'local', 'device', 'lib', 'tollbridge.config.ts'] },
  { folder: 'bin', from: ['core', 'lib', 'cli', 'tollbridge.config.ts'] },
  {
    folder: 'examples',
    from: ['device/index.ts'],
    packages: { only: /^(node:.*|tollbridge-device)$/ },
  },
  {
    folder: 'tools',
    from: ['core', 'lambda', 'lib', 'device', 'local', 'cli', 'bin', 'tollbridge.config.ts'],
  },
  {
    folder: 'bench',
    from: ['core', 'lambda', 'lib', 'device', 'local', 'cli', 'tools', 'tollbridge.config.ts'],
  },
  {
    folder: 'proofs',
    from: [
      'core',
      'lambda',
      'lib',
      'device',
      'local',
      'cli',
      'bin',
      'tools',
      'bench/units',
      'tollbridge.config.ts',
    ],
  },
];

/** What a rule forbids, each with the file that it stands in. */
function breachesOf({ folder, without, from, packages }: FolderRule): readonly string[] {
  const isInside = within(folder, ...from);
  const isPackageAllowed = (name: string) =>
    packages === undefined ||
    ('only' in packages ? packages.only.test(name) : !packages.except.test(name));
  const held = sourcesOf(folder).filter(
    ({ path }) => without === undefined || !within(without)(path),
  );
  return held.flatMap(({ path, imports }) =>
    imports
      .filter((name) => (isPackage(name) ? !isPackageAllowed(name) : !isInside(name)))
      .map((name) => `${path} imports ${name}`),
  );
}

/** Groups of files that import one another in a circle. */
function circles(): readonly string[] {
  const importsByPath = new Map(sources.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) found.push([...way.slice(start), path].join(' → '));
    if (start >= 0 || done.has(path)) return;
    for (const next of importsByPath.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of importsByPath.keys()) visit(path, []);
  return found;
}

describe('imports', () => {
  it.each(RULES)('of $folder reach only the folders and packages that its rule names', (rule) => {
    expect(sourcesOf(rule.folder)).not.toEqual([]);
    expect(breachesOf(rule)).toEqual([]);
  });

  it('of the device are packages that its package.json names', () => {
    const manifest = readFileSync(join(ROOT, 'device', 'package.json'), 'utf8');
    const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
    const isKnown = (name: string) => Object.hasOwn(dependencies, name) || /^node:/.test(name);
    const unknown = sourcesOf('device').flatMap(({ imports }) =>
      imports.filter((name) => isPackage(name) && !isKnown(name)),
    );
    expect(unknown).toEqual([]);
    expect(Object.keys(dependencies).filter((name) => /aws|cdk|constructs/.test(name))).toEqual([]);
  });

  it('make no circle', () => {
    expect(circles()).toEqual([]);
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
    const skipped = new Set(['node_modules', 'cdk.out', 'docs', 'coverage', 'research']);
    const folders = readdirSync(ROOT)
      .filter((name) => !name.startsWith('.') && !name.startsWith('cdk.out') && !skipped.has(name))
      .filter((name) => statSync(join(ROOT, name)).isDirectory())
      .filter((name) => sourcesOf(name).length > 0);
    expect(folders.filter((name) => !FOLDERS.includes(name))).toEqual([]);
  });

  it(`stand beside no more than ${FILES_IN_A_FOLDER_MAX - 1} others in a folder`, () => {
    const counts = new Map<string, number>();
    for (const { path } of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    const full = [...counts].filter(([, count]) => count > FILES_IN_A_FOLDER_MAX);
    expect(full).toEqual([]);
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

describe('words that were given up', () => {
  /** What stands for each now; docs/glossary.md has the words that are used. */
  const GIVEN_UP: readonly (readonly [now: string, old: RegExp])[] = [
    ['fingerprint', /likeness/i],
    ['DedupRecords', /\b(DeliveriesTable|DELIVERIES_TABLE)/],
    ['error-action path', /error[- ]roads?\b|\b(queue|direct)Road\b/i],
    ['fallback', /\bdetours?\b/i],
    ['dead-letter message', /\bQueuedLetter|\bLetters\b(?=[ <({;])/],
    ['MessageHops', /\bStations\b/],
    ['AsyncInvokeConfig, timeout', /\bpatience\b/i],
    ['confirm', /\bconsent\b/i],
    ['receipt-ids', /told-ids|\bidsTold\b|\basTold\b|\bIdTelling\b/],
    ['deliveryFromRow', /kept-delivery/],
    ['out of range', /\buntimely\b/i],
    ['queryBeforeResend, awaitingQuery, maybeSent', /\baskFirst\b|\bisAsked\b|\binDoubt\b/],
    ['injectedFaults', /\bmishaps\b/i],
    ['FleetController, FleetStats', /\bFleetDesk\b|\bFleetBooks\b/],
    ['ProcessedIds, SerialQueues', /\bclass Marks\b|\bclass Lanes\b/],
    ['a document of the project', /\bdesign §|design\.md\b/],
  ];
  const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'device', 'docs', 'examples']
    .flatMap((path) =>
      path.endsWith('.md')
        ? [path]
        : readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
            .filter((name) => name.endsWith('.md'))
            .map((name) => join(path, name)),
    )
    .filter((path) => !path.split(sep).some((part) => GENERATED.has(part)))
    .map(read);

  it.each(GIVEN_UP)('stand nowhere: it is %s now', (_, old) => {
    const found = [...sources, ...documents].flatMap(({ path, text }) =>
      path === join('test', 'tidy.test.ts')
        ? []
        : text
            .split('\n')
            .flatMap((line, n) => (old.test(line) ? [`${path}:${n + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });
});
