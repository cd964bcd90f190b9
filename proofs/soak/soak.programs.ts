/**
 * Goal: with everything breaking at once, every message ends where it was meant to, once. Method:
 * half a minute of `npm run soak`; from five minutes on it judges memory as well.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { countOf } from './books.ts';
import { runSoak } from './run.ts';
import { DEAD_LETTER } from './words.ts';

it('what devices mean is booked, forwarded, refused or kept, once, whatever breaks', {
  timeout: 280_000,
}, async () => {
  const { differences, figures, failed, unexplainedForwards, isClean } = await runSoak({
    minutes: 0.5,
    devices: 12,
    perSecond: 60,
    seed: 7,
    // All waits end before the test, and say then what they waited for.
    restMillisMax: 230_000,
    tell: () => {},
    signal: new AbortController().signal,
  });
  expect({ differences, failed, unexplainedForwards }).toMatchObject({
    failed: [],
    unexplainedForwards: [],
  });
  expect(countOf(differences)).toBe(0);
  expect(isClean).toBe(true);
  expect(figures.meant).toBeGreaterThan(100);
  for (const name of ['charges', 'events', 'values', 'quarantined', 'forwards', 'completed']) {
    expect(figures[name], name).toBeGreaterThan(0);
  }
  for (const name of ['outages', 'deadly', 'restarts', 'deviceKills', 'receiverKills', 'cuts']) {
    expect(figures[name], name).toBeGreaterThan(0);
  }
  // A dead letter comes of each path, and every one of them is moved back.
  const dead = Object.values(DEAD_LETTER).map((name) => figures[name] ?? 0);
  for (const [n, count] of dead.entries()) expect(count, String(n)).toBeGreaterThan(0);
  expect(figures.redriven).toBe(dead.reduce((sum, count) => sum + count, 0));
  expect(figures.deliveriesOfThem ?? 0).toBeGreaterThan(
    (figures.charges ?? 0) + (figures.events ?? 0),
  );
});

it('Ctrl-C ends the load, and what was said until then is drained and compared', {
  timeout: 280_000,
}, async () => {
  const program = new URL('main.ts', import.meta.url).pathname;
  const flags = ['--minutes', '60', '--devices', '4', '--rest-minutes', '3'];
  const soak = spawn(process.execPath, ['--import', 'tsx', program, ...flags], {
    // A terminal tells the whole group of a Ctrl-C, and npm tells its program of it once more.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // What it has started ends with it.
  onTestFinished(() => void soak.kill('SIGKILL'));
  const printed = text(soak.stdout);
  const ended = once(soak, 'close');
  let told = '';
  soak.stderr.on('data', (chunk: Buffer) => {
    const isFirst = !told.includes(' said,');
    told += chunk.toString();
    if (!isFirst || !told.includes(' said,') || soak.pid === undefined) return;
    process.kill(-soak.pid, 'SIGINT');
    process.kill(soak.pid, 'SIGINT');
  });
  const [status] = await ended;
  expect(told).toContain('draining');
  expect(await printed).toContain('Every message is where it was meant to be, once.');
  expect(status).toBe(0);
});
