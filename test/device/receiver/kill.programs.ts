/**
 * A receiver's process killed between effect and mark, in each order, with a real broker that keeps
 * its session and delivers again what was not acknowledged.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type PlainBroker, startPlainBroker } from '../plain-broker.ts';
import { inbound } from './receiver-fixture.ts';

const CHILD = fileURLToPath(new URL('receiver-child.ts', import.meta.url));

describe('a receiver killed', () => {
  let broker: PlainBroker;
  let folder = '';
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    broker = await startPlainBroker();
    folder = mkdtempSync(join(tmpdir(), 'receiver-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await broker.close();
  });

  it.each([
    ['effect-first', 'before', 1, 'handled'],
    // The one place where this order repeats an effect.
    ['effect-first', 'after', 2, 'handled'],
    // The one place where this order loses one, which is told and kept.
    ['mark-first', 'before', 0, 'failed'],
    ['mark-first', 'after', 1, 'failed'],
    ['with-effect', 'before', 1, 'handled'],
    ['with-effect', 'after', 1, 'copy'],
  ] as const)(
    '%s: %s its effect, has it %i times after a restart',
    async (order, place, times, end) => {
      const killed = startChild(order, place);
      await killed.said('subscribed');
      await broker.publish(inbound('a'));
      await killed.ended;
      expect(killed.child.signalCode).toBe('SIGKILL');
      const next = startChild(order, 'never');
      await next.said(end);
      // A copy changes nothing any more.
      const copies = end === 'copy' ? 2 : 1;
      await broker.publish(inbound('a'));
      await next.said('copy', copies);
      // And what comes after it is handled as usual.
      await broker.publish(inbound('b'));
      await next.said('handled', end === 'handled' ? 2 : 1);
      next.child.stdin?.end();
      await next.ended;
      expect(next.child.exitCode).toBe(0);
      const effects = existsSync(join(folder, 'effects.txt'))
        ? readFileSync(join(folder, 'effects.txt'), 'utf8').trimEnd().split('\n')
        : [];
      expect(effects.filter((id) => id === 'charges#m#a')).toHaveLength(times);
      expect(effects.filter((id) => id === 'charges#m#b')).toHaveLength(1);
    },
  );

  function startChild(order: string, place: string) {
    const args = ['--import', 'tsx', CHILD, String(broker.port), folder, order, place];
    const child: ChildProcess = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines: string[] = [];
    const waiting = new Set<() => void>();
    const look = () => {
      for (const check of waiting) check();
    };
    if (child.stdout === null) throw new Error('the child has no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      look();
    });
    const ended = once(child, 'close').then(look);
    const said = (wanted: string, count = 1) =>
      new Promise<void>((resolve, reject) => {
        const check = () => {
          if (lines.filter((line) => line === wanted).length >= count) resolve();
          else if (child.exitCode !== null || child.signalCode !== null) {
            reject(new Error(`the child ended after: ${lines.join(', ')}`));
          }
        };
        waiting.add(check);
        check();
      });
    return { child, ended, said };
  }
});
