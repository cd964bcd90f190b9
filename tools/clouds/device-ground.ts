/** What the tests of `tollbridge device` share: a local cloud of the real template, and devices. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { openAccess } from '../../cli/access/access.ts';
import { type AddedDevice, addDevice } from '../../cli/device/add.ts';
import { type DeviceTarget, deviceTarget } from '../../cli/device/target.ts';
import { checkConfig } from '../../core/config/check.ts';
import config from '../../tollbridge.config.ts';
import { connectThing, type Thing } from '../mqtt/thing.ts';
import { assemblyOf } from './assembly.ts';
import { startTestCloud, type TestCloud } from './cloud.ts';

export interface DeviceBench {
  readonly bridge: TestCloud;
  readonly assemblyDir: string;
  close(): Promise<void>;
}

export async function startDeviceBench(): Promise<DeviceBench> {
  const assembly = await assemblyOf(config);
  const bridge = await startTestCloud(assembly, {}, { mqttsPort: 0 });
  return {
    bridge,
    assemblyDir: assembly,
    async close() {
      await bridge.cloud.close();
    },
  };
}

/** What the command finds at a local cloud. */
export async function targetAt(url: string): Promise<DeviceTarget> {
  return deviceTarget(await openAccess({ local: url }, checkConfig(config)));
}

export const newFolder = () => mkdtempSync(join(tmpdir(), 'devices-'));

/** Names and contents of a folder. */
export const contentsOf = (folder: string) =>
  readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);

export const addTo = (target: DeviceTarget, folder: string, name: string, another = false) =>
  addDevice(target, { name, folder, another });

/** MQTT.js's settings out of what the command gave and wrote. */
function settingsOf({ url, files }: AddedDevice) {
  return {
    protocol: 'mqtts' as const,
    host: new URL(url).hostname,
    port: Number(new URL(url).port),
    key: readFileSync(files.key, 'utf8'),
    cert: readFileSync(files.certificate, 'utf8'),
    ca: readFileSync(files.authority, 'utf8'),
  };
}

export function connectAs(name: string, added: AddedDevice): Promise<Thing> {
  const settings = settingsOf(added);
  return connectThing(settings.port, name, settings);
}

/** `let in`, or `refused`: then the connection just ends. */
export function attemptAs(name: string, added: AddedDevice): Promise<string> {
  const client = mqtt.connect({ ...settingsOf(added), clientId: name, reconnectPeriod: 0 });
  client.on('error', () => undefined);
  return new Promise<string>((resolve) => {
    client.once('connect', () => resolve('let in'));
    client.once('close', () => resolve('refused'));
  }).finally(() => client.endAsync(true));
}

/** A target at the bench with one kind of call failing once, before or after it is done. */
export async function failingTarget(
  { bridge }: DeviceBench,
  command: string,
  when: 'before' | 'after',
): Promise<DeviceTarget> {
  const target = await targetAt(bridge.cloud.apiUrl);
  let left = 1;
  target.iot.middlewareStack.add(
    (next, context) => async (args) => {
      const fails = context.commandName === command && left-- > 0;
      if (fails && when === 'before') throw new Error('the network is gone');
      const answer = await next(args);
      if (fails) throw new Error('the answer is lost');
      return answer;
    },
    { step: 'initialize' },
  );
  return target;
}
