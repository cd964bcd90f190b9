/**
 * Goal: TLS with a client certificate works, and each way in which it is refused says what is wrong.
 * Method: a TLS server that asks for certificates of an authority of its own, before the broker of
 * a scripted bridge.
 */
import { writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/base/time.ts';
import {
  type ConnectOptions,
  connect,
  type Device,
  type TlsOptions,
} from '../../../device/index.ts';
import { type CertificateAuthority, openAuthority } from '../../../local/certificates/authority.ts';
import { newKey, requestOf } from '../../../local/certificates/keys.ts';
import { listenOn } from '../../../local/listen.ts';
import { type FakeBroker, startFakeBroker } from '../../local/iot/fake-mqtt5-broker.ts';
import { newOutbox } from '../folders.ts';

let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let broker: FakeBroker;
let server: Server;
let port: number;
const sockets = new Set<Socket>();
const seen: { readonly name: string; readonly alpn: string | false | null }[] = [];
const devices: Device[] = [];

beforeAll(async () => {
  authority = await openAuthority({ folder: undefined, clock: systemClock });
  stranger = await openAuthority({ folder: undefined, clock: systemClock });
  broker = await startFakeBroker();
  const { key, certificate } = await authority.serverCredentials();
  const settings = {
    key,
    cert: certificate,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['x-amzn-mqtt-ca', 'mqtt'],
  };
  server = createServer(settings, (socket: TLSSocket) => {
    seen.push({ name: String(socket.getPeerCertificate().subject.CN), alpn: socket.alpnProtocol });
    const inner = connectTcp(broker.port, '127.0.0.1');
    for (const each of [socket, inner]) {
      sockets.add(each);
      each.on('error', () => {});
    }
    socket.pipe(inner).pipe(socket);
  });
  port = await listenOn(server, 0, '127.0.0.1', 'the TLS server');
});
afterEach(async () => {
  for (const device of devices.splice(0)) await device.close();
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  await broker.close();
});

async function credentialsOf(by: CertificateAuthority, name: string) {
  const key = newKey();
  return { key, cert: await by.sign(await requestOf(key, name)) };
}

async function connectWith(
  tls: TlsOptions,
  options: Partial<ConnectOptions> = {},
): Promise<Device> {
  const device = await connect({
    url: `mqtts://localhost:${port}`,
    deviceId: 'm',
    outbox: newOutbox(),
    routes: { charges: { topic: 't/m', idField: 'id' } },
    mqttVersion: '5',
    waitMillis: 20_000,
    tls,
    ...options,
  });
  devices.push(device);
  return device;
}

describe('TLS', () => {
  it('takes the certificate as PEM, and says which protocol it wants on a shared port', async () => {
    const own = await credentialsOf(authority, 'm');
    const device = await connectWith({
      ca: authority.certificate,
      ...own,
      alpn: ['x-amzn-mqtt-ca'],
    });
    expect(device.connected).toBe(true);
    expect(seen.at(-1)).toEqual({ name: 'm', alpn: 'x-amzn-mqtt-ca' });
    const sent = new Promise((resolve) => device.once('sent', resolve));
    await device.enqueue('charges', {});
    expect(await sent).toMatchObject({ route: 'charges', tries: 1 });
  });

  it('takes paths of files as well', async () => {
    const { key, cert } = await credentialsOf(authority, 'm-files');
    const folder = join(newOutbox(), '..');
    const paths = { ca: join(folder, 'ca'), key: join(folder, 'key'), cert: join(folder, 'cert') };
    writeFileSync(paths.ca, authority.certificate);
    writeFileSync(paths.key, key);
    writeFileSync(paths.cert, cert);
    expect((await connectWith(paths)).connected).toBe(true);
    expect(seen.at(-1)?.name).toBe('m-files');
  });

  it('does not talk to a broker that the authority has not signed', async () => {
    const own = await credentialsOf(authority, 'm');
    await expect(connectWith({ ca: stranger.certificate, ...own })).rejects.toMatchObject({
      code: 'connection-refused',
      message: expect.stringContaining('not signed by tls.ca'),
    });
    await expect(connectWith(own)).rejects.toThrow(/not signed by tls.ca/);
  });

  it('does not talk to a broker under another name than its certificate has', async () => {
    const own = await credentialsOf(authority, 'm');
    await expect(
      connectWith({ ca: authority.certificate, ...own, servername: 'elsewhere.example' }),
    ).rejects.toThrow(/for another host/);
  });

  it('without a certificate is refused, and says where to look', async () => {
    await expect(connectWith({ ca: authority.certificate })).rejects.toMatchObject({
      code: 'connection-refused',
      message: expect.stringMatching(/tls\.cert and tls\.key/),
    });
  });

  it('with a certificate that a broker refuses without a word is told as a suspicion', async () => {
    const own = await credentialsOf(stranger, 'm');
    const reasons: string[] = [];
    const device = await connectWith(
      { ca: authority.certificate, ...own },
      { waitMillis: 0, on: { disconnected: ({ reason }) => reasons.push(reason) } },
    );
    await new Promise<void>((resolve) => device.once('disconnected', () => resolve()));
    expect(reasons[0]).toMatch(/ended the connection before it answered.* certificate/);
  });

  it('with such a certificate is refused, where connect was to wait, at the second time', async () => {
    const own = await credentialsOf(stranger, 'm');
    await expect(connectWith({ ca: authority.certificate, ...own })).rejects.toMatchObject({
      code: 'connection-refused',
      message: expect.stringMatching(/ended the connection before it answered.* certificate/),
    });
  });

  it('with a key that is not the certificate’s is refused before anything is sent', async () => {
    const one = await credentialsOf(authority, 'm');
    const two = await credentialsOf(authority, 'm');
    await expect(
      connectWith({ ca: authority.certificate, cert: one.cert, key: two.key }),
    ).rejects.toMatchObject({
      code: 'invalid-options',
      message: expect.stringMatching(/key values mismatch.*look at ca, cert, key/),
    });
  });
});
