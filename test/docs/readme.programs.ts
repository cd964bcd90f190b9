/**
 * Goal: README shows what a new user sees. Method: run its commands and compare what they print,
 * with the figures that no two runs share (times, hashes, counts of copies) masked on both sides.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const readme = readFileSync('README.md', 'utf8');

function block(info: string): string {
  const text = new RegExp(`\`\`\`${info}\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (text === undefined) throw new Error(`README.md has no block marked ${info}`);
  return text.trim();
}

function masked(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/[0-9a-f]{64}/g, 'HASH')
    .replaceAll(/"bookedAt":\d{13}/g, '"bookedAt":MILLIS')
    .trim();
}

it('README shows what the demo prints', { timeout: 120_000 }, async () => {
  const { stdout } = await run('npm', ['run', '-s', 'demo']);
  const shown = (text: string) =>
    text
      .split('\nOne row')[0]
      ?.replaceAll(
        /(deliveries at the rule|copies among them|every delivery would bill \(kWh\)) *│ *[\d.]+/g,
        '$1',
      )
      .replaceAll(/[\d.]+ s; on purpose: .*/g, 'on purpose')
      // The widest figure sets the width of its column, and that one differs.
      .replaceAll(/ +/g, ' ')
      .replaceAll(/─+/g, '─')
      .trim();
  expect(shown(stdout)).toBe(shown(block('text demo')));
});

describe('the quick start of README', () => {
  let port = '';
  let endpoint = '';
  // What `npm start` runs, without npm: npm ends by the signal itself and hides the exit status.
  const [node = '', ...script] = JSON.parse(
    readFileSync('package.json', 'utf8'),
  ).scripts.start.split(' ') as string[];
  const cloud = spawn(node, [...script, '--port', '0', '--api-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => cloud.once('close', resolve));

  beforeAll(async () => {
    let printed = '';
    await new Promise<void>((resolve, reject) => {
      void ended.then(() => reject(new Error(`npm start ended: ${printed}`)));
      cloud.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
        if (printed.includes('Ctrl-C')) resolve();
      });
    });
    port = /mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1] ?? '';
    endpoint = /DynamoDB +(\S+)/.exec(printed)?.[1] ?? '';
  });

  afterAll(() => {
    cloud.kill('SIGKILL');
  });

  it('prints what README shows', { timeout: 60_000 }, async () => {
    const script = block('sh quick-start')
      .replaceAll(/^(npm run -s send .*)$/gm, `$1 --port ${port}`)
      .replaceAll(/^(npm run -s ledger .*)$/gm, `$1 --endpoint ${endpoint}`);
    const { stdout } = await run('bash', ['-euc', script]);
    // The width of a masked column is that of its times, which all runs share.
    expect(masked(stdout)).toBe(masked(block('text quick-start')));
  });

  it('stops cleanly at Ctrl-C', async () => {
    cloud.kill('SIGINT');
    expect(await ended).toBe(0);
  });
});
