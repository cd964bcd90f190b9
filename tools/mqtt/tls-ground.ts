/** What the tests with certificates share: an authority, a registry, and devices of any standing. */
import { systemClock } from '../../core/base/time.ts';
import {
  type CertificateAuthority,
  openAuthority,
  type Validity,
} from '../../local/certificates/authority.ts';
import { newKey, requestOf } from '../../local/certificates/keys.ts';
import { type CertificateStatus, openDeviceRegistry } from '../../local/certificates/registry.ts';
import { devicePolicy, startBroker } from './broker-ground.ts';

const POLICY = 'device';

/** What MQTT.js takes, all PEM. */
export interface DeviceTls {
  readonly protocol: 'mqtts';
  readonly host: string;
  readonly ca: string;
  readonly key?: string;
  readonly cert?: string;
}

export function tlsOf(ca: string, key?: string, cert?: string): DeviceTls {
  return { protocol: 'mqtts', host: 'localhost', ca, ...(key && { key }), ...(cert && { cert }) };
}

/** A key and a certificate of it by this authority. */
export async function certified(
  authority: CertificateAuthority,
  name: string,
  validity?: Validity,
): Promise<{ readonly key: string; readonly certificate: string }> {
  const key = newKey();
  const certificate = await authority.sign(await requestOf(key, name), validity);
  return { key, certificate };
}

export function newAuthority(): Promise<CertificateAuthority> {
  return openAuthority({ folder: undefined, clock: systemClock });
}

interface DeviceOptions {
  readonly status?: CertificateStatus;
  readonly things?: readonly string[];
  readonly policies?: readonly string[];
  readonly validity?: Validity;
}

/** `isSilent` leaves the broker unaware of certificates that are switched off. */
export async function startTlsBroker(isSilent = false) {
  const authority = await newAuthority();
  const policies = [{ name: POLICY, document: devicePolicy }];
  const registry = openDeviceRegistry({ file: undefined, policies, clock: systemClock });
  const server = await authority.serverCredentials();
  const told = isSilent ? { ...registry, onDeactivated: () => undefined } : registry;
  const tls = { port: 0, server, authority: authority.certificate, registry: told };
  const bench = await startBroker({ tls });
  const { tlsPort } = bench.broker;
  if (tlsPort === undefined) throw new Error('the broker has no listener with TLS');
  return {
    ...bench,
    authority,
    registry,
    tlsPort,
    /** A registered certificate for the thing, and what MQTT.js needs to show it. */
    async device(name: string, options: DeviceOptions = {}) {
      const { key, certificate } = await certified(authority, name, options.validity);
      const { id } = registry.register(certificate, options.status ?? 'ACTIVE');
      for (const thing of options.things ?? [name]) registry.attach(id, 'things', thing);
      for (const policy of options.policies ?? [POLICY]) registry.attach(id, 'policies', policy);
      return { id, tls: tlsOf(authority.certificate, key, certificate) };
    },
  };
}
