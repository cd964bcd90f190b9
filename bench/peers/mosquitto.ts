/** Mosquitto with QoS 2, at its best settings for the comparison: no bound on what is in flight. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf } from '../../tools/machine.ts';
import { freePort, installed, startProgram } from '../../tools/programs.ts';

export const isMosquittoInstalled = installed('mosquitto') !== undefined;
export const NO_MOSQUITTO = 'not measured: Mosquitto is not installed (Debian: mosquitto)';

export interface RunningMosquitto {
  readonly port: number;
  readonly pid: number;
  end(): Promise<void>;
}

export async function startMosquitto(): Promise<RunningMosquitto> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-bench-mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  const settings = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'set_tcp_nodelay true',
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  const before = new Set(childrenOf(process.pid));
  const broker = startProgram(installed('mosquitto') ?? 'mosquitto', ['-c', file]);
  await broker.prints(/version \S+ running/);
  const pid = childrenOf(process.pid).find((one) => !before.has(one) && isMosquitto(one));
  if (pid === undefined) throw new Error('Mosquitto runs, and is no child of this process');
  return {
    port,
    pid,
    async end() {
      await broker.end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isMosquitto(pid: number): boolean {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'mosquitto';
}
