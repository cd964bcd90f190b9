/**
 * A device's files: its private key, its certificate, and the certificates that it trusts. Nothing
 * that is there is ever overwritten.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  createFile,
  makeKeyFolder,
  readIfThere,
  readKeyFile,
} from '../../local/certificates/key-files.ts';
import {
  CertificateError,
  certificateIdOf,
  certificateOfKey,
} from '../../local/certificates/keys.ts';

/** Paths. */
export interface DeviceFiles {
  readonly folder: string;
  readonly key: string;
  readonly certificate: string;
  readonly authority: string;
}

/** What earlier runs have left. */
export interface StoredDevice {
  /** PEM. */
  readonly key: string | undefined;
  readonly certificateId: string | undefined;
}

const READABLE = 0o644;

export function filesOf(folder: string, name: string): DeviceFiles {
  // The only sign in the name of a thing that not every file system allows.
  const base = join(folder, name.replaceAll(':', '%3A'));
  return {
    folder,
    key: `${base}.key`,
    certificate: `${base}.cert.pem`,
    authority: `${base}.ca.pem`,
  };
}

/** Makes the folder, and keeps its keys out of version control. */
export function prepareFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeKeyFolder(folder);
  createFile(join(folder, '.gitignore'), '*\n', READABLE);
}

/** @throws Error when the files do not belong together, or others may read the key */
export function readDevice(files: DeviceFiles): StoredDevice {
  const key = readKeyFile(files.key);
  const certificate = readIfThere(files.certificate);
  if (certificate === undefined) return { key, certificateId: undefined };
  if (key === undefined) {
    throw new CertificateError(
      `"${files.certificate}" is there, but its key "${files.key}" is not. Put the key back, or move the certificate away and run this again for another.`,
    );
  }
  try {
    return { key, certificateId: certificateIdOf(certificateOfKey(certificate, key).raw) };
  } catch (cause) {
    throw new CertificateError(
      `"${files.key}" and "${files.certificate}" are no pair: ${cause instanceof Error ? cause.message : cause} Put the right files back, or move both away.`,
      { cause },
    );
  }
}

export function writeKey({ key }: DeviceFiles, pem: string): void {
  createFile(key, pem);
}

export function writeCertificate({ certificate }: DeviceFiles, pem: string): void {
  createFile(certificate, pem, READABLE);
}

/** @throws Error when the device already trusts others: it belongs to another cloud then */
export function writeAuthority({ authority }: DeviceFiles, pem: string): void {
  const stored = readIfThere(authority);
  if (stored === undefined) createFile(authority, pem, READABLE);
  if (stored === undefined || stored === pem) return;
  throw new CertificateError(
    `"${authority}" holds the authority of another cloud: that of AWS, or of a local cloud that was started without --data or with another folder. Move this device's files away, or choose another folder with --out.`,
  );
}
