/** Mosquitto as it comes, with QoS 2; the interop tests hold theirs to QoS 1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, installed, type Mosquitto, startProgram } from '../../tools/programs.ts';

export const isMosquittoInstalled = installed('mosquitto') !== undefined;

export interface QosTwoMosquitto extends Mosquitto {
  /** As it prints it, e.g. `2.0.11`. */
  readonly version: string;
}

export async function startMosquitto(): Promise<QosTwoMosquitto> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-wire-mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const broker = startProgram(installed('mosquitto') ?? 'mosquitto', ['-c', file]);
  const [, version = ''] = await broker.prints(/version (\S+) running/);
  return {
    port,
    version,
    url: `mqtt://127.0.0.1:${port}`,
    async end() {
      await broker.end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
