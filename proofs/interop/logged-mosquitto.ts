/**
 * Mosquitto for the table of clients: on one port without TLS, on another with TLS for whoever has a
 * certificate of a given authority, and telling of every packet that it gets.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { CertificateAuthority } from '../../local/certificates/authority.ts';
import { freePort, installed, type Mosquitto, startProgram } from '../../tools/programs.ts';

export interface LoggedMosquitto extends Mosquitto {
  readonly tlsPort: number;
  /** As it says it, e.g. `2.0.11`. */
  readonly version: string;
  /** PUBLISHes to the topics of a device that it got with the DUP flag. */
  marked(device: string): number;
}

/** Nobody may publish there; all else is free. */
export const REFUSED_DEVICE = 'meter-refused';

const ACCESS = `
pattern readwrite #
pattern readwrite $aws/#
topic readwrite #
topic readwrite $aws/#
pattern deny billing/${REFUSED_DEVICE}/#
topic deny billing/${REFUSED_DEVICE}/#
`;

function configOf(folder: string, port: number, tlsPort: number): string {
  // Started by root it would become another user, who may not read the folder. What is said of a
  // listener before there is one would open a third, on port 1883 of every interface.
  return `
user ${userInfo().username}
allow_anonymous true
acl_file ${join(folder, 'access')}
log_type all
listener ${port} 127.0.0.1
max_qos 1
listener ${tlsPort} 127.0.0.1
max_qos 1
cafile ${join(folder, 'ca.pem')}
certfile ${join(folder, 'server.pem')}
keyfile ${join(folder, 'server.key')}
require_certificate true
use_identity_as_username true
`;
}

export async function startLoggedMosquitto(
  authority: CertificateAuthority,
): Promise<LoggedMosquitto> {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-mosquitto-'));
  const server = await authority.serverCredentials();
  const files = {
    access: ACCESS,
    'ca.pem': authority.certificate,
    'server.pem': server.certificate,
    'server.key': server.key,
    'mosquitto.conf': configOf(folder, port, tlsPort),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const broker = startProgram(installed('mosquitto') ?? 'mosquitto', [
    ...['-c', join(folder, 'mosquitto.conf')],
  ]);
  const [, version = ''] = await broker.prints(/mosquitto version (\S+) running/);
  return {
    port,
    tlsPort,
    version,
    url: `mqtt://127.0.0.1:${port}`,
    marked(device) {
      const line = new RegExp(`Received PUBLISH from \\S+ \\(d1, .*'billing/${device}/`, 'g');
      return [...broker.printed().matchAll(line)].length;
    },
    async end() {
      await broker.end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
