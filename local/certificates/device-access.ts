/** What lets devices with certificates in: the authority and the registry, opened together. */
import { join } from 'node:path';
import type { Clock } from '../../core/base/time.ts';
import type { PolicyDocument } from '../contracts.ts';
import { type CertificateAuthority, openAuthority } from './authority.ts';
import { type DeviceRegistry, openDeviceRegistry } from './registry.ts';
import type { TlsOptions } from './tls-listener.ts';

export interface OpenDevices {
  readonly authority: CertificateAuthority;
  readonly registry: DeviceRegistry;
  readonly tls: TlsOptions;
}

export interface OpenDevicesOptions {
  readonly port: number;
  /** The data folder of this run; without one, everything is forgotten at its end. */
  readonly dataDir: string | undefined;
  readonly policies: readonly { readonly name: string; readonly document: PolicyDocument }[];
  readonly clock: Clock;
}

export async function openDevices(options: OpenDevicesOptions): Promise<OpenDevices> {
  const { port, dataDir, policies, clock } = options;
  const folder = dataDir === undefined ? undefined : join(dataDir, 'devices');
  const authority = await openAuthority({ folder, clock });
  const file = folder === undefined ? undefined : join(folder, 'registry.json');
  const registry = openDeviceRegistry({ file, policies, clock });
  const server = await authority.serverCredentials();
  return {
    authority,
    registry,
    tls: { port, server, authority: authority.certificate, registry },
  };
}
