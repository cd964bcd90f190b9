/**
 * What all clients of the table share: the local cloud on its own broker, and on a Mosquitto of
 * somebody else's.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../core/base/time.ts';
import { type CertificateAuthority, openAuthority } from '../../../local/certificates/authority.ts';
import { newKey, requestOf } from '../../../local/certificates/keys.ts';
import { seededChance } from '../../../local/chance.ts';
import type { Chance } from '../../../local/contracts.ts';
import { createCuttingProxy } from '../../../local/faults/cutting-proxy.ts';
import { startTestCloud, type TestCloud } from '../../../tools/clouds/cloud.ts';
import {
  addTo,
  newFolder,
  startDeviceBench,
  targetAt,
} from '../../../tools/clouds/device-ground.ts';
import { type LoggedMosquitto, startLoggedMosquitto } from '../logged-mosquitto.ts';
import type { Closing } from '../python-station.ts';
import { createRecordCuttingProxy } from '../record-cutting-proxy.ts';
import type { BrokerName, ClientCase } from './clients.ts';
import type { Link } from './drivers.ts';

interface Side {
  readonly bridge: TestCloud;
  readonly ports: Readonly<Record<ClientCase['transport'], number>>;
  /** Registers a device with a certificate: paths of PEM files. */
  credentials(device: string): Promise<NonNullable<Link['tls']>>;
}

export interface Ground {
  readonly sides: ReadonlyMap<BrokerName, Side>;
  /** Undefined where Mosquitto is not installed. */
  readonly mosquitto: LoggedMosquitto | undefined;
}

/** @param closing takes what ends each part, also where a later part cannot be started */
export async function startGround(
  closing: Closing,
  isMosquittoInstalled: boolean,
): Promise<Ground> {
  const bench = await startDeviceBench();
  closing.push(() => bench.close());
  const target = await targetAt(bench.bridge.cloud.apiUrl);
  const own: Side = {
    bridge: bench.bridge,
    ports: { TCP: bench.bridge.port, TLS: bench.bridge.cloud.mqttsPort ?? 0 },
    async credentials(device) {
      const { files } = await addTo(target, newFolder(), device);
      return { cert: files.certificate, key: files.key, ca: files.authority };
    },
  };
  if (!isMosquittoInstalled) {
    return { sides: new Map([['local cloud', own]]), mosquitto: undefined };
  }
  const authority = await openAuthority({ folder: undefined, clock: systemClock });
  const mosquitto = await startLoggedMosquitto(authority);
  closing.push(() => mosquitto.end());
  const brokerUrl = mosquitto.url;
  const bridge = await startTestCloud(bench.assemblyDir, {}, { brokerUrl });
  closing.push(() => bridge.cloud.close());
  const outside: Side = {
    bridge,
    ports: { TCP: mosquitto.port, TLS: mosquitto.tlsPort },
    credentials: (device) => certificateFiles(authority, device),
  };
  const sides = new Map<BrokerName, Side>([
    ['local cloud', own],
    ['Mosquitto', outside],
  ]);
  return { sides, mosquitto };
}

async function certificateFiles(authority: CertificateAuthority, device: string) {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-certificates-'));
  const paths = {
    cert: join(folder, 'cert.pem'),
    key: join(folder, 'key.pem'),
    ca: join(folder, 'ca.pem'),
  };
  const key = newKey();
  writeFileSync(paths.key, key);
  writeFileSync(paths.cert, await authority.sign(await requestOf(key, device)));
  writeFileSync(paths.ca, authority.certificate);
  return paths;
}

export interface Cuts {
  readonly port: number;
  /** Connections that were cut. */
  cuts(): number;
  /** Those of them that were cut when a PUBACK was on its way. */
  lostPubacks(): number;
  /** As the table has it: `TCP`, or the version of TLS that was agreed on. */
  transport(): string;
  close(): Promise<void>;
}

/** Some clients wait a second before each reconnection: no run is to be all waiting. */
const CUTS_MAX = 8;
const LOSS = 0.08;

/** The proxy for a case: it cuts connections between PUBLISH and PUBACK. */
export async function startCuts(
  transport: ClientCase['transport'],
  targetPort: number,
  seed: number,
): Promise<Cuts> {
  const chance = atMost(CUTS_MAX, seededChance(seed));
  if (transport === 'TLS') {
    const proxy = await createRecordCuttingProxy({ targetPort, chance, loss: LOSS });
    return { ...proxy, transport: () => [...proxy.versions].join(', ') };
  }
  let lost = 0;
  const proxy = await createCuttingProxy({
    targetPort,
    chance,
    loss: LOSS,
    observe(event) {
      if (event.kind === 'disconnect' && event.reason.includes('PUBACK')) lost += 1;
    },
  });
  return { ...proxy, lostPubacks: () => lost, transport: () => transport };
}

/** A chance that says yes so often and no more. */
function atMost(count: number, chance: Chance): Chance {
  let left = count;
  return {
    below: (below) => chance.below(below),
    happens(probability) {
      const happens = left > 0 && chance.happens(probability);
      if (happens) left -= 1;
      return happens;
    },
  };
}
