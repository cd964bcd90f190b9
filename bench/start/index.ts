/** The table `start`: what a cold start loads, and how long that takes. */
import { fork } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';
import { planCloud } from '../../local/assembly/plan.ts';
import { readAssembly } from '../../local/assembly/read-assembly.ts';
import { synthesizeBench } from '../harness/assembly.ts';
import { type Bundle, bundle, WITH_REQUIRE } from '../harness/bundle.ts';
import { figure, percentText, spreadText } from '../harness/figures.ts';
import { interleaved } from '../harness/interleave.ts';
import { nextFrom } from '../harness/program.ts';
import { spreadOf } from '../harness/statistics.ts';
import type { Bench, BenchOptions, Goal, Table } from '../harness/table.ts';
import { inWorkshop } from '../harness/workshop.ts';
import { bundlePeer } from '../peers/bundles.ts';
import { bytesByPackage } from './packages.ts';
import { protocolTable } from './protocols.ts';
import { settings, variants } from './variants.ts';

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url));
const BUNDLE_BYTES_MAX = 400_000;
/** A start lasts a quarter of a second, so that many of them can be had. */
const STARTS_MIN = 10;

export const bench: Bench = (options) =>
  inWorkshop(async (folder) => {
    const deployed = deployedBundles(folder);
    const again = await bundle('lambda/ingest/exactly-once.ts', join(folder, 'again.mjs'));
    const tables = [
      await startTable(folder, deployed, builtinsOf(again, folder), options),
      await variantTable(folder, options),
      protocolTable(again.metafile),
      packageTable(again, deployed.ingest),
    ];
    return tables;
  });

/** A module that imports what the bundle imports of Node.js, and nothing else. */
function builtinsOf({ metafile }: Bundle, folder: string): string {
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const names = new Set(imports.filter(({ external }) => external).map(({ path }) => path));
  const file = join(folder, 'builtins.mjs');
  writeFileSync(file, [...names].map((name) => `import '${name}';\n`).join(''));
  return file;
}

interface Startable {
  readonly title: string;
  readonly file: string;
  readonly bytes: number;
}

type Deployed = Readonly<Record<'ingest' | 'handshake', string>>;

/** The bundles that the template deploys. */
function deployedBundles(folder: string): Deployed {
  const assembly = readAssembly(synthesizeBench(folder));
  const { functions } = planCloud(assembly, { endpointAddress: '127.0.0.1:1' });
  const fileOf = (logicalId: string) => {
    const found = functions.find((plan) => plan.logicalId.startsWith(logicalId));
    if (found === undefined) throw new Error(`the template has no function ${logicalId}`);
    return join(found.folder, 'index.mjs');
  };
  return {
    ingest: fileOf('RoutesChargesIngestFunction'),
    handshake: fileOf('HandshakeAnswerFunction'),
  };
}

function startable(title: string, file: string): Startable {
  return { title, file, bytes: statSync(file).size };
}

async function startTable(
  folder: string,
  deployed: Deployed,
  builtins: string,
  options: BenchOptions,
): Promise<Table> {
  const powertools = await bundlePeer('powertools', join(folder, 'powertools'));
  const telemetry = await bundlePeer('powertools-telemetry', join(folder, 'telemetry'));
  const clients = await bundlePeer('clients', join(folder, 'clients'));
  const clientsLogger = await bundlePeer('clients-logger', join(folder, 'clients-logger'));
  const empty = await bundlePeer('empty', join(folder, 'empty'));
  const all = [
    startable('ingest, as deployed', deployed.ingest),
    startable('handshake, as deployed', deployed.handshake),
    startable('(a) Powertools Idempotency, the same clients', powertools.file),
    startable('(a) with Logger and Metrics', telemetry.file),
    startable('the two clients and nothing else', clients.file),
    startable('the two clients with Logger', clientsLogger.file),
    startable("Node.js's own modules that ingest imports", builtins),
    startable('an empty function', empty.file),
  ];
  const { rows, imports } = await measureStarts(all, options);
  const [ingest = 0, , peer = 0, equal = 0] = imports;
  return {
    name: 'start',
    title: 'Starting a function',
    columns: START_COLUMNS,
    rows,
    notes: [
      'Import is what loading the bundle takes in a new process, its clients made; whole is from the start of the process to its end. All bundles are minified ES modules made with the same options; those of the bridge hold Powertools Logger and write their metrics by themselves, of which (a) has neither.',
      partsNote(imports),
    ],
    goals: [
      ...all.slice(0, 2).map(({ title, bytes }) => bytesGoal(title, bytes)),
      importGoal('that of (a)', ingest, peer),
      importGoal('that of (a) with Logger and Metrics', ingest, equal),
    ],
  };
}

/** What ingest's import is made of, each part by what it adds to the one before. */
function partsNote(imports: readonly number[]): string {
  const [ingest = 0, , peer = 0, , clients = 0, logger = 0, builtins = 0, empty = 0] = imports;
  const parts = [builtins - empty, clients - builtins, logger - clients, ingest - logger].map(
    figure,
  );
  const [node, sdk, powertools, own] = parts;
  return `Of ingest's ${figure(ingest)} ms Node.js's own modules are ${node} ms, the two clients ${sdk} ms, Powertools Logger ${powertools} ms, the bridge's own code and its libraries ${own} ms. Powertools Idempotency and the peer's own code add ${figure(peer - clients)} ms to the two clients.`;
}

