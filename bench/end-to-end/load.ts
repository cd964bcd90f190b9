/** Starts the devices as a program. */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endProgram, nextFrom, startProgram } from '../harness/program.ts';
import type { LoadResult, LoadTask } from './load-program.ts';

const PROGRAM = fileURLToPath(new URL('load-program.ts', import.meta.url));

export interface Load {
  /** Where commits are to be told, for native QoS 2. */
  readonly commitPort: number | undefined;
  /** Connects the devices. */
  connect(): Promise<void>;
  /** Sends everything, and ends when all is answered. */
  run(): Promise<LoadResult>;
  end(): Promise<void>;
}

export async function startLoad(task: LoadTask): Promise<Load> {
  const child = startProgram(PROGRAM, task, { flags: ['--import', 'tsx'] });
  const { commitPort } = await nextFrom<{ readonly commitPort?: number }>(child);
  return {
    commitPort,
    connect: async () => void (await told(child)),
    run: () => told<LoadResult>(child),
    end: () => endProgram(child),
  };
}

function told<Answer>(child: ChildProcess): Promise<Answer> {
  const answer = nextFrom<Answer>(child);
  child.send('go on');
  return answer;
}
