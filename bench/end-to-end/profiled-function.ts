/**
 * The function as deployed, with V8's profiler in it: SIGUSR2 begins a profile, and the next one ends
 * it and writes it beside the bundle.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { profileFile, SAMPLE_MICROS } from './profile-file.ts';

export { handler } from '../../lambda/ingest/exactly-once.ts';

const session = new Session();
session.connect();
let isRunning = false;

process.on('SIGUSR2', () => {
  void (isRunning ? end() : begin());
});

async function begin(): Promise<void> {
  isRunning = true;
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS });
  await session.post('Profiler.start');
}

async function end(): Promise<void> {
  isRunning = false;
  const { profile } = await session.post('Profiler.stop');
  const file = join(process.env.LAMBDA_TASK_ROOT ?? '', profileFile(process.pid));
  writeFileSync(`${file}.part`, JSON.stringify(profile));
  // Whoever waits for it finds the whole.
  renameSync(`${file}.part`, file);
}
