/** Programs as children of a test: what they print can be awaited, and they are ended by their id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { listenOn } from '../local/listen.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Program {
  /** Everything it has printed, to standard output and error. */
  printed(): string;
  /** Ends with the match as soon as this has been printed; fails when the program ends before. */
  prints(wanted: RegExp): Promise<RegExpExecArray>;
  /** Ends with the exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface Ended {
  readonly status: number | NodeJS.Signals | null;
  readonly printed: string;
}

/** Where a program is. Debian keeps servers in a folder that is not in everyone's PATH. */
export function installed(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Says why tests are skipped, and whether they are. */
export function missing(...names: readonly string[]): boolean {
  const absent = names.filter((name) => installed(name) === undefined);
  if (absent.length === 0) return false;
  process.stderr.write(`skipped: ${absent.join(', ')} not installed (Debian: mosquitto-clients)\n`);
  return true;
}

/** @param onLine told of every whole line of its standard output */
export function startProgram(
  command: string,
  args: readonly string[],
  onLine?: (line: string) => void,
): Program {
  const child: ChildProcess = spawn(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const bell = new EventEmitter().setMaxListeners(0);
  let text = '';
  let over = false;
  const keep = (chunk: Buffer) => {
    text += chunk.toString();
    bell.emit('change');
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  if (onLine !== undefined && child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', onLine);
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      over = true;
      bell.emit('change');
      resolve(status ?? signal);
    });
  });
  return {
    printed: () => text,
    async prints(wanted) {
      for (;;) {
        const match = wanted.exec(text);
        if (match !== null) return match;
        if (over) throw new Error(`${command} ended without printing ${wanted}:\n${text}`);
        await once(bell, 'change');
      }
    },
    ended,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[]): Promise<Ended> {
  const program = startProgram(command, args);
  const status = await program.ended;
  return { status, printed: program.printed() };
}

export function startTollbridge(...flags: readonly string[]): Program {
  const args = ['--import', 'tsx', 'bin/tollbridge.ts', 'start', ...flags];
  return startProgram(process.execPath, args);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOn(server, 0, '127.0.0.1');
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Mosquitto {
  readonly port: number;
  readonly url: string;
  end(): Promise<void>;
}

/** The real Mosquitto on loopback, held to QoS 1 as AWS IoT Core is. */
export async function startMosquitto(): Promise<Mosquitto> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'tollbridge-mosquitto-'));
  const config = join(dir, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_qos 1\n`);
  const broker = startProgram(installed('mosquitto') ?? 'mosquitto', ['-c', config]);
  await broker.prints(/version \S+ running/);
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    async end() {
      await broker.end('SIGTERM');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
