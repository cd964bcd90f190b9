/** Devices that are the example for Python: input and outbox on disk, whichever process runs them. */
import 'reflect-metadata';
import { spawnSync } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';
import type { CertificateAuthority } from '../../local/certificates/authority.ts';
import { type Program, startProgram } from '../../tools/programs.ts';

export const SCRIPT = 'examples/python/tollbridge_client.py';
/** Quick enough for a test: the pauses before reconnections shrink with it. */
const TIMEOUT_SECONDS = '1';

/** A Python that has Paho: the one in PATH may be another than Debian's. */
function findPython(): string | undefined {
  const candidates = [process.env.PYTHON, 'python3', '/usr/bin/python3'];
  const needed = 'import paho.mqtt.client, sqlite3';
  return candidates.find(
    (name) => name !== undefined && spawnSync(name, ['-c', needed]).status === 0,
  );
}

export const python = findPython() ?? '';
export const isMissing = python === '';
if (isMissing) {
  process.stderr.write('skipped: no Python with Paho (Debian: python3-paho-mqtt)\n');
}

/** Called last first when a test is over. */
export type Closing = (() => unknown)[];

/** A temporary folder. */
export function folder(closing: Closing): string {
  const path = mkdtempSync(join(tmpdir(), 'tollbridge-python-'));
  closing.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Station {
  readonly device: string;
  readonly input: string;
  readonly outbox: string;
  start(...flags: readonly string[]): Program;
  /** Rows of a table of its database, as SQLite's own module reads them. */
  rows(query: string): readonly (readonly unknown[])[];
}

/** A device with its input and its outbox on disk, whichever process runs it. */
export function stationOf(
  closing: Closing,
  device: string,
  port: number,
  lines: readonly (string | Buffer)[],
): Station {
  const dir = folder(closing);
  const [input, outbox] = [join(dir, 'input.jsonl'), join(dir, 'outbox.db')];
  const bytes = lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]);
  writeFileSync(input, Buffer.concat(bytes));
  const flags = ['--device', device, '--port', `${port}`, '--host', '127.0.0.1'];
  return {
    device,
    input,
    outbox,
    start(...more) {
      const own = ['--outbox', outbox, '--timeout', TIMEOUT_SECONDS];
      const program = startProgram(python, [SCRIPT, input, ...flags, ...own, ...more]);
      closing.push(() => program.end('SIGKILL'));
      return program;
    },
    rows(query) {
      const code = `import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()
print(json.dumps([[v.decode('latin-1') if isinstance(v, bytes) else v for v in r] for r in rows]))`;
      const { stdout } = spawnSync(python, ['-c', code, outbox, query]);
      return JSON.parse(stdout.toString());
    },
  };
}

export function fileOf(closing: Closing, name: string, text: string): string {
  const path = join(folder(closing), name);
  writeFileSync(path, text);
  return path;
}

/** A certificate of the authority for a device, and its key: paths of PEM files. */
export async function clientFiles(closing: Closing, authority: CertificateAuthority) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=meter-8',
    keys,
    signingAlgorithm: algorithm,
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`;
  return {
    cert: fileOf(closing, 'device.pem', await authority.sign(request.toString('pem'))),
    key: fileOf(closing, 'device.key', pem),
  };
}
