/**
 * Goal: what `npm pack` makes works for who installs it, in plain JavaScript and in TypeScript, with
 * nothing of AWS or the CDK anywhere below it. Method: packed, unpacked beside links to the very
 * dependencies that its package.json names, compiled against, and run against the local cloud.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { newOutbox } from './folders.ts';

const run = promisify(execFile);
const PACKAGE = 'tollbridge-device';

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

let assembly: string;
let bridge: TestCloud;
let app: string;
let files: readonly string[];

/** A user's folder: the unpacked tarball, and the dependencies that it names, where npm puts them. */
beforeAll(async () => {
  app = join(newOutbox(), '..');
  const modules = join(app, 'node_modules');
  const unpacked = join(modules, PACKAGE);
  mkdirSync(unpacked, { recursive: true });
  // A copy is built and packed, so that nothing else sees it half built.
  const source = join(app, 'source');
  for (const name of ['core', 'device', 'package.json', 'tsconfig.json']) {
    cpSync(name, join(source, name), {
      recursive: true,
      filter: (path) => !/(^|\/)(dist|node_modules)$/.test(path),
    });
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(source, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', app], {
    cwd: join(source, 'device'),
  });
  const json = stdout.slice(stdout.indexOf('[\n'));
  const [packed] = JSON.parse(json) as { filename: string; files: { path: string }[] }[];
  files = packed?.files.map(({ path }) => path) ?? [];
  await run('tar', ['-xzf', packed?.filename ?? '', '-C', unpacked, '--strip-components', '1'], {
    cwd: app,
  });
  for (const name of Object.keys(manifestAt(unpacked).dependencies ?? {})) {
    symlinkSync(join(process.cwd(), 'node_modules', name), join(modules, name));
  }
  assembly = await assemblyOf(config);
  bridge = await startTestCloud(assembly);
});
afterAll(async () => {
  await bridge.cloud.idle();
  await bridge.cloud.close();
});

function manifestAt(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** The folder of an installed package, as Node.js finds it from another. */
function folderOf(name: string, from: string): string {
  const paths =
    createRequire(join(from, 'package.json')).resolve.paths(`${name}/package.json`) ?? [];
  for (const path of paths) {
    try {
      manifestAt(join(path, name));
      return realpathSync(join(path, name));
    } catch {
      // Not in this one.
    }
  }
  throw new Error(`${name} is not installed for ${from}`);
}

/** Every package that is installed with it. */
function closure(folder: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
  for (const name of Object.keys(manifestAt(folder).dependencies ?? {})) {
    const at = folderOf(name, folder);
    if ([...found.values()].includes(at)) continue;
    found.set(`${found.size} ${name}`, at);
    closure(at, found);
  }
  return found;
}

describe('the package', () => {
  it('holds what is built, its documents and nothing else', () => {
    const others = files.filter(
      (path) => !/^dist\/(device|core)\/([\w-]+\/)?[\w-]+\.(js|d\.ts)$/.test(path),
    );
    expect(others.toSorted()).toEqual(['README.md', 'RECEIVER.md', 'package.json']);
    expect(files).toContain('dist/device/index.js');
    expect(files).toContain('dist/device/index.d.ts');
  });

  it('imports its own files, Node.js and its dependencies alone', () => {
    const unpacked = join(app, 'node_modules', PACKAGE);
    const known = new Set(Object.keys(manifestAt(unpacked).dependencies ?? {}));
    for (const path of files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
      const text = readFileSync(join(unpacked, path), 'utf8');
      for (const [, name = ''] of text.matchAll(
        /^(?:import|export)\b[^;]*?from ['"]([^'"]+)['"]/gms,
      )) {
        if (name.startsWith('node:') || known.has(name)) continue;
        expect(name, path).toMatch(/^\.\.?\//);
        const target = join(dirname(path), name).replace(/\.ts$/, '.d.ts');
        expect(files, `${path} imports ${name}`).toContain(target);
      }
    }
  });

  it('brings nothing of AWS or the CDK, at any depth', () => {
    const names = [...closure(join(app, 'node_modules', PACKAGE)).keys()];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => /aws|cdk|smithy|constructs/.test(name))).toEqual([]);
  });

  it('publishes from plain JavaScript', async () => {
    const script = join(app, 'app.mjs');
    writeFileSync(
      script,
      `import { connect, RejectedError } from '${PACKAGE}';
const device = await connect({
  url: 'mqtt://127.0.0.1:${bridge.port}', deviceId: 'plain', outbox: ${JSON.stringify(newOutbox())},
  routes: { charges: { topic: 'billing/plain/charges', idField: 'id' } },
});
const body = { account: 'a', kWh: '1.25', at: new Date().toISOString() };
const { outcome } = await device.publish('charges', body);
const error = await device.publish('charges', {}).catch((error) => error);
console.log(outcome, error instanceof RejectedError);
await device.close();
`,
    );
    const { stdout } = await run(process.execPath, [script], { cwd: app });
    expect(stdout.trim()).toBe('accepted true');
  });

  it('is typed for TypeScript, without a setting of its own', async () => {
    const script = join(app, 'app.ts');
    writeFileSync(
      script,
      `import { connect, type BookedReceipt, type Routes } from '${PACKAGE}';
const routes: Routes = { charges: { topic: 't', idField: 'id' } };
const device = await connect({ url: 'mqtt://x', deviceId: 'm', outbox: './o', routes });
const receipt: BookedReceipt = await device.publish('charges', { a: 1n });
device.on('receipt', ({ id, bookedAt }) => [id.length, bookedAt + receipt.bookedAt]);
const wrong: number = receipt.outcome;
`,
    );
    writeFileSync(join(app, 'package.json'), '{"type":"module"}');
    const tsc = join(process.cwd(), 'node_modules', '.bin', 'tsc');
    const types = join(process.cwd(), 'node_modules', '@types');
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext'];
    const compiled = run(tsc, [...flags, '--typeRoots', types, '--types', 'node', script], {
      cwd: app,
    });
    // The one mistake is found, so the types are there and are no guess.
    const failure = await compiled.then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    const errors = failure.split('\n').filter((line) => /error TS/.test(line));
    expect(errors).toEqual([
      expect.stringMatching(/^app\.ts\(6,7\): error TS2322: .*not assignable to type 'number'/),
    ]);
  });
});
