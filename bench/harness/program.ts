/**
 * Programs of the benches, each a process of its own: what one leaves behind in the memory and the
 * compiler of a process does not change the next figure.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface ProgramOptions {
  /** Flags of Node.js. */
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** A command that begins Node.js in a place of its own, and becomes it. */
  readonly inside?: readonly [program: string, ...args: string[]];
}

const NODE = process.execPath;

/** Starts a program with its task as JSON; what it says comes by IPC, what it logs is dropped. */
export function startProgram(
  file: string,
  task: unknown,
  { flags = [], environment = {}, inside }: ProgramOptions = {},
): ChildProcess {
  const [execPath, ...before] = inside === undefined ? [NODE] : [...inside, NODE];
  return fork(file, [JSON.stringify(task)], {
    execPath,
    execArgv: [...before, ...flags],
    // The SDK says at each start that it will need a newer Node.js one day.
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/**
 * The next thing that a program says.
 * @throws Error when it ends without a word
 */
export async function nextFrom<Said>(child: ChildProcess): Promise<Said> {
  const stop = new AbortController();
  const { signal } = stop;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([said]) => said as Said),
      once(child, 'exit', { signal }).then(([code, by]) => {
        throw new Error(
          `${child.spawnargs.at(-2)} ended with ${by ?? code} before it had answered`,
        );
      }),
    ]);
  } finally {
    stop.abort();
  }
}

/** Runs a program that answers once and ends. */
export async function runProgram<Result>(
  file: string,
  task: unknown,
  options: ProgramOptions = {},
): Promise<Result> {
  const child = startProgram(file, task, options);
  const result = await nextFrom<Result>(child);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return result;
}

/** Ends a program at once, and waits until it is gone. */
export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** The task that the program was started with. */
export function taskOf<Task>(): Task {
  return JSON.parse(process.argv[2] ?? 'null') as Task;
}

/** Says it to whoever started the program. */
export function say(said: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) reject(new Error('nobody has started this program'));
    else process.send(said, undefined, {}, (error) => (error ? reject(error) : resolve()));
  });
}
