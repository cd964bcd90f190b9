/**
 * The registry of AWS IoT, as far as it says who may connect: things, certificates, and what a
 * certificate is attached to.
 *
 * Owns the registry's file, when it is kept. Keeps these invariants: what a change says is on disk
 * before the change counts; a certificate's rights are an object that is replaced, never changed;
 * only an active certificate has rights, and whoever watches is told when one is active no longer.
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Clock } from '../../core/base/time.ts';
import type { PolicyDocument } from '../contracts.ts';
import { readIfThere, replaceFile } from './key-files.ts';
import { certificateIdOf, certificateOf } from './keys.ts';

const statusSchema = z.enum(['ACTIVE', 'INACTIVE', 'REVOKED']);
const registrySchema = z.object({
  version: z.literal(1),
  things: z.array(z.object({ name: z.string(), id: z.string() })),
  certificates: z.array(
    z.object({
      id: z.string(),
      pem: z.string(),
      status: statusSchema,
      createdAtMillis: z.number(),
      things: z.array(z.string()),
      policies: z.array(z.string()),
    }),
  ),
});

type Registry = z.infer<typeof registrySchema>;
export type CertificateStatus = z.infer<typeof statusSchema>;
export type Thing = Readonly<Registry['things'][number]>;
export type RegisteredCertificate = Readonly<Registry['certificates'][number]>;

/** What an active certificate gives the connection that presents it. */
export interface CertificateRights {
  readonly certificateId: string;
  /** Names of the things that it is attached to. */
  readonly things: ReadonlySet<string>;
  readonly policies: readonly PolicyDocument[];
}

class RegistryError extends Error {
  override readonly name = 'RegistryError';
}

export interface DeviceRegistry {
  thing(name: string): Thing | undefined;
  /** Makes the thing, or gives the one that there is. */
  createThing(name: string): Thing;
  certificate(id: string): RegisteredCertificate | undefined;
  /** Ids, in the order in which they were registered. */
  certificatesOf(thing: string): readonly string[];
  register(pem: string, status: CertificateStatus): RegisteredCertificate;
  /** False when there is no such certificate. */
  setStatus(id: string, status: CertificateStatus): boolean;
  remove(id: string): boolean;
  attach(id: string, kind: 'things' | 'policies', name: string): boolean;
  detach(id: string, kind: 'things' | 'policies', name: string): boolean;
  hasPolicy(name: string): boolean;
  rightsOf(id: string): CertificateRights | undefined;
  /** Called with the id of each certificate that is active no longer. */
  onDeactivated(listener: (id: string) => void): void;
}

export interface DeviceRegistryOptions {
  /** Where it is kept; in memory without one. */
  readonly file: string | undefined;
  readonly policies: readonly { readonly name: string; readonly document: PolicyDocument }[];
  readonly clock: Clock;
}

/** @throws RegistryError when the file is there and holds no registry; it is left as it is */
export function openDeviceRegistry(options: DeviceRegistryOptions): DeviceRegistry {
  const { file, clock } = options;
  const policies = new Map(options.policies.map(({ name, document }) => [name, document]));
  const stored = file === undefined ? undefined : readRegistry(file);
  let things = new Map(stored?.things.map((thing) => [thing.name, thing]));
  let certificates = new Map(stored?.certificates.map((one) => [one.id, one]));
  const rights = new Map<string, CertificateRights>();
  const listeners: ((id: string) => void)[] = [];

  /** Saves the registry as it will be; when that fails nothing has changed. */
  function commit(next: { things?: typeof things; certificates?: typeof certificates }): void {
    const after = { things, certificates, ...next };
    if (file !== undefined) {
      const content = {
        version: 1,
        things: [...after.things.values()],
        certificates: [...after.certificates.values()],
      };
      replaceFile(file, `${JSON.stringify(content, undefined, 2)}\n`);
    }
    ({ things, certificates } = after);
  }

  /** Puts another in the place of a certificate, or none. */
  function change(id: string, parts: Partial<Registry['certificates'][number]> | 'gone'): boolean {
    const old = certificates.get(id);
    if (old === undefined) return false;
    const next = new Map(certificates);
    if (parts === 'gone') next.delete(id);
    else next.set(id, { ...old, ...parts });
    commit({ certificates: next });
    rights.delete(id);
    if (old.status === 'ACTIVE' && next.get(id)?.status !== 'ACTIVE') {
      for (const listener of listeners) listener(id);
    }
    return true;
  }

  return {
    thing: (name) => things.get(name),
    createThing(name) {
      const known = things.get(name);
      if (known !== undefined) return known;
      const thing = { name, id: randomUUID() };
      commit({ things: new Map(things).set(name, thing) });
      return thing;
    },
    certificate: (id) => certificates.get(id),
    certificatesOf: (thing) =>
      [...certificates.values()].filter((one) => one.things.includes(thing)).map(({ id }) => id),
    register(pem, status) {
      const id = certificateIdOf(certificateOf(pem).raw);
      const known = certificates.get(id);
      if (known !== undefined) return known;
      const one = { id, pem, status, createdAtMillis: clock(), things: [], policies: [] };
      commit({ certificates: new Map(certificates).set(id, one) });
      return one;
    },
    setStatus: (id, status) => change(id, { status }),
    remove: (id) => change(id, 'gone'),
    attach: (id, kind, name) =>
      change(id, { [kind]: [...new Set([...(certificates.get(id)?.[kind] ?? []), name])] }),
    detach: (id, kind, name) =>
      change(id, { [kind]: (certificates.get(id)?.[kind] ?? []).filter((one) => one !== name) }),
    hasPolicy: (name) => policies.has(name),
    rightsOf(id) {
      const known = rights.get(id);
      if (known !== undefined) return known;
      const certificate = certificates.get(id);
      if (certificate?.status !== 'ACTIVE') return undefined;
      const made = {
        certificateId: id,
        things: new Set(certificate.things),
        // A policy that this template no longer has gives nothing.
        policies: certificate.policies.flatMap((name) => policies.get(name) ?? []),
      };
      rights.set(id, made);
      return made;
    },
    onDeactivated: (listener) => void listeners.push(listener),
  };
}

function readRegistry(file: string): Registry | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return registrySchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new RegistryError(
      `"${file}" is not the registry of a local cloud of this version. Put the right file back, or move it away: devices then need new certificates.`,
      { cause },
    );
  }
}
