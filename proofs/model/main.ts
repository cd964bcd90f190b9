/**
 * `npm run model`: checks the Promela models of docs/model with Spin. Exits with 1 on any surprise:
 * a property that fails, a broken variant that survives or breaks another property, a search that
 * was cut, a statement of a model that nothing reaches.
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pLimit from 'p-limit';
import { endWithReader, print, printError } from '../../cli/output/print.ts';
import { EXIT } from '../../cli/shell/usage.ts';
import { ownTemporaryFolder } from '../../tools/own-temporary.ts';
import { MODELS as FOLDER, missingProgram, type Ran, runCheck, trailOf } from './checker.ts';
import { type Check, checksOf } from './checks.ts';
import {
  type Coverage,
  coverageOf,
  HEAD,
  markdownOf,
  rowOf,
  surpriseOf,
  tableOf,
} from './report.ts';

interface Flags {
  readonly large: boolean;
  readonly markdown: boolean;
  readonly only?: string;
  readonly trail?: string;
}

/** Compiler and verifier take a processor each. */
const AT_ONCE = 2;
/** Everything between two marks, each a line of its own. */
const RESULTS = /^(.*^)<!-- results.*?^<!-- end of results -->(.*)$/ms;
const MODELS = ['record', 'window', 'handshake'] as const;

endWithReader();
const values = new Command('model')
  .description('checks the Promela models of docs/model with Spin')
  .option('--large', 'larger bounds, which take many minutes and up to 3 GB', false)
  .option('--only <text>', 'checks whose model/name contains it; whole models tell what is reached')
  .option('--trail <variant>', 'the shortest way to its error, e.g. window/STRICT')
  .option('--markdown', 'write the tables into docs/model/README.md', false)
  .showHelpAfterError('(add --help for the options)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage))
  .parse()
  .opts<Flags>();
const missing = await missingProgram();
if (missing !== undefined) {
  printError(
    `the models are not checked: ${missing} is not installed (Debian: apt-get install ${missing})`,
  );
  process.exitCode = process.env.CI === undefined ? 0 : 1;
} else {
  ownTemporaryFolder('model', 'nothing is known of the checks that were left');
  const root = await mkdtemp(join(tmpdir(), 'spin-'));
  process.exitCode = values.trail === undefined ? await all(root) : await tellTrail(root);
}

async function all(root: string): Promise<number> {
  const { only, large, markdown } = values;
  const checks = checksOf(large).filter((check) => nameOf(check).includes(only ?? ''));
  if (checks.length === 0) return refuse(`--only ${only}`);
  if (markdown && only !== undefined) return refuse(`--markdown with --only ${only}`);
  const limit = pLimit(AT_ONCE);
  const runs = await Promise.all(checks.map((check) => limit(told, check, root)));
  print(tableOf(runs.map(rowOf)));
  const surprises = runs.filter((ran) => surpriseOf(ran) !== undefined);
  for (const ran of surprises) printError(`${nameOf(ran.check)}: ${surpriseOf(ran)}`);
  const whole = MODELS.filter((model) => only === undefined || only === model);
  const covered = whole.map((model) => coverageOf(model, runs));
  if (surprises.length + tellCoverage(covered) > 0) return 1;
  if (markdown) await writeResults(markdownOf(runs, covered));
  const count = (kind: Check['kind']) => checks.filter((check) => check.kind === kind).length;
  printError(
    `${count('bound')} bounds hold, ${count('variant')} broken variants are caught, ` +
      `${count('limit')} limits are shown`,
  );
  return 0;
}

async function told(check: Check, root: string): Promise<Ran> {
  const ran = await runCheck(check, root);
  const row = rowOf(ran).map((cell, index) => `${HEAD[index]} ${cell}`);
  printError(row.join(' · '));
  return ran;
}

/** Says what happens in the models; answers how many statements are never reached. */
function tellCoverage(covered: readonly Coverage[]): number {
  for (const { model, events, missed, allowed } of covered) {
    print(`reached in ${model}: ${events.join(' · ')}`);
    for (const each of allowed) print(`not reached in ${model}, and allowed: ${each}`);
    for (const each of missed) printError(`not reached in ${model} by any bound: ${each}`);
  }
  return covered.reduce((sum, { missed }) => sum + missed.length, 0);
}

async function writeResults(results: string): Promise<void> {
  const file = join(FOLDER, 'README.md');
  const text = await readFile(file, 'utf8');
  const [, before, after] = RESULTS.exec(text) ?? [];
  if (before === undefined || after === undefined) {
    throw new Error(
      `${file} has no place for the results: two lines "<!-- results -->" and "<!-- end of results -->"`,
    );
  }
  const mark = '<!-- results: written by npm run model -- --markdown -->';
  await writeFile(file, `${before}${mark}\n\n${results}\n<!-- end of results -->${after}`);
  printError(`${file} is written`);
}

async function tellTrail(root: string): Promise<number> {
  const wanted = String(values.trail);
  const check = checksOf(values.large).find(
    (each) => each.name === wanted || nameOf(each) === wanted,
  );
  if (check === undefined) return refuse(`--trail ${wanted}`);
  const ran = await runCheck(check, root);
  if (ran.result.errors === 0) {
    printError(`${nameOf(check)}: nothing fails, so there is nothing to tell`);
    return 1;
  }
  print(`${nameOf(check)}: ${check.says}`);
  for (const line of await trailOf(ran)) print(line);
  print(`${ran.result.failed} fails`);
  return 0;
}

function refuse(option: string): number {
  const names = checksOf(values.large).map(nameOf).join(', ');
  printError(`${option} names no check; there are: ${names}`);
  return EXIT.usage;
}

function nameOf({ model, name }: Check): string {
  return `${model}/${name}`;
}
