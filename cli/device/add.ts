/**
 * `tollbridge device add`: a thing, a certificate, and the policies on it. The private key is made
 * on this machine and never leaves it.
 *
 * Keeps these invariants: a certificate can do nothing before its file is written, because its
 * policies are attached last; whatever step fails, the same command goes on from there.
 */
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  DescribeEndpointCommand,
  type IoTClient,
  paginateListThingPrincipals,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { DEVICE_BYTES_MAX } from '../../core/base/limits.ts';
import { quoted } from '../../core/base/printable.ts';
import { newKey, requestOf } from '../../local/certificates/keys.ts';
import { AccessError } from '../access/failures.ts';
import { UsageError } from '../shell/usage.ts';
import {
  type DeviceFiles,
  filesOf,
  prepareFolder,
  readDevice,
  type StoredDevice,
  writeAuthority,
  writeCertificate,
  writeKey,
} from './files.ts';
import type { DeviceTarget } from './target.ts';

export interface DeviceRequest {
  readonly name: string;
  /** Where the files are, or are to be. */
  readonly folder: string;
  /** Whether a thing that has a certificate elsewhere is to get one more. */
  readonly another: boolean;
}

export interface AddedDevice {
  readonly name: string;
  /** `mqtts://HOST:PORT` */
  readonly url: string;
  readonly certificateId: string;
  readonly files: DeviceFiles;
  /** Whether this run made the certificate, or an earlier one had. */
  readonly isNew: boolean;
}

/** AWS IoT, CreateThing; what the bridge allows of a client id is no less. */
const THING_NAME = /^[a-zA-Z0-9:_-]+$/;
const MQTTS_PORT = 8883;

/** @throws UsageError when AWS IoT or the bridge would not take the name */
export function checkName(name: string): void {
  if (THING_NAME.test(name) && name.length <= DEVICE_BYTES_MAX) return;
  throw new UsageError(
    `the device's name is ${quoted(name, DEVICE_BYTES_MAX + 1)} (${name.length} characters); allowed are 1 to ${DEVICE_BYTES_MAX} letters from a to z and A to Z, digits, ":", "_" and "-", as the name of a thing on AWS.`,
  );
}

/**
 * Registers the device, or finishes what an earlier run began.
 * @throws AccessError that says what failed, what exists by then, and what to do
 */
export async function addDevice(
  target: DeviceTarget,
  { name, folder, another }: DeviceRequest,
): Promise<AddedDevice> {
  checkName(name);
  const { iot } = target;
  const files = filesOf(folder, name);
  // Everything that can be refused is looked at before anything is made.
  const stored = readDevice(files);
  const url = await urlOf(iot);
  if (stored.certificateId !== undefined) await assertActive(target, stored.certificateId, files);
  else if (!another) await assertNone(iot, name);
  prepareFolder(folder);
  writeAuthority(files, target.authority);

  const made: string[] = [];
  try {
    await createThing(iot, name);
    made.push(`the thing ${name}`);
    const certificateId =
      stored.certificateId ?? (await createCertificate(iot, { name, files, stored, made }));
    const arn = await arnOf(iot, certificateId);
    await iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: arn }));
    for (const policyName of target.policyNames) {
      await iot.send(new AttachPolicyCommand({ policyName, target: arn }));
    }
    return { name, url, certificateId, files, isNew: stored.certificateId === undefined };
  } catch (cause) {
    throw new AccessError(
      `${name} is not wholly registered at ${target.where}: ${textOf(cause)} There is by now: ${made.join(', ') || 'nothing'}. Run the same command again: it goes on from there.`,
      { cause },
    );
  }
}

async function urlOf(iot: IoTClient): Promise<string> {
  const endpoint = new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' });
  const { endpointAddress } = await iot.send(endpoint);
  if (endpointAddress === undefined) throw new Error('AWS IoT named no endpoint for devices.');
  return `mqtts://${endpointAddress}${endpointAddress.includes(':') ? '' : `:${MQTTS_PORT}`}`;
}

