/** Runs Spin, the C compiler and the verifier for one check, in a folder of its own. */
import { type ExecFileException, execFile } from 'node:child_process';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Check } from './checks.ts';
import { type PanResult, readPan, readStatements, type Statement } from './pan-output.ts';

export const MODELS = fileURLToPath(new URL('../../docs/model/', import.meta.url));

/** What the check is run with. Nothing here is lossy: every state is kept and compared whole. */
const MEMORY_MIB = 3_000;
const DEPTH_MAX = 3_000_000;
/** Without `-o3` Spin merges statements, and cannot say which of them were reached. */
const SPIN_FLAGS = ['-o3'];
const COMPILER_FLAGS = ['-O2', '-w', `-DMEMLIM=${MEMORY_MIB}`];

export interface Ran {
  readonly check: Check;
  readonly result: PanResult;
  readonly statements: readonly Statement[];
  /** Where model, verifier and trail lie. */
  readonly folder: string;
}

/** What is missing here, by the name of its command, or undefined. */
export async function missingProgram(): Promise<string | undefined> {
  for (const [command, argument] of [
    ['spin', '-V'],
    ['gcc', '--version'],
  ] as const) {
    try {
      await run(command, [argument], '.');
    } catch {
      return command;
    }
  }
  return undefined;
}

/** @param root a folder that the caller removes */
export async function runCheck(check: Check, root: string): Promise<Ran> {
  const folder = join(root, `${check.model} ${check.name}`.replaceAll(/[^A-Za-z0-9]+/g, '-'));
  await mkdir(folder);
  for (const file of await readdir(MODELS)) {
    if (file.endsWith('.pml')) await copyFile(join(MODELS, file), join(folder, file));
  }
  await run('spin', [...SPIN_FLAGS, ...definesOf(check), '-a', `${check.model}.pml`], folder);
  await run('gcc', [...COMPILER_FLAGS, ...searchFlagsOf(check), '-o', 'pan', 'pan.c'], folder);
  const text = await run('./pan', searchArgumentsOf(check), folder);
  const statements = readStatements(await run('./pan', ['-d'], folder));
  return { check, result: readPan(text), statements, folder };
}

/** The way to the error, told by the model. */
export async function trailOf({ check, folder }: Ran): Promise<readonly string[]> {
  const file = `${check.model}.pml`;
  const options = [...definesOf(check), '-T', '-k', `${file}.trail`, file];
  const text = await run('spin', options, folder);
  // Spin's own words, and the values of all variables at the end.
  const lines = text.split('\n').filter((line) => !/^(spin|ltl)\b/.test(line) && line !== '');
  const end = lines.findIndex((line) => line.startsWith('#processes'));
  return end === -1 ? lines : lines.slice(0, end);
}

function definesOf(check: Check): readonly string[] {
  const names = check.defines.map((define) => `-D${define}`);
  const property = check.kind === 'bound' ? undefined : /^i(\d)$/.exec(check.breaks)?.[1];
  return property === undefined ? names : [...names, `-DONLY=${property}`];
}

function isLive(check: Check): boolean {
  return check.kind === 'bound' ? check.isLive === true : check.breaks === 'live';
}

/** What must fail is looked for breadth first, so that the way to it is the shortest. */
function searchFlagsOf(check: Check): readonly string[] {
  if (isLive(check)) return ['-DCOLLAPSE', '-DNFAIR=5'];
  return check.kind === 'bound' ? ['-DSAFETY', '-DCOLLAPSE'] : ['-DSAFETY', '-DBFS'];
}

/** Liveness is asked of runs in which no process waits for ever that could go on (weak fairness). */
function searchArgumentsOf(check: Check): readonly string[] {
  const depth = `-m${DEPTH_MAX}`;
  if (isLive(check)) return ['-a', '-f', depth];
  return check.kind === 'bound' ? [depth] : [];
}

/** @throws Error with what the program said, when it failed */
function run(command: string, options: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (error: ExecFileException | null, stdout: string, stderr: string) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else if (command === './pan' && typeof error.code === 'number') resolve(`${stdout}${stderr}`);
      else reject(new Error(`${command} failed: ${error.message}\n${stdout}${stderr}`));
    };
    execFile(command, [...options], { cwd, maxBuffer: 64 * 1_048_576 }, ended);
  });
}
