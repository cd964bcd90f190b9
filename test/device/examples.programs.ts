/**
 * Goal: the numbered examples do what they say. Method: each is run as its head says, against the
 * local cloud; the one for AWS IoT Core with a certificate that the command line made.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { newOutbox } from './folders.ts';

const execute = promisify(execFile);
let assembly: string;
let bridge: TestCloud;
beforeAll(async () => {
  assembly = await assemblyOf(config);
  bridge = await startTestCloud(assembly, {}, { mqttsPort: 0 });
});
afterAll(async () => {
  await bridge.cloud.idle();
  await bridge.cloud.close();
});

/** What a script of this repository prints, line by line. */
async function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  const { stdout } = await execute(process.execPath, ['--import', 'tsx', script, ...args], {
    env: { ...process.env, ...env },
  });
  return stdout.trim().split('\n');
}

const runExample = (name: string, outbox = newOutbox()) =>
  run(`examples/${name}`, [], {
    TOLLBRIDGE_URL: `mqtt://127.0.0.1:${bridge.port}`,
    TOLLBRIDGE_OUTBOX: outbox,
  });

async function rowsOf(device: string) {
  return (await bridge.rows('Ledger')).filter((row) => row.device?.S === device);
}

describe('the examples', () => {
  it('each have a line in their README, and are named by number', () => {
    const readme = readFileSync('examples/README.md', 'utf8');
    const names = readdirSync('examples').filter((name) => name.endsWith('.ts'));
    expect(names.length).toBeGreaterThanOrEqual(5);
    for (const name of names) {
      expect(name).toMatch(/^\d-[a-z-]+\.ts$/);
      expect(readme).toContain(`(${name})`);
    }
    for (const [, path = ''] of readme.matchAll(/\]\(([^)#]+)\)/g)) {
      expect(existsSync(join('examples', path)), path).toBe(true);
    }
  });

  it('1: a charge is published and its receipt printed', async () => {
    const [line = ''] = await runExample('1-publish.ts');
    expect(JSON.parse(line)).toMatchObject({ route: 'charges', outcome: 'accepted' });
    expect(await rowsOf('meter-17')).toHaveLength(1);
  });

  it('2: a process that kills itself leaves a message, and the next start sends it', async () => {
    const lines = await runExample('2-restart.ts');
    const [id] = lines[0]?.split(' ') ?? [];
    expect(lines[0]).toBe(`${id} is on disk; the power goes out`);
    expect(lines[1]).toBe('the first process ended with SIGKILL');
    expect(lines.slice(2)).toEqual([
      expect.stringContaining(`${id} was left, published at 20`),
      expect.stringMatching(`${id} is booked \\((accepted|duplicate)\\)`),
      'nothing is left',
    ]);
    expect((await rowsOf('meter-18')).map((row) => row.id?.S)).toEqual([id]);
  });

  it('3: three charges go through the full handshake to its end', async () => {
    const lines = await runExample('3-full-handshake.ts');
    for (const word of ['PUBLISH', 'receipt', 'completed']) {
      expect(lines.filter((line) => line.startsWith(word))).toHaveLength(3);
    }
    expect(lines.at(-1)).toBe('held: {"messages":0,"bytes":0,"rejected":0,"inFlight":0}');
    const rows = await rowsOf('meter-19');
    expect(rows.map((row) => row.releasedAt !== undefined)).toEqual([true, true, true]);
  });

  it('5: the settings for AWS IoT Core connect with a certificate, over TLS', async () => {
    const folder = newOutbox();
    await run('bin/tollbridge.ts', [
      'device',
      'add',
      'meter-20',
      '--local',
      bridge.cloud.apiUrl,
      '--out',
      folder,
    ]);
    const [line = ''] = await run('examples/5-aws-iot-core.ts', [], {
      AWS_IOT_ENDPOINT: 'localhost',
      AWS_IOT_PORT: String(bridge.cloud.mqttsPort),
      DEVICE: 'meter-20',
      DEVICE_CA: join(folder, 'meter-20.ca.pem'),
      DEVICE_CERT: join(folder, 'meter-20.cert.pem'),
      DEVICE_KEY: join(folder, readdirSync(folder).find((name) => name.includes('key')) ?? ''),
      TOLLBRIDGE_OUTBOX: newOutbox(),
    });
    expect(JSON.parse(line)).toMatchObject({ outcome: 'accepted' });
    expect(await rowsOf('meter-20')).toHaveLength(1);
  });
});
