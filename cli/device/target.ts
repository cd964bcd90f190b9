/** Where devices are registered, on AWS or at a local cloud, and what both give a device. */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { IoTClient } from '@aws-sdk/client-iot';
import { authorityPath } from '../../local/api/registry-requests.ts';
import type { BridgeClient } from '../access/access.ts';
import { AccessError } from '../access/failures.ts';

export interface DeviceTarget {
  readonly iot: IoTClient;
  /** For people, as `Access` has it. */
  readonly where: string;
  /** The policies that a device's certificate needs. */
  readonly policyNames: readonly string[];
  /** What a device trusts: one or more certificates, PEM. */
  readonly authority: string;
}

/**
 * What a bridge gives its devices, on AWS or at a local cloud.
 * @throws AccessError when the bridge names no policies, or the local cloud has no MQTT with TLS
 */
export async function deviceTarget(access: BridgeClient): Promise<DeviceTarget> {
  const { where, outputs, stack, kind } = access;
  const names = outputs.DevicePolicyNames;
  if (names === undefined) {
    throw new AccessError(`the stack ${stack}-Ingest has no output DevicePolicyNames`);
  }
  let endpoint = '';
  const iot = access.client((settings) => {
    endpoint = settings.endpoint ?? '';
    return new IoTClient(settings);
  });
  const authority = kind === 'aws' ? amazonRoots() : await localAuthority(endpoint);
  return { iot, where, policyNames: names.split(','), authority };
}

async function localAuthority(endpoint: string): Promise<string> {
  const answer = await fetch(new URL(authorityPath, endpoint));
  const text = await answer.text();
  if (answer.ok) return text;
  throw new AccessError(`the local cloud at ${endpoint} refuses: ${text.trim()}`);
}

/** AWS IoT's own certificates are signed under these; which one depends on the client's ciphers. */
const AMAZON_ROOT = /^CN=Amazon Root CA [1-4]$/m;

/** The roots of AWS, out of the list that Node.js carries: nothing is fetched. */
function amazonRoots(): string {
  const roots = rootCertificates
    .filter((pem) => AMAZON_ROOT.test(new X509Certificate(pem).subject))
    .map((pem) => `${pem.trim()}\n`);
  if (roots.length === 4) return roots.join('');
  throw new Error(
    `Node.js ${process.version} carries ${roots.length} of the four Amazon root certificates; take them from https://www.amazontrust.com/repository/ instead.`,
  );
}
