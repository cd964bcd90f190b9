/**
 * A run on several processes. Parts are given out in order, and a failure counts only when every
 * part before it is known to be clean: the result is the same however many processes there are.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Coverage, Fault } from './faults.ts';
import { addTo, type Failure, type Part, type RunOptions, type RunResult } from './run.ts';

const PART_SCHEDULES = 50;
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** What a worker sends back: a result that can be sent. */
export interface PartResult {
  readonly schedules: number;
  readonly failures: readonly Failure[];
  readonly coverage: readonly (readonly [Fault, number])[];
}

export async function runOnWorkers(options: RunOptions, workers: number): Promise<RunResult> {
  const { seed, schedules, onProgress } = options;
  const parts: Part[] = [];
  for (let from = 0; from < schedules; from += PART_SCHEDULES) {
    parts.push({ seed, from, to: Math.min(from + PART_SCHEDULES, schedules) });
  }
  const results = new Map<Part, PartResult>();
  let next = 0;
  let done = 0;
  let isFailed = false;
  const work = async (worker: ChildProcess) => {
    for (;;) {
      const part = isFailed ? undefined : parts[next++];
      if (part === undefined) return;
      const result = await ask(worker, part);
      results.set(part, result);
      done += result.schedules;
      onProgress?.(done);
      // What was given out before is waited for: the first failure may be in it.
      if (result.failures.length > 0) isFailed = true;
    }
  };
  const processes = Array.from({ length: workers }, () =>
    fork(WORKER, { execArgv: ['--import', 'tsx'] }),
  );
  try {
    await Promise.all(processes.map(work));
  } finally {
    for (const process of processes) process.disconnect();
  }
  return together(parts.flatMap((part) => results.get(part) ?? []));
}

function together(results: readonly PartResult[]): RunResult {
  const coverage: Coverage = new Map();
  let schedules = 0;
  for (const result of results) {
    addTo(coverage, result.coverage);
    schedules += result.schedules;
    if (result.failures.length > 0) return { schedules, failures: result.failures, coverage };
  }
  return { schedules, failures: [], coverage };
}

function ask(worker: ChildProcess, part: Part): Promise<PartResult> {
  return new Promise((resolve, reject) => {
    const failed = (code: number | null) =>
      reject(new Error(`a worker of the simulation ended with ${code}`));
    worker.once('exit', failed);
    worker.once('message', (result) => {
      worker.off('exit', failed);
      resolve(result as PartResult);
    });
    worker.send(part);
  });
}
