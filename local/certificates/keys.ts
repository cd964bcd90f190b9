/** Keys, requests and certificates as PEM texts: ECDSA P-256, made and read on this machine. */
import 'reflect-metadata';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509';

export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** AWS IoT's id of a certificate, also a rule's `principal()`: SHA-256 of its DER, 64 hex digits. */
export function certificateIdOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/** A new private key: ECDSA P-256, PKCS #8. */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * The pair of a private key, for signing.
 * @throws CertificateError when the text is no private key on P-256
 */
export async function keysOf(key: string): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = privateKeyOf(key);
  const { namedCurve } = privateKey.asymmetricKeyDetails ?? {};
  if (namedCurve !== 'prime256v1') {
    const got = namedCurve ?? privateKey.asymmetricKeyType ?? 'an unknown kind';
    throw new CertificateError(`The private key is of ${got}; allowed is ECDSA P-256.`);
  }
  const { subtle } = webcrypto;
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    privateKey: await subtle.importKey('pkcs8', pkcs8, KEY_ALGORITHM, true, ['sign']),
    publicKey: await subtle.importKey('spki', spki, KEY_ALGORITHM, true, ['verify']),
  };
}

/**
 * A request for a certificate of this key, in this name: PKCS #10.
 * @throws CertificateError when the text is no private key on P-256
 */
export async function requestOf(key: string, commonName: string): Promise<string> {
  const request = await Pkcs10CertificateRequestGenerator.create({
    // Not as one text, in which a comma would begin another part of the name.
    name: [{ CN: [commonName] }],
    keys: await keysOf(key),
    signingAlgorithm: SIGNATURE,
  });
  return `${request.toString('pem')}\n`;
}

/**
 * The certificate of a PEM text that belongs to this key.
 * @throws CertificateError when it is none, or belongs to another
 */
export function certificateOfKey(certificate: string, key: string): X509Certificate {
  const parsed = certificateOf(certificate);
  if (parsed.checkPrivateKey(privateKeyOf(key))) return parsed;
  throw new CertificateError('The certificate belongs to another private key.');
}

/** @throws CertificateError when the text holds no certificate */
export function certificateOf(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError('The text is no certificate in PEM.', { cause });
  }
}

function privateKeyOf(key: string): KeyObject {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    throw new CertificateError('The text is no private key in PEM, or has a password.', { cause });
  }
}
