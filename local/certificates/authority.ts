/**
 * The local cloud's own certificate authority, where devices on AWS have that of AWS IoT.
 *
 * Owns the authority's key, in a folder (mode 700, the key 600) or in memory. Keeps these
 * invariants: a key that exists is never replaced; what is signed for a device can neither sign for
 * another nor stand for the server.
 */
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  type PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Clock } from '../../core/base/time.ts';
import { createFile, makeKeyFolder, readIfThere, readKeyFile } from './key-files.ts';
import { CertificateError, certificateOfKey, keysOf, newKey, SIGNATURE } from './keys.ts';

/** From when until when a certificate holds. */
export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

/** Both as PEM. */
export interface Credentials {
  readonly key: string;
  readonly certificate: string;
}

export interface CertificateAuthority {
  /** What a device trusts: PEM. */
  readonly certificate: string;
  /**
   * Signs what a device asks for with a PKCS #10 request in PEM, under the name in it. As on AWS,
   * the certificate holds until the end of 2049.
   * @throws CertificateError when it is no such request, or AWS IoT would refuse its key
   */
  sign(request: string, validity?: Validity): Promise<string>;
  /** A new key, and a certificate of it for a server under this machine's loopback names. */
  serverCredentials(): Promise<Credentials>;
}

export interface AuthorityOptions {
  /** Where it is kept; in memory without one. */
  readonly folder: string | undefined;
  readonly clock: Clock;
}

/** When the certificates end that AWS IoT signs. */
const END = new Date('2049-12-31T23:59:59Z');
/** The clock of a device, or of a machine that was asleep, may be behind. */
const BACKDATED_MILLIS = 24 * 3_600_000;
const NAME = 'Tollbridge local certificate authority';
/** AWS IoT, CreateCertificateFromCsr: RSA of at least 2,048 bits, or one of these curves. */
const CURVES: readonly unknown[] = ['P-256', 'P-384', 'P-521'];
const RSA_BITS_MIN = 2_048;

/**
 * Opens the authority of the folder and makes it where there is none.
 * @throws CertificateError or KeyFileError when what the folder holds is no sound authority
 */
export async function openAuthority(options: AuthorityOptions): Promise<CertificateAuthority> {
  const { folder, clock } = options;
  const validity: Validity = { from: new Date(clock() - BACKDATED_MILLIS), until: END };
  const { key, certificate } =
    folder === undefined
      ? await newAuthority(newKey(), validity)
      : await storedAuthority(folder, validity);
  const signer = await signerOf(key, certificate);
  return {
    certificate,
    sign: async (request, wanted = validity) => {
      const { subjectName, publicKey } = await readRequest(request);
      const extensions = extensionsOf(ExtendedKeyUsage.clientAuth);
      return signer(subjectName, publicKey, extensions, wanted);
    },
    serverCredentials: async () => {
      const serverKey = newKey();
      const { publicKey } = await keysOf(serverKey);
      const extensions = [
        ...extensionsOf(ExtendedKeyUsage.serverAuth),
        new SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
      ];
      const signed = await signer([{ CN: ['localhost'] }], publicKey, extensions, validity);
      return { key: serverKey, certificate: signed };
    },
  };
}

async function storedAuthority(folder: string, validity: Validity): Promise<Credentials> {
  makeKeyFolder(folder);
  const keyFile = join(folder, 'ca.key');
  const certificateFile = join(folder, 'ca.cert.pem');
  const storedKey = readKeyFile(keyFile);
  const stored = readIfThere(certificateFile);
  if (storedKey === undefined && stored !== undefined) {
    throw new CertificateError(
      `"${certificateFile}" is there, but its key "${keyFile}" is not. Put the key back, or move the folder away: devices then need new certificates.`,
    );
  }
  const key = storedKey ?? newKey();
  // The key first: after a crash between the two the certificate is made of the same key.
  if (storedKey === undefined) createFile(keyFile, key);
  if (stored === undefined) {
    const made = await newAuthority(key, validity);
    createFile(certificateFile, made.certificate, 0o644);
    return made;
  }
  try {
    certificateOfKey(stored, key);
  } catch (cause) {
    throw new CertificateError(
      `"${keyFile}" and "${certificateFile}" are no pair: ${cause instanceof Error ? cause.message : cause} Put the right files back, or move the folder away: devices then need new certificates.`,
      { cause },
    );
  }
  return { key, certificate: stored };
}

async function newAuthority(key: string, { from, until }: Validity): Promise<Credentials> {
  const keys = await keysOf(key);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [NAME] }],
    keys,
    notBefore: from,
    notAfter: until,
    signingAlgorithm: SIGNATURE,
    extensions: [
      // No authority below this one.
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { key, certificate: pemOf(made) };
}

type Subject = Parameters<typeof X509CertificateGenerator.create>[0]['subject'] & {};

type Signer = (
  subject: Subject,
  publicKey: webcrypto.CryptoKey | PublicKey,
  extensions: readonly Extension[],
  validity: Validity,
) => Promise<string>;

async function signerOf(key: string, certificate: string): Promise<Signer> {
  const { privateKey, publicKey } = await keysOf(key);
  const { subjectName } = new X509Certificate(certificate);
  const authority = await AuthorityKeyIdentifierExtension.create(publicKey);
  return async (subject, subjectKey, extensions, { from, until }) =>
    pemOf(
      await X509CertificateGenerator.create({
        subject,
        issuer: subjectName,
        publicKey: subjectKey,
        signingKey: privateKey,
        notBefore: from,
        notAfter: until,
        signingAlgorithm: SIGNATURE,
        extensions: [...extensions, authority],
      }),
    );
}

function extensionsOf(usage: ExtendedKeyUsage): readonly Extension[] {
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([usage]),
  ];
}

async function readRequest(text: string): Promise<Pkcs10CertificateRequest> {
  const request = parseRequest(text);
  // The signature shows that who asks has the private key.
  const isSigned = await request.verify().catch(() => false);
  if (!isSigned) {
    throw new CertificateError('The certificate signing request is not signed by its own key.');
  }
  const { name, namedCurve, modulusLength } = request.publicKey.algorithm as {
    readonly name: string;
    readonly namedCurve?: string;
    readonly modulusLength?: number;
  };
  const isRsa = name.startsWith('RSA') && (modulusLength ?? 0) >= RSA_BITS_MIN;
  if (isRsa || (name === 'ECDSA' && CURVES.includes(namedCurve))) return request;
  throw new CertificateError(
    `The key of the certificate signing request is ${name} ${namedCurve ?? modulusLength ?? ''}; allowed are RSA of at least ${RSA_BITS_MIN} bits and ECDSA on ${CURVES.join(', ')}.`,
  );
}

function parseRequest(text: string): Pkcs10CertificateRequest {
  try {
    return new Pkcs10CertificateRequest(text);
  } catch (cause) {
    throw new CertificateError('The text is no certificate signing request in PEM.', { cause });
  }
}

function pemOf(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
