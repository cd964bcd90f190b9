/**
 * Goal: the CDK's own command line makes the template and finds it valid. This is the one run of its
 * template check, which is left out wherever else a template is made.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

describe('npx cdk synth', () => {
  const run = promisify(execFile);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tollbridge-synth-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('builds every stack and bundle without an account, credentials or a home', {
    timeout: 120_000,
  }, async () => {
    const output = join(folder, 'cdk.out');
    await run('npx', ['--no-install', 'cdk', 'synth', '-q', '--output', output], {
      cwd: PROJECT,
      env: { PATH: process.env.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
    });
    const assets = JSON.parse(readFileSync(join(output, 'Tollbridge-Ingest.assets.json'), 'utf8'));
    const folders = Object.values<{ source: { path: string; packaging: string } }>(assets.files)
      .filter(({ source }) => source.packaging === 'zip')
      .map(({ source }) => join(output, source.path));
    expect(existsSync(join(output, 'Tollbridge-State.template.json'))).toBe(true);
    expect(folders.filter((asset) => existsSync(join(asset, 'index.mjs')))).toHaveLength(2);
    expect(folders.filter((asset) => existsSync(join(asset, 'index.mjs.map')))).toHaveLength(2);
  });
});
