/** Goal: options that cannot work are refused before anything is opened, all at once, in words. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ConnectOptions, connect } from '../../device/index.ts';
import { newOutbox } from './folders.ts';

const good = (): ConnectOptions => ({
  url: 'mqtt://127.0.0.1:1',
  deviceId: 'm',
  outbox: newOutbox(),
  routes: { charges: { topic: 'billing/m/charges', idField: 'id' } },
});

const route = (fields: object) => ({
  routes: { charges: { topic: 't/m', idField: 'id', ...fields } },
});

describe('connect', () => {
  it.each<[string, object, RegExp]>([
    ['a url that is none', { url: 'broker' }, /url is no address.*mqtts:\/\/host:8883/],
    ['a url of the web', { url: 'https://broker' }, /url is no address/],
    ['a url with a password', { url: 'mqtt://u:p@broker' }, /credentials; give username/],
    ['a url with a client id', { url: 'ws://broker/?clientId=x' }, /the client id is the deviceId/],
    ['TLS on a plain url', { tls: {} }, /not encrypted; use mqtts/],
    [
      'half a client certificate',
      { url: 'mqtts://b', tls: { cert: '-----BEGIN X' } },
      /one of cert and key/,
    ],
    [
      'a file that is not there',
      { url: 'mqtts://b', tls: { ca: '/no/such' } },
      /tls.ca is neither a PEM nor a file/,
    ],
    ['a PEM that is none', { url: 'mqtts://b', tls: { ca: '-----BEGIN X' } }, /./],
    [
      'a name for ALPN that TLS cannot say',
      { url: 'mqtts://b', tls: { alpn: ['x'.repeat(256)] } },
      /tls.alpn has a name that is not of 1 to 255 bytes/,
    ],
    [
      'how long a session is kept that is not',
      { sessionExpirySeconds: 60 },
      /sessionExpirySeconds needs persistentSession/,
    ],
    [
      'a session longer than for ever',
      { persistentSession: true, mqttVersion: '5', sessionExpirySeconds: 2 ** 32 },
      /sessionExpirySeconds is 4294967296; .*from 1 to 4294967295/,
    ],
    ['no device', { deviceId: '' }, /deviceId is ""/],
    ['a device of two levels', { deviceId: 'a/b' }, /without \/ \+ #/],
    ['a device with a wildcard', { deviceId: '+' }, /without \/ \+ #/],
    ['a device too long', { deviceId: 'x'.repeat(129) }, /1 to 128 bytes/],
    ['no outbox', { outbox: '' }, /outbox is empty/],
    ['no routes', { routes: undefined }, /device-profile/],
    ['a version of MQTT', { mqttVersion: '3.1' }, /'3.1.1' and '5'/],
    ['a limit of nothing', { limits: { messages: 0 } }, /limits.messages is 0; .*from 1/],
    [
      'a wait that shrinks',
      { retry: { firstMillis: 10, maxMillis: 5 } },
      /retry.maxMillis is 5; .*from 10/,
    ],
    ['a fraction', { inFlightMax: 1.5 }, /inFlightMax is 1.5/],
    [
      'a topic with a wildcard',
      route({ topic: 'events/m/#' }),
      /topic cannot be published on: it has a wildcard/,
    ],
    [
      'a topic of another device, at which brokers end the connection',
      route({ topic: 'billing/m9/charges' }),
      /topic "billing\/m9\/charges" has no level "m".*device-profile/,
    ],
    ['no topic', route({ topic: undefined }), /topic is missing/],
    ['no id', route({ idField: undefined }), /needs one of: idField/],
    ['two ids', route({ idFrom: 'body' }), /needs one of: idField/],
    ['an empty step of a path', route({ idField: 'a..b' }), /does not say where the id is/],
    ['half a counter', route({ idField: undefined, epochField: 'e' }), /a counter has two fields/],
    [
      'a counter in itself',
      route({ idField: undefined, epochField: 'a', seqField: 'a.b' }),
      /neither lies in the other/,
    ],
    [
      'a handshake',
      route({ handshake: 'long' }),
      /handshake is 'long'; allowed are 'short' and 'full'/,
    ],
    [
      'a full handshake without an id',
      route({ idField: undefined, idFrom: 'body', handshake: 'full' }),
      /no id to release/,
    ],
    ['QoS 2', route({ qos: 2 }), /qos is 2; allowed are 0 and 1/],
    [
      'one topic twice',
      {
        routes: { a: { topic: 't', idField: 'id' }, b: { topic: '$aws/rules/R/t', idField: 'id' } },
      },
      /routes.b and routes.a have one topic/,
    ],
  ])('refuses %s, and says what is allowed', async (_, changes, words) => {
    const options = { ...good(), ...changes };
    await expect(connect(options as ConnectOptions)).rejects.toMatchObject({
      name: 'InvalidOptionsError',
      code: 'invalid-options',
      message: expect.stringMatching(words),
    });
    if (options.outbox !== '') expect(existsSync(options.outbox)).toBe(false);
  });

  it('tells all problems at once', async () => {
    const options = { ...good(), url: '', deviceId: '', ...route({ qos: 7 }) } as ConnectOptions;
    await expect(connect(options)).rejects.toMatchObject({ problems: { length: 3 } });
  });

  it('refuses a route that it was not given', async () => {
    const device = await connect(good());
    await expect(device.publish('other', {})).rejects.toMatchObject({
      code: 'unknown-route',
      message: 'there is no route "other"; connect was given: "charges"',
    });
    await expect(device.publish('charges', {}, { at: Number.NaN })).rejects.toMatchObject({
      code: 'invalid-id',
    });
    await device.close();
    await device.close();
  });

  it('leaves nothing open when it fails late', async () => {
    const options = good();
    const after = () => {
      throw new Error('told to fail');
    };
    const failing = { ...options, waitMillis: 10, timers: { now: () => 0, after } };
    await expect(connect(failing)).rejects.toThrow('told to fail');
    await (await connect(options)).close();
  });

  it('takes no routes at all, for a program that only receives', async () => {
    const device = await connect({ ...good(), routes: {} });
    await expect(device.publish('charges', {})).rejects.toThrow(/connect was given: none/);
    await device.close();
  });

  it('draws ids that sort by the time of the event', async () => {
    const device = await connect(good());
    const old = await device.enqueue('charges', {}, { at: new Date('2020-01-01T00:00:00Z') });
    const now = await device.enqueue('charges', {});
    expect(old.id < now.id).toBe(true);
    expect(Number.parseInt(old.id.replace('-', '').slice(0, 12), 16)).toBe(1_577_836_800_000);
    await device.close();
  });
});
