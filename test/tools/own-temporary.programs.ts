/** A command that is ended by Ctrl-C or by another program leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';

interface Told {
  readonly folder: string;
  readonly child: number;
}

const MODULE = resolve('tools/own-temporary.ts');
const started: ChildProcess[] = [];

afterEach(() => {
  for (const program of started.splice(0)) program.kill('SIGKILL');
});

/** Makes a folder and starts a process that would run for long; ends by itself where it is told to. */
const PROGRAM = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownTemporaryFolder } from ${JSON.stringify(MODULE)};
ownTemporaryFolder('tried', 'nothing is written');
const folder = mkdtempSync(join(tmpdir(), 'inner-'));
writeFileSync(join(folder, 'half-done'), 'x');
const child = spawn(process.execPath, ['-e', 'process.send(1); setInterval(() => {}, 1000)'], {
  stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
});
await once(child, 'message');
console.log(JSON.stringify({ folder, child: child.pid }));
if (process.argv[2] === 'ends') { child.kill('SIGKILL'); child.disconnect(); }
`;

async function start(...args: readonly string[]) {
  const above = mkdtempSync(join(tmpdir(), 'tollbridge-own-'));
  const file = join(above, 'program.mts');
  writeFileSync(file, PROGRAM);
  const inside = mkdtempSync(join(above, 'tmp-'));
  const program = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: inside },
  });
  started.push(program);
  const exit = once(program, 'exit') as Promise<[number | null, string | null]>;
  const lines = createInterface(program.stdout);
  const [line] = (await once(lines, 'line')) as [string];
  const errors: string[] = [];
  program.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  return { program, exit, inside, told: JSON.parse(line) as Told, errors };
}

/** Folders of commands alone: the loader of TypeScript keeps its own beside them. */
function left(inside: string): readonly string[] {
  return readdirSync(inside).filter((name) => name.startsWith('tollbridge-'));
}

/** By /proc, as the code itself finds processes; one that is dead and not yet buried has ended. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return false;
  }
}

describe('a command with a temporary folder of its own', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('takes folder and processes with it at %s', async (signal, status) => {
    const { program, exit, inside, told, errors } = await start();
    expect(existsSync(told.folder)).toBe(true);
    expect(dirname(dirname(told.folder))).toBe(inside);
    expect(left(inside)).toHaveLength(1);
    expect(isRunning(told.child)).toBe(true);
    program.kill(signal);
    expect(await exit).toEqual([status, null]);
    expect(left(inside)).toEqual([]);
    expect(existsSync(told.folder)).toBe(false);
    await expect.poll(() => isRunning(told.child)).toBe(false);
    expect(errors.join('')).toContain(`${signal}: ended; nothing is written`);
  });

  it('takes the folder with it at its own end', async () => {
    const { exit, inside } = await start('ends');
    expect(await exit).toEqual([0, null]);
    expect(left(inside)).toEqual([]);
  });
});