/** A certificate that was switched off is not switched on again in passing. */
async function assertActive(
  { iot, where }: DeviceTarget,
  certificateId: string,
  { certificate, folder }: DeviceFiles,
): Promise<void> {
  const status = await statusOf(iot, certificateId);
  if (status === 'ACTIVE') return;
  if (status === undefined) {
    throw new Error(
      `"${certificate}" holds the certificate ${certificateId}, which ${where} does not know: it is of another account or Region, or of a local cloud that has forgotten it (one started without --data). Move the files away, or choose another folder than "${folder}" with --out.`,
    );
  }
  throw new Error(
    `The certificate ${certificateId} in "${certificate}" is ${status} at ${where}. If the device is to work again: tollbridge device enable; for a new certificate move the files away.`,
  );
}

export async function statusOf(iot: IoTClient, certificateId: string): Promise<string | undefined> {
  try {
    const found = await iot.send(new DescribeCertificateCommand({ certificateId }));
    return found.certificateDescription?.status;
  } catch (cause) {
    if (cause instanceof ResourceNotFoundException) return undefined;
    throw cause;
  }
}

/** Two holders of one name could use up each other's ids. */
async function assertNone(iot: IoTClient, name: string): Promise<void> {
  const ids = await certificatesOf(iot, name);
  if (ids.length === 0) return;
  throw new Error(
    `The thing ${name} has ${ids.length === 1 ? 'a certificate' : `${ids.length} certificates`} whose files are not here (${ids.join(', ')}). If that is another device, choose another name. If this is the same device with a new key, add --another, and disable the old certificate when the new one is in use.`,
  );
}

/** Ids of the certificates that are attached to a thing; none when there is no such thing. */
export async function certificatesOf(iot: IoTClient, name: string): Promise<readonly string[]> {
  const ids: string[] = [];
  try {
    for await (const page of paginateListThingPrincipals({ client: iot }, { thingName: name })) {
      for (const principal of page.principals ?? []) {
        // Users of Amazon Cognito can be principals of a thing as well.
        const [, id] = principal.split(':cert/');
        if (id !== undefined) ids.push(id);
      }
    }
  } catch (cause) {
    if (!(cause instanceof ResourceNotFoundException)) throw cause;
  }
  return ids;
}

async function createThing(iot: IoTClient, thingName: string): Promise<void> {
  try {
    await iot.send(new CreateThingCommand({ thingName }));
  } catch (cause) {
    // It is there with a type or attributes, which are none of our business.
    if (!(cause instanceof ResourceAlreadyExistsException)) throw cause;
  }
}

interface CertificateWork {
  readonly name: string;
  readonly files: DeviceFiles;
  readonly stored: StoredDevice;
  /** Is added to. */
  readonly made: string[];
}

async function createCertificate(iot: IoTClient, work: CertificateWork): Promise<string> {
  const { name, files, stored, made } = work;
  const key = stored.key ?? newKey();
  if (stored.key === undefined) writeKey(files, key);
  made.push(`the key "${files.key}"`);
  const { certificateId, certificatePem } = await iot.send(
    new CreateCertificateFromCsrCommand({
      certificateSigningRequest: await requestOf(key, name),
      setAsActive: true,
    }),
  );
  if (certificateId === undefined || certificatePem === undefined) {
    throw new Error('AWS IoT answered without a certificate.');
  }
  try {
    writeCertificate(files, certificatePem);
  } catch (cause) {
    made.push(await discard(iot, certificateId));
    throw cause;
  }
  made.push(`the certificate ${certificateId} in "${files.certificate}"`);
  return certificateId;
}

/** Takes back a certificate that could not be written down; says what is left of it. */
async function discard(iot: IoTClient, certificateId: string): Promise<string> {
  try {
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
    await iot.send(new DeleteCertificateCommand({ certificateId }));
    return 'no certificate (it was deleted again)';
  } catch {
    return `the certificate ${certificateId}, attached to nothing: delete it with aws iot delete-certificate`;
  }
}

async function arnOf(iot: IoTClient, certificateId: string): Promise<string> {
  const found = await iot.send(new DescribeCertificateCommand({ certificateId }));
  const arn = found.certificateDescription?.certificateArn;
  if (arn === undefined) throw new Error(`AWS IoT names no ARN of ${certificateId}.`);
  return arn;
}

function textOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
