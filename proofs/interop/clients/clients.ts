/** Which clients are tried, on which broker, and what each needs to be installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { installed } from '../../../tools/programs.ts';
import { python } from '../python-station.ts';
import {
  type Driver,
  driveDevice,
  driveMosquittoPub,
  driveMosquittoRr,
  driveMqttJs,
  drivePaho,
  driveSdk,
  type MqttVersion,
  type Probe,
  probeDevice,
  probeMosquittoPub,
  probeMqttJs,
  probePaho,
  probeSdk,
} from './drivers.ts';

interface Client {
  readonly name: string;
  /** As the program says it; throws where it is not installed. */
  version(): string;
  /** What to install, where something is missing. */
  missing(): string | undefined;
  readonly drive: Driver;
  /** How it takes a PUBACK with a reason; none for a client that shows nothing else of it. */
  readonly probe?: Probe;
  /** Whether what it repeats on a later connection has the DUP flag. */
  readonly marks: boolean;
  /** Devices that send at the same time, where one sends message by message. */
  readonly devices: number;
}

export type BrokerName = 'local cloud' | 'Mosquitto';

export interface ClientCase {
  readonly client: Client;
  readonly mqtt: MqttVersion;
  readonly broker: BrokerName;
  readonly transport: 'TCP' | 'TLS';
}

const SDK_FOLDER = 'proofs/interop/aws-device-sdk/node_modules';

const versionIn = (path: string): string => JSON.parse(readFileSync(path, 'utf8')).version;

function versionPrinted(command: string, args: readonly string[]): string {
  const { stdout } = spawnSync(command, args);
  // The help of mosquitto_rr names versions of MQTT as well.
  const version = /^(?:\w+ version )?(\d+\.\d+\.\d+)/m.exec(String(stdout))?.[1];
  if (version === undefined) throw new Error(`${command} says no version: ${stdout}`);
  return version;
}

function mosquittoClient(...programs: readonly string[]) {
  const absent = programs.filter((name) => installed(name) === undefined);
  const [first = ''] = programs;
  return {
    version: () => versionPrinted(first, ['--help']),
    missing: () => (absent.length === 0 ? undefined : `${absent.join(', ')} (mosquitto-clients)`),
    marks: false,
    devices: 4,
  };
}

const mqttJs: Client = {
  name: 'MQTT.js',
  version: () => versionIn('node_modules/mqtt/package.json'),
  missing: () => undefined,
  drive: driveMqttJs,
  probe: probeMqttJs,
  marks: false,
  devices: 1,
};

const device: Client = {
  name: 'tollbridge-device',
  version: () => versionIn('device/package.json'),
  missing: () => undefined,
  drive: driveDevice,
  probe: probeDevice,
  marks: false,
  devices: 1,
};

const paho: Client = {
  name: 'Paho for Python',
  version: () =>
    versionPrinted(python, ['-c', 'import paho.mqtt as paho; print(paho.__version__)']),
  missing: () => (python === '' ? 'a Python with Paho (python3-paho-mqtt)' : undefined),
  drive: drivePaho,
  probe: probePaho,
  marks: true,
  devices: 1,
};

const mosquittoPub: Client = {
  ...mosquittoClient('mosquitto_pub', 'mosquitto_sub'),
  name: 'mosquitto_pub, mosquitto_sub',
  drive: driveMosquittoPub,
  probe: probeMosquittoPub,
};

const mosquittoRr: Client = {
  ...mosquittoClient('mosquitto_rr'),
  name: 'mosquitto_rr',
  drive: driveMosquittoRr,
};

const sdk: Client = {
  name: 'AWS IoT Device SDK v2 for JavaScript',
  version: () => versionIn(`${SDK_FOLDER}/aws-iot-device-sdk-v2/package.json`),
  missing: () =>
    existsSync(SDK_FOLDER)
      ? undefined
      : 'the AWS IoT Device SDK (npm ci --prefix proofs/interop/aws-device-sdk)',
  drive: driveSdk,
  probe: probeSdk,
  marks: true,
  devices: 1,
};

const over = (
  broker: BrokerName,
  mqtt: MqttVersion,
  transport: ClientCase['transport'],
  ...clients: readonly Client[]
): readonly ClientCase[] => clients.map((client) => ({ client, mqtt, broker, transport }));

/** In the order of the table. The broker of the local cloud speaks MQTT 3.1.1 alone. */
export const cases: readonly ClientCase[] = [
  ...over('local cloud', '3.1.1', 'TCP', mqttJs, device, paho, mosquittoRr),
  ...over('local cloud', '3.1.1', 'TLS', device, sdk),
  ...over('Mosquitto', '3.1.1', 'TCP', mqttJs, device, paho, mosquittoPub, mosquittoRr),
  ...over('Mosquitto', '3.1.1', 'TLS', sdk),
  ...over('Mosquitto', '5', 'TCP', mqttJs, device, paho, mosquittoPub, mosquittoRr),
  ...over('Mosquitto', '5', 'TLS', device, sdk),
];

/** Clients with something to say of a PUBACK's reason, each once, and the transport it is asked on. */
export const probes = cases.filter(
  ({ client, mqtt }, index) =>
    mqtt === '5' &&
    client.probe !== undefined &&
    cases.findIndex((other) => other.client === client && other.mqtt === '5') === index,
);

/** What is missing for the case; undefined when it can run. */
export function missingFor({ client, broker }: ClientCase): string | undefined {
  const needsMosquitto = broker === 'Mosquitto' && installed('mosquitto') === undefined;
  return client.missing() ?? (needsMosquitto ? 'mosquitto' : undefined);
}
