/**
 * Goal: over TLS a device is who its certificate says, as behind IoT Core, and whoever has none
 * that counts is refused with a reason. Method: MQTT.js and bare TLS clients against the broker;
 * no test waits for a certificate to expire, they are made with a validity that is over.
 */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { IClientOptions, MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { certificateIdOf, certificateOf } from '../../../local/certificates/keys.ts';
import { clientOf, closeAll, connected, nextMessage } from '../../../tools/mqtt/broker-ground.ts';
import { closed } from '../../../tools/mqtt/thing.ts';
import { certified, newAuthority, startTlsBroker, tlsOf } from '../../../tools/mqtt/tls-ground.ts';

afterEach(closeAll);

const TOPIC = 'billing/charger-1/charges';
const OVER = { from: new Date('2020-01-01'), until: new Date('2021-01-01') };
const AHEAD = { from: new Date('2048-01-01'), until: new Date('2049-01-01') };

/** Ends when the client is refused; fails when it is let in. */
async function refused(port: number, clientId: string, options: IClientOptions): Promise<void> {
  const client = clientOf(port, clientId, options);
  const outcome = new Promise((resolve) => {
    client.once('close', () => resolve('refused'));
    client.once('connect', () => resolve('let in'));
  });
  expect(await outcome).toBe('refused');
}

describe('a device with its certificate', () => {
  it('publishes under the id of the certificate, which is the SHA-256 of its DER', async () => {
    const { tlsPort, device, accepted } = await startTlsBroker();
    const { id, tls } = await device('charger-1');
    const client = await connected(tlsPort, 'charger-1', tls);
    await client.publishAsync(TOPIC, 'x', { qos: 1 });
    expect(accepted).toMatchObject([{ topic: TOPIC, clientId: 'charger-1', principal: id }]);
    expect(id).toBe(certificateIdOf(certificateOf(String(tls.cert)).raw));
    expect(id).toMatch(/^[0-9a-f]{64}$/);
  });

  it('receives what the bridge publishes to it', async () => {
    const { broker, tlsPort, device } = await startTlsBroker();
    const client = await connected(tlsPort, 'charger-1', (await device('charger-1')).tls);
    await client.subscribeAsync('tollbridge/charger-1/receipts', { qos: 1 });
    const message = nextMessage(client);
    const topic = 'tollbridge/charger-1/receipts';
    await broker.publish({ topic, payload: Buffer.from('{}'), qos: 1 });
    expect((await message).topic).toBe(topic);
  });

  it.each<[string, object]>([
    ['the ALPN name of port 443', { ALPNProtocols: ['x-amzn-mqtt-ca'] }],
    ['an IP address, so without SNI', { host: '127.0.0.1' }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ])('may connect with %s', async (_, options) => {
    const { broker, tlsPort, device } = await startTlsBroker();
    const { tls } = await device('charger-1');
    const client = await connected(tlsPort, 'charger-1', { ...tls, ...options });
    await client.publishAsync(TOPIC, 'x', { qos: 1 });
    expect(broker.connectedClients()).toEqual(['charger-1']);
  });

  it('takes its client id over from a connection without TLS', async () => {
    const { broker, tlsPort, device, disconnected } = await startTlsBroker();
    await connected(broker.port, 'charger-1');
    await connected(tlsPort, 'charger-1', (await device('charger-1')).tls);
    expect(await disconnected('charger-1')).toMatch(/took over/);
    expect(broker.connectedClients()).toEqual(['charger-1']);
  });
});

describe('a certificate', () => {
  it('lets in under the name of a thing that it is attached to, and under no other', async () => {
    const { tlsPort, device, disconnected } = await startTlsBroker();
    const { id, tls } = await device('charger-1');
    await refused(tlsPort, 'charger-2', tls);
    expect(await disconnected('charger-2')).toBe(
      `the policy does not allow iot:Connect on client/charger-2; the certificate ${id} is attached to the thing charger-1 and has 1 policy`,
    );
  });

  it('of two things lets in as either, each with its own topics alone', async () => {
    const { tlsPort, device, accepted, disconnected } = await startTlsBroker();
    const { tls } = await device('pair', { things: ['charger-1', 'charger-2'] });
    const client = await connected(tlsPort, 'charger-2', tls);
    await client.publishAsync('billing/charger-2/charges', 'x', { qos: 1 });
    client.publish(TOPIC, 'x', { qos: 1 });
    expect(await disconnected('charger-2')).toMatch(/iot:Publish on topic\/billing\/charger-1/);
    expect(accepted).toHaveLength(1);
  });

  it.each([
    ['attached to no thing', { things: [] }, /attached to no thing and has 1 policy/],
    ['without a policy', { policies: [] }, /attached to the thing charger-1 and has 0 policies/],
  ])('that is %s lets nobody in', async (_, options, reason) => {
    const { tlsPort, device, disconnected } = await startTlsBroker();
    await refused(tlsPort, 'charger-1', (await device('charger-1', options)).tls);
    expect(await disconnected('charger-1')).toMatch(reason);
  });

  it.each([
    ['has expired', { validity: OVER }, /expired on Jan +1 00:00:00 2021 GMT/],
    ['does not hold yet', { validity: AHEAD }, /not a valid one .*CERT_NOT_YET_VALID/],
    ['is inactive', { status: 'INACTIVE' as const }, /is INACTIVE$/],
    ['is revoked', { status: 'REVOKED' as const }, /is REVOKED$/],
  ])('that %s is refused before any packet, and the log says why', async (_, options, reason) => {
    const { tlsPort, device, disconnected, accepted } = await startTlsBroker();
    const { id, tls } = await device('charger-1', options);
    await refused(tlsPort, 'charger-1', tls);
    const told = await disconnected('');
    expect(told).toMatch(reason);
    expect(told).toContain(id);
    expect(accepted).toEqual([]);
  });

  it('that nobody registered is refused, though the local authority signed it', async () => {
    const { tlsPort, authority, disconnected } = await startTlsBroker();
    const { key, certificate } = await certified(authority, 'charger-1');
    await refused(tlsPort, 'charger-1', tlsOf(authority.certificate, key, certificate));
    expect(await disconnected('')).toMatch(/is not registered$/);
  });

  it('of another authority of the same name is refused, even when it is registered', async () => {
    const { tlsPort, authority, registry, disconnected } = await startTlsBroker();
    const { key, certificate } = await certified(await newAuthority(), 'charger-1');
    const { id } = registry.register(certificate, 'ACTIVE');
    registry.attach(id, 'things', 'charger-1');
    registry.attach(id, 'policies', 'device');
    await refused(tlsPort, 'charger-1', tlsOf(authority.certificate, key, certificate));
    expect(await disconnected('')).toMatch(/not a valid one of the local authority/);
  });

  it('is asked for: a client without one is refused and told in the log how to get one', async () => {
    const { tlsPort, authority, disconnected } = await startTlsBroker();
    await refused(tlsPort, 'charger-1', tlsOf(authority.certificate));
    expect(await disconnected('')).toMatch(/showed no certificate.*device add NAME$/);
  });

  it('that is switched off ends its connection, refuses the next, and on again lets it in', async () => {
    const { broker, tlsPort, device, registry, disconnected } = await startTlsBroker();
    const { id, tls } = await device('charger-1');
    const other = await connected(tlsPort, 'charger-2', (await device('charger-2')).tls);
    const client = await connected(tlsPort, 'charger-1', tls);
    const ended = closed(client);
    registry.setStatus(id, 'INACTIVE');
    await ended;
    expect(await disconnected('charger-1')).toBe(`the certificate ${id} is not active any more`);
    expect(other.connected).toBe(true);
    await refused(tlsPort, 'charger-1', tls);
    registry.setStatus(id, 'ACTIVE');
    await connected(tlsPort, 'charger-1', tls);
    expect(broker.connectedClients()).toEqual(['charger-1', 'charger-2']);
  });

  it.each<[string, (client: MqttClient) => void, RegExp]>([
    ['PUBLISH', (client) => client.publish(TOPIC, 'x', { qos: 1 }), /iot:Publish on topic/],
    [
      'SUBSCRIBE',
      (client) => client.subscribe('tollbridge/charger-1/receipts'),
      /iot:Subscribe on topicfilter/,
    ],
  ])(
    'that is switched off gives no right any more, should a %s still come',
    async (_, ask, why) => {
      const { tlsPort, device, registry, accepted, disconnected } = await startTlsBroker(true);
      const { id, tls } = await device('charger-1');
      const client = await connected(tlsPort, 'charger-1', tls);
      registry.setStatus(id, 'REVOKED');
      ask(client);
      const reason = await disconnected('charger-1');
      expect(reason).toMatch(why);
      expect(reason).toMatch(/the certificate is not active any more$/);
      expect(accepted).toEqual([]);
    },
  );

  it('gives what is attached to it now, also to a connection that is there already', async () => {
    const { tlsPort, device, registry, accepted, disconnected } = await startTlsBroker();
    const { id, tls } = await device('charger-1');
    const client = await connected(tlsPort, 'charger-1', tls);
    await client.publishAsync(TOPIC, 'x', { qos: 1 });
    registry.detach(id, 'policies', 'device');
    client.publish(TOPIC, 'x', { qos: 1 });
    expect(await disconnected('charger-1')).toMatch(/iot:Publish .* has 0 policies/);
    expect(accepted).toHaveLength(1);
  });
});

describe('the listener with TLS', () => {
  it('is trusted by who trusts the authority, and by nobody else', async () => {
    const { tlsPort, device } = await startTlsBroker();
    const { tls } = await device('charger-1');
    const client = clientOf(tlsPort, 'charger-1', {
      ...tls,
      ca: (await newAuthority()).certificate,
    });
    const error = await new Promise((resolve) => client.once('error', resolve));
    expect(error).toMatchObject({ code: expect.stringMatching(/CERT|SIGNATURE|VERIFY/) });
  });

  it('refuses ALPN names that IoT Core keeps for other ways to sign in', async () => {
    const { tlsPort, device, disconnected } = await startTlsBroker();
    const { tls } = await device('charger-1');
    await refused(tlsPort, 'charger-1', { ...tls, ALPNProtocols: ['mqtt'] });
    expect(await disconnected('')).toMatch(/handshake failed/);
  });

  it.each<[string, string]>([
    ['MQTT without TLS', '101000044d5154540402003c000461626364'],
    ['noise', 'ff00ff00ff00ff00'],
    ['half a handshake', '160301'],
  ])('lives on when it is sent %s', async (_, hex) => {
    const { tlsPort, device } = await startTlsBroker();
    const socket = connectTcp(tlsPort, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(Buffer.from(hex, 'hex'));
    await once(socket.resume(), 'close');
    await connected(tlsPort, 'charger-1', (await device('charger-1')).tls);
  });

  it('frees its port when it closes, with clients in every state', async () => {
    const { broker, tlsPort, device } = await startTlsBroker();
    const { tls } = await device('charger-1');
    await connected(tlsPort, 'charger-1', tls);
    const silent = connectTcp(tlsPort, '127.0.0.1');
    const greeted = connectTls({ port: tlsPort, ...tls });
    for (const socket of [silent, greeted]) socket.on('error', () => undefined);
    await Promise.all([once(silent, 'connect'), once(greeted, 'secureConnect')]);
    const ended = [silent, greeted].map(
      (socket) => new Promise((resolve) => socket.resume().once('close', resolve)),
    );
    await broker.close();
    await Promise.all(ended);
    const again = connectTcp(tlsPort, '127.0.0.1');
    const error = await new Promise((resolve) => again.once('error', resolve));
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
