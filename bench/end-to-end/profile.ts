/** Where the CPU of the function's process goes, from V8's profiles of it in a run end to end. */
import { existsSync, readFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT } from '../../lib/constructs/bundle-options.ts';
import { bundle } from '../harness/bundle.ts';
import { startBenchCloud } from './cloud.ts';
import { type EndToEnd, onCloud, type RunShape, WARM_MESSAGES } from './contenders.ts';
import { profileFile } from './profile-file.ts';
import { type Owner, type SelfTime, selfTimes } from './self-times.ts';

export interface Profiled {
  readonly times: readonly SelfTime[];
  /** CPU that the process was charged for, in microseconds for each message. */
  readonly cpuMicros: number;
}

const WRITTEN_MILLIS_MAX = 20_000;

/** @param folder where the profiled bundle is made, not there yet */
export async function profileFunction(
  assembly: string,
  folder: string,
  shape: RunShape,
): Promise<Profiled> {
  const file = join(folder, 'index.mjs');
  await bundle('bench/end-to-end/profiled-function.ts', file, { sourcemap: true });
  const cloud = await startBenchCloud({ assembly, charges: folder, speed: 1 });
  try {
    const bridge = onCloud('the bridge, profiled', cloud, 'charges');
    await bridge.run({ ...shape, messages: WARM_MESSAGES });
    const pids = await cloud.functions();
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    const result: EndToEnd = await bridge.run(shape);
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    const profiles = await Promise.all(pids.map((pid) => written(join(folder, profileFile(pid)))));
    const ownerOf = ownersIn(file);
    return { times: selfTimes(profiles, ownerOf), cpuMicros: result.cpu.consumer };
  } finally {
    await cloud.close();
  }
}

async function written(file: string): Promise<Profiler.Profile> {
  const until = performance.now() + WRITTEN_MILLIS_MAX;
  while (!existsSync(file)) {
    if (performance.now() > until) throw new Error(`no profile was written to ${file}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return JSON.parse(readFileSync(file, 'utf8')) as Profiler.Profile;
}

/** Tells the file that a function of the minified bundle came from, by the bundle's source map. */
function ownersIn(file: string): Owner {
  const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload);
  const url = pathToFileURL(file).href;
  return (frame) => {
    if (frame.url !== url) return frame.url === '' ? undefined : frame.url;
    const found = map.findEntry(frame.lineNumber, frame.columnNumber);
    if (!('originalSource' in found)) return 'esbuild';
    return relative(PROJECT, join(dirname(file), found.originalSource));
  };
}
