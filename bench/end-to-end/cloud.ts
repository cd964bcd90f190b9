/** Starts the local cloud as a program and asks it things. */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endProgram, nextFrom, startProgram } from '../harness/program.ts';
import type { Effect } from '../truth/effects.ts';
import type { CloudCost, CloudQuestion, CloudReady, CloudTask } from './cloud-program.ts';

const PROGRAM = fileURLToPath(new URL('cloud-program.ts', import.meta.url));

export interface Cloud extends CloudReady {
  readonly pid: number;
  cost(): Promise<CloudCost>;
  /** Ends when rules, queues and functions are settled. */
  idle(): Promise<void>;
  /** Process ids of the execution environments. */
  functions(): Promise<readonly number[]>;
  effects(): Promise<readonly Effect[]>;
  /** The tables refuse such a share of requests from now on. */
  throttle(chance: number): Promise<void>;
  close(): Promise<void>;
}

/** @param heapMebibytes that the process may take, where a run needs more than Node's own bound */
export async function startBenchCloud(task: CloudTask, heapMebibytes?: number): Promise<Cloud> {
  const heap = heapMebibytes === undefined ? [] : [`--max-old-space-size=${heapMebibytes}`];
  const child = startProgram(PROGRAM, task, { flags: ['--import', 'tsx', ...heap] });
  const ready = await nextFrom<CloudReady>(child);
  const ask = asker(child);
  return {
    ...ready,
    pid: child.pid ?? 0,
    cost: () => ask<CloudCost>({ ask: 'cost' }),
    idle: async () => void (await ask({ ask: 'idle' })),
    functions: () => ask<readonly number[]>({ ask: 'functions' }),
    effects: () => ask<readonly Effect[]>({ ask: 'effects' }),
    throttle: async (chance) => void (await ask({ ask: 'throttle', chance })),
    async close() {
      try {
        await ask({ ask: 'close' });
      } finally {
        await endProgram(child);
      }
    },
  };
}

/** One question at a time, each with its answer. */
function asker(child: ChildProcess) {
  let last: Promise<unknown> = Promise.resolve();
  return <Answer>(question: CloudQuestion): Promise<Answer> => {
    const answer = last.then(() => {
      const next = nextFrom<Answer>(child);
      child.send(question);
      return next;
    });
    last = answer.catch(() => undefined);
    return answer;
  };
}
