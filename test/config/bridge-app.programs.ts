/** Goal: the app that makes the template keeps the lock file beside it, or says why it does not. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollbridge-lock-'));
  path = join(folder, 'tollbridge.lock.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function lockText(): string {
  return readFileSync(path, 'utf8');
}

interface Ending {
  readonly status: number;
  readonly errors: string;
}

/** The real app, as `npx cdk synth` and `npm start` run it. */
function bridgeApp(env: Readonly<Record<string, string>> = {}): Promise<Ending> {
  const options = {
    cwd: ROOT,
    env: {
      ...process.env,
      CI: '',
      CDK_OUTDIR: join(folder, 'cdk.out'),
      CDK_VALIDATION: 'false',
      TOLLBRIDGE_LOCK: path,
      TOLLBRIDGE_ACCEPT: '',
      ...env,
    },
  };
  return new Promise((resolve) => {
    const args = ['--import', 'tsx', 'bin/bridge.ts'];
    execFile(process.execPath, args, options, (error, _, errors) => {
      resolve({ status: error === null ? 0 : Number(error.code), errors });
    });
  });
}

describe('bin/bridge.ts', { timeout: 120_000 }, () => {
  it('makes the lock file that is committed, and then finds nothing to say', async () => {
    const first = await bridgeApp();
    expect(first).toMatchObject({ status: 0, errors: expect.stringContaining('is new: commit') });
    expect(lockText()).toBe(readFileSync(join(ROOT, 'tollbridge.lock.json'), 'utf8'));
    const second = await bridgeApp({ CI: 'true' });
    expect(second.status).toBe(0);
    expect(second.errors).not.toContain('tollbridge.lock.json');
  });

  it('ends with the list of changes and no template, until they are accepted by name', async () => {
    const committed = readFileSync(join(ROOT, 'tollbridge.lock.json'), 'utf8');
    const pinned = committed.replace("payload('id')", "payload('uuid')");
    writeFileSync(path, pinned);
    const refused = await bridgeApp();
    expect(refused.status).toBe(1);
    expect(refused.errors).toMatch(
      /charges\.id[\s\S]*pinned: payload\('uuid'\)[\s\S]*accept=charges\.id/,
    );
    expect(refused.errors).not.toMatch(/\bat .*bridge\.ts:\d/);
    expect(lockText()).toBe(pinned);
    expect(existsSync(join(folder, 'cdk.out', 'manifest.json'))).toBe(false);

    const typo = await bridgeApp({ TOLLBRIDGE_ACCEPT: 'charges.idd' });
    expect(typo).toMatchObject({ status: 1, errors: expect.stringContaining('accepts nothing') });

    // How the CDK's command line hands on `-c accept=charges.id`.
    const context = JSON.stringify({ accept: 'charges.id' });
    const accepted = await bridgeApp({ CDK_CONTEXT_JSON: context });
    expect(accepted.status).toBe(0);
    expect(accepted.errors).toContain('what was accepted (charges.id): commit it');
    expect(lockText()).toBe(committed);
  });

  it('does not make a missing lock file in CI', async () => {
    const { status, errors } = await bridgeApp({ CI: 'true' });
    expect(status).toBe(1);
    expect(errors).toContain('commit tollbridge.lock.json');
    expect(existsSync(path)).toBe(false);
  });
});
