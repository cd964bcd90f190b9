/**
 * Goal: what a shell sees of the commands that repair: streams, exit statuses, help, Ctrl-C. Method:
 * processes against a local cloud with the configuration of the working tree.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyText } from '../../cli/quarantine/key.ts';
import { bodyHashOf } from '../../core/base/hash.ts';
import config from '../../tollbridge.config.ts';
import { linesOf, runProcess } from '../../tools/clouds/asking-ground.ts';
import { charge, type RepairBench, startRepairBench, told } from './repair-fixture.ts';

let bench: RepairBench;
let key: string;
const topic = 'billing/meter-17/charges';
const later = charge('a-1', { kWh: 99 });

beforeAll(async () => {
  bench = await startRepairBench(config);
  const thing = await bench.thing('meter-17');
  await told(thing, topic, charge('a-1'));
  await told(thing, topic, later);
  const hash = bodyHashOf(topic, Buffer.from(later));
  key = keyText({ pk: 'charges#meter-17', sk: `a-1#${hash}` });
});
afterAll(() => bench.close());

const run = (...args: readonly string[]) => runProcess([...args, ...bench.local]);
const deadLetters = () => {
  const { queues } = bench.bridge.cloud;
  const name = [...queues.keys()].find((each) => each.includes('ChargesDeadLetters')) ?? '';
  const found = queues.get(name);
  if (found === undefined) throw new Error('there is no dead-letter queue');
  return found;
};

function letter(n: number): string {
  return JSON.stringify({
    topic,
    clientId: 'meter-17',
    cloudwatchTraceId: `trace-${n}`,
    base64OriginalPayload: Buffer.from(charge(`d-${n}`)).toString('base64'),
  });
}

it('doctor finds nothing wrong with a cloud that was just started', async () => {
  const { stdout, stderr, status } = await run('doctor');
  expect([stderr, status]).toEqual(['', 0]);
  expect(stdout).toMatch(/\nnothing is wrong\n$/);
});

describe('quarantine', () => {
  it('list, show, discard, restore and accept, one after the other', async () => {
    const list = await run('quarantine', 'list', '--json');
    expect(linesOf(list.stdout)).toMatchObject([{ key, reason: 'conflict' }]);
    const show = await run('quarantine', 'show', key);
    expect([show.stdout, show.status]).toEqual([expect.stringMatching(/≠ +│ kWh/), 0]);
    const refused = await run('quarantine', 'accept', key);
    expect([refused.stdout, refused.stderr, refused.status]).toEqual([
      '',
      expect.stringMatching(/needs --yes/),
      2,
    ]);
    const discard = await run('quarantine', 'discard', key, '--reason', 'x', '--yes');
    expect([discard.stderr, discard.status]).toEqual(['', 0]);
    expect((await run('quarantine', 'accept', key, '--yes')).status).toBe(1);
    expect((await run('quarantine', 'restore', key, '--yes')).status).toBe(0);
    const accept = await run('quarantine', 'accept', key, '--yes', '--json');
    expect(linesOf(accept.stdout)).toMatchObject([{ outcome: 'accepted' }]);
    expect([accept.stderr, accept.status]).toEqual(['', 0]);
    expect(await bench.bridge.rows('Ledger')).toHaveLength(2);
  });
});

it('forward-again publishes, and says what', async () => {
  const { stdout, stderr, status } = await run('forward-again', 'meter-17', 'a-1', '--json');
  expect(linesOf(stdout)).toMatchObject([{ forwardedAs: 'charges#meter-17#a-1' }]);
  expect([stderr, status]).toEqual(['', 0]);
});

describe('dead-letters', () => {
  it('list and redrive', async () => {
    deadLetters().send(letter(0));
    const list = await run('dead-letters', 'list');
    expect([list.stdout, list.status]).toEqual([expect.stringMatching(/d-0/), 1]);
    const redrive = await run('dead-letters', 'redrive', 'charges', '--json');
    expect(linesOf(redrive.stdout)).toMatchObject([{ moved: 1 }]);
    expect([redrive.stderr, redrive.status]).toEqual(['', 0]);
  });

  it('redrive ends after the batch in hand at Ctrl-C, with every letter in one place', async () => {
    const dead = deadLetters();
    for (let n = 1; n <= 60; n++) dead.send(letter(n));
    const args = ['dead-letters', 'redrive', 'charges', '--rate', '10', '--json', ...bench.local];
    const program = ['--import', 'tsx', 'bin/tollbridge.ts', ...args];
    const redrive = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      redrive[name].on('data', (chunk: Buffer) => {
        said[name] += chunk.toString();
      });
    }
    const closed = once(redrive, 'close');
    await bench.bridge.seen(
      ({ kind, ...event }) =>
        kind === 'published' && /d-1"/.test(String((event as { payload?: Buffer }).payload)),
    );
    redrive.kill('SIGINT');
    const [status] = await closed;
    expect([status, said.stderr]).toEqual([1, expect.stringMatching(/ending after the batch/)]);
    const [{ moved, interrupted } = {}] = linesOf(said.stdout);
    expect(interrupted).toBe(true);
    expect(dead.depth()).toEqual({ visible: 60 - Number(moved), inFlight: 0 });
    await bench.bridge.cloud.idle();
    const booked = (await bench.bridge.rows('Ledger')).filter(({ id }) =>
      /^d-[1-9]/.test(id?.S ?? ''),
    );
    expect(booked).toHaveLength(Number(moved));
  });
});

it.each([
  'quarantine list',
  'quarantine show',
  'quarantine accept',
  'quarantine discard',
  'quarantine restore',
  'dead-letters list',
  'dead-letters redrive',
  'forward-again',
  'doctor',
])('%s --help shows examples and exit statuses', async (command) => {
  const { stdout, stderr, status } = await runProcess([...command.split(' '), '--help']);
  expect(stdout).toContain(`Examples:\n  tollbridge ${command}`);
  expect(stdout).toMatch(/Exit status: 0/);
  expect([stderr, status]).toEqual(['', 0]);
});

it.each([
  [['quarantine', 'list', '--local', 'http://127.0.0.1:1'], 1, /npm start/],
  [['doctor', '--local', 'http://127.0.0.1:1'], 1, /npm start/],
  [['quarantine', 'accept'], 2, /missing required argument 'key'/],
  [['dead-letters', 'redrive'], 2, /missing required argument 'route'/],
  [['quarantine', 'nope'], 2, /unknown command 'nope'/],
])('%j ends with %i', async (args, wanted, text) => {
  const { stdout, stderr, status } = await runProcess(args);
  expect([stdout, status]).toEqual(['', wanted]);
  expect(stderr).toMatch(text);
});
