/**
 * Goal: the local authority and registry outlive a run in their folder, keep their keys to their
 * owner, and never replace what they cannot read. Method: real files in temporary folders.
 */
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/base/time.ts';
import { openAuthority } from '../../../local/certificates/authority.ts';
import { certificateOf, newKey, requestOf } from '../../../local/certificates/keys.ts';
import { openDeviceRegistry } from '../../../local/certificates/registry.ts';
import { certified, newAuthority } from '../../../tools/mqtt/tls-ground.ts';

const newFolder = () => mkdtempSync(join(tmpdir(), 'authority-'));
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const open = (folder: string) => openAuthority({ folder, clock: systemClock });

describe('the local authority', () => {
  it('keeps its key for its owner alone, in a folder for its owner alone', async () => {
    const folder = join(newFolder(), 'devices');
    await open(folder);
    expect([modeOf(folder), modeOf(join(folder, 'ca.key'))]).toEqual(['700', '600']);
    expect(readdirSync(folder).sort()).toEqual(['ca.cert.pem', 'ca.key']);
  });

  it('is the same after a restart, so that devices still trust and are trusted', async () => {
    const folder = newFolder();
    const first = await open(folder);
    const { certificate } = await certified(first, 'charger-1');
    const second = await open(folder);
    expect(second.certificate).toBe(first.certificate);
    expect(certificateOf(certificate).verify(certificateOf(second.certificate).publicKey)).toBe(
      true,
    );
  });

  it('makes its certificate again from the key after a crash between the two', async () => {
    const folder = newFolder();
    const { certificate } = await certified(await open(folder), 'charger-1');
    rmSync(join(folder, 'ca.cert.pem'));
    const again = await open(folder);
    expect(certificateOf(certificate).verify(certificateOf(again.certificate).publicKey)).toBe(
      true,
    );
  });

  it.each<[string, (folder: string) => void, RegExp]>([
    [
      'a key that others may read',
      (f) => chmodSync(join(f, 'ca.key'), 0o640),
      /mode 640.*chmod 600/,
    ],
    ['a certificate without its key', (f) => rmSync(join(f, 'ca.key')), /its key .* is not/],
    [
      'a key of another',
      (f) => writeFileSync(join(f, 'ca.key'), newKey()),
      /no pair.*another private key/,
    ],
    ['a key that is none', (f) => writeFileSync(join(f, 'ca.key'), 'x'), /no pair.*no private key/],
    [
      'a certificate that is none',
      (f) => writeFileSync(join(f, 'ca.cert.pem'), 'x'),
      /no pair.*no certificate/,
    ],
  ])('refuses %s, and leaves it as it is', async (_, spoil, reason) => {
    const folder = newFolder();
    await open(folder);
    spoil(folder);
    const before = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    await expect(open(folder)).rejects.toThrow(reason);
    expect(readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual(
      before,
    );
  });

  it('signs certificates that are for clients, sign nothing, and hold until the end of 2049', async () => {
    const authority = await newAuthority();
    const signed = certificateOf((await certified(authority, 'charger-1')).certificate);
    expect(signed.subject).toBe('CN=charger-1');
    expect(signed.ca).toBe(false);
    expect(signed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(signed.validTo).toBe('Dec 31 23:59:59 2049 GMT');
    const server = certificateOf((await authority.serverCredentials()).certificate);
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(server.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
  });

  it('refuses a request that its own key has not signed, and what is no request', async () => {
    const authority = await newAuthority();
    const request = await requestOf(newKey(), 'charger-1');
    const der = Buffer.from(request.replaceAll(/-----.*-----|\s/g, ''), 'base64');
    // The last byte belongs to the signature.
    der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    await expect(authority.sign(forged)).rejects.toThrow(/not signed by its own key/);
    for (const text of ['', 'x', authority.certificate, '-----BEGIN CERTIFICATE REQUEST-----']) {
      await expect(authority.sign(text)).rejects.toThrow(/no certificate signing request/);
    }
  });

  it('takes keys on P-256 alone for what it makes itself', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await expect(requestOf(pem, 'charger-1')).rejects.toThrow(/is of rsa; allowed is ECDSA P-256/);
  });

  it('keeps a name with commas and equals signs one name', async () => {
    const authority = await newAuthority();
    const signed = certificateOf((await certified(authority, 'a,O=b+c')).certificate);
    expect(signed.subject).toBe('CN=a\\,O=b\\+c');
  });
});

describe('the registry of devices', () => {
  const registryIn = (file: string | undefined) =>
    openDeviceRegistry({
      file,
      policies: [{ name: 'device', document: { Statement: [] } }],
      clock: systemClock,
    });

  it('is there again after a restart, with what was attached and switched off', async () => {
    const file = join(newFolder(), 'registry.json');
    const { certificate } = await certified(await newAuthority(), 'charger-1');
    const before = registryIn(file);
    const thing = before.createThing('charger-1');
    const { id } = before.register(certificate, 'ACTIVE');
    before.attach(id, 'things', 'charger-1');
    before.attach(id, 'policies', 'device');
    before.setStatus(id, 'INACTIVE');
    const after = registryIn(file);
    expect(after.thing('charger-1')).toEqual(thing);
    expect(after.certificatesOf('charger-1')).toEqual([id]);
    expect(after.rightsOf(id)).toBeUndefined();
    after.setStatus(id, 'ACTIVE');
    expect(after.rightsOf(id)).toMatchObject({ policies: [{ Statement: [] }] });
    expect(modeOf(file)).toBe('600');
  });

  it('counts a change only when it is on disk', async () => {
    const folder = newFolder();
    const registry = registryIn(join(folder, 'registry.json'));
    const { certificate } = await certified(await newAuthority(), 'charger-1');
    const { id } = registry.register(certificate, 'ACTIVE');
    rmSync(folder, { recursive: true });
    expect(() => registry.attach(id, 'policies', 'device')).toThrow(/ENOENT/);
    expect(registry.rightsOf(id)?.policies).toEqual([]);
  });

  it('gives nothing for a policy that the template has no longer', async () => {
    const registry = registryIn(undefined);
    const { certificate } = await certified(await newAuthority(), 'charger-1');
    const { id } = registry.register(certificate, 'ACTIVE');
    registry.attach(id, 'policies', 'of-yesterday');
    expect(registry.rightsOf(id)?.policies).toEqual([]);
  });

  it.each(['', 'x', '{}', '{"version":2,"things":[],"certificates":[]}'])(
    'that holds %j is refused, and left as it is',
    (text) => {
      const file = join(newFolder(), 'registry.json');
      writeFileSync(file, text);
      expect(() => registryIn(file)).toThrow(/is not the registry.*move it away/);
      expect(readFileSync(file, 'utf8')).toBe(text);
    },
  );
});