const START_COLUMNS = ['bundle', 'bytes', 'import, ms', 'whole, ms', 'CPU, ms'];

function bytesGoal(title: string, bytes: number): Goal {
  return {
    goal: `${title}: at most ${BUNDLE_BYTES_MAX / 1_000} KB`,
    got: `${figure(bytes / 1_000)} KB`,
    isMet: bytes <= BUNDLE_BYTES_MAX,
  };
}

function importGoal(beside: string, ingest: number, theirs: number): Goal {
  return {
    goal: `ingest's import takes no longer than ${beside}`,
    got: `${figure(ingest)} ms beside ${figure(theirs)} ms`,
    isMet: ingest <= theirs,
  };
}

interface Start {
  readonly importMillis: number;
  readonly cpuMillis: number;
  readonly wholeMillis: number;
}

async function measureStarts(all: readonly Startable[], { runs, isQuick, note }: BenchOptions) {
  const starts = isQuick ? STARTS_MIN : Math.max(STARTS_MIN, 4 * runs);
  note(`${starts} starts of ${all.length} bundles, interleaved`);
  const candidates = all.map(({ title, file }) => ({ name: title, measure: () => start(file) }));
  // The first start of each reads its file into memory, and is not counted.
  await interleaved(candidates, 1);
  const measured = await interleaved(candidates, starts);
  const spreads = measured.map((one) => ({
    import: spreadOf(one.map(({ importMillis }) => importMillis)),
    whole: spreadOf(one.map(({ wholeMillis }) => wholeMillis)),
    cpu: spreadOf(one.map(({ cpuMillis }) => cpuMillis)),
  }));
  return {
    imports: spreads.map((spread) => spread.import.median),
    rows: all.map(({ title, bytes }, index) => {
      const spread = spreads[index];
      if (spread === undefined) throw new Error(`${title} was not started`);
      const cells = [spread.import, spread.whole, spread.cpu].map(spreadText);
      return [title, bytes.toLocaleString('en-US'), ...cells];
    }),
  };
}

/** What the template sets; nothing is called, so that the values do not matter. */
const ENVIRONMENT = {
  PATH: process.env.PATH ?? '',
  // Lambda's Node.js is newer, and the SDK has nothing to warn of.
  NODE_NO_WARNINGS: '1',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  POWERTOOLS_SERVICE_NAME: 'tollbridge',
  MESSAGES_TABLE: 'Ledger',
  MARKERS_TABLE: 'Markers',
  LEDGER_TABLE: 'Ledger',
  DEDUP_RECORDS_TABLE: 'DedupRecords',
  QUARANTINE_TABLE: 'Quarantine',
  ROUTE: JSON.stringify({ name: 'charges', guarantee: 'exactly-once' }),
};

async function start(file: string): Promise<Start> {
  const before = performance.now();
  const child = fork(PROBE, [file], {
    env: ENVIRONMENT,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const said = await nextFrom<Omit<Start, 'wholeMillis'>>(child);
  await ended;
  return { ...said, wholeMillis: performance.now() - before };
}

async function variantTable(folder: string, options: BenchOptions): Promise<Table> {
  const made: Startable[] = [];
  for (const [index, { title, build }] of variants.entries()) {
    const { file } = await bundleVariant(join(folder, `variant-${index}.mjs`), build);
    made.push(startable(title, file));
  }
  const { rows } = await measureStarts(made, options);
  const [asDeployed] = made;
  const differences: string[] = [];
  for (const { title, build } of settings) {
    const { bytes } = await bundleVariant(join(folder, 'setting.mjs'), build);
    differences.push(`${title} ${bytes - (asDeployed?.bytes ?? 0)}`);
  }
  return {
    name: 'start',
    title: "What the bundler's options are worth, one at a time, for ingest",
    columns: START_COLUMNS,
    rows,
    notes: [
      'The first row has the options of the template; each of the others changes one of them.',
      `Other options, by the bytes that they add: ${differences.join('; ')}. They are not timed.`,
    ],
    goals: [],
  };
}

function bundleVariant(file: string, options: BuildOptions): Promise<Bundle> {
  return bundle('lambda/ingest/exactly-once.ts', file, { ...options, banner: WITH_REQUIRE });
}

const PACKAGES_SHOWN = 14;

function packageTable({ metafile, bytes }: Bundle, deployedFile: string): Table {
  const packages = bytesByPackage(metafile);
  const rest = packages.slice(PACKAGES_SHOWN);
  const sum = rest.reduce((total, one) => total + one.bytes, 0);
  const shown = [
    ...packages.slice(0, PACKAGES_SHOWN),
    ...(rest.length === 0 ? [] : [{ name: `${rest.length} others`, bytes: sum }]),
  ];
  const deployed = statSync(deployedFile).size;
  // The deployed file ends with the name of its source map.
  const isSame = Math.abs(deployed - bytes) < 100;
  return {
    name: 'start',
    title: 'Bytes of the ingest bundle, by package',
    columns: ['package', 'bytes', 'share'],
    rows: shown.map((one) => [
      one.name,
      one.bytes.toLocaleString('en-US'),
      percentText(one.bytes / bytes),
    ]),
    notes: [
      isSame
        ? 'From the report of a bundle that is as large as the deployed one.'
        : `From the report of a bundle of ${bytes} bytes, while the deployed one has ${deployed}: lib/constructs/bridge-function.ts tells esbuild something that bundle-options.ts does not.`,
    ],
    goals: [],
  };
}
