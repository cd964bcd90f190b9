/**
 * Goal: what goes over a connection is what the outbox decided and nothing else, and a device that
 * is refused is told apart from a network that is down. Method: a scripted MQTT 5 broker that keeps
 * every packet.
 */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Session } from '../../../device/connection/session.ts';
import { systemTimers } from '../../../device/options.ts';
import { listenOn } from '../../../local/listen.ts';
import type { FakeBroker } from '../../local/iot/fake-mqtt5-broker.ts';
import { newOutbox } from '../folders.ts';
import { connectTo, ends, receiptOf, startBroker, TOPIC } from './scripted-fixture.ts';

const publishes = (broker: FakeBroker, connection: number) =>
  broker.packets(connection).filter(({ cmd }) => cmd === 'publish');

describe('a connection', () => {
  it('subscribes to receipts before anything is sent, in a clean session', async () => {
    const broker = await startBroker();
    const device = await connectTo(broker.port, { username: 'u', password: 'p' });
    device.publish('charges', {}, { id: 'a' }).catch(() => {});
    await broker.received('publish');
    const [connectPacket, subscribe, publish] = broker.packets();
    expect(connectPacket).toMatchObject({
      cmd: 'connect',
      clientId: 'm',
      clean: true,
      username: 'u',
    });
    expect(subscribe).toMatchObject({
      cmd: 'subscribe',
      subscriptions: [{ topic: 'tollbridge/m/receipts', qos: 1 }],
    });
    expect(publish).toMatchObject({ cmd: 'publish', topic: TOPIC, qos: 1, dup: false });
  });

  it('ends with a DISCONNECT, and `close` waits for no PUBACK', async () => {
    const broker = await startBroker({ puback: () => undefined });
    const device = await connectTo(broker.port);
    const publishing = device.publish('charges', {});
    publishing.catch(() => {});
    await broker.received('publish');
    await device.close();
    expect(broker.packets().at(-1)).toMatchObject({ cmd: 'disconnect' });
    await expect(publishing).rejects.toMatchObject({ code: 'closed', kept: true });
    await expect(device.publish('charges', {})).rejects.toMatchObject({
      code: 'closed',
      kept: false,
    });
    await expect(device.drain()).rejects.toMatchObject({ code: 'closed' });
  });

  it('after a cut carries each unreceipted message once, from the outbox alone', async () => {
    const broker = await startBroker({ puback: () => undefined });
    const device = await connectTo(broker.port);
    for (const id of ['a', 'b', 'c']) device.publish('charges', {}, { id }).catch(() => {});
    await broker.received('publish', 0, ({ payload }) => payload.toString().includes('"c"'));
    broker.cut();
    await broker.received('publish', 1, ({ payload }) => payload.toString().includes('"c"'));
    // A message published now comes behind whatever MQTT.js would still send by itself.
    device.publish('charges', {}, { id: 'd' }).catch(() => {});
    await broker.received('publish', 1, ({ payload }) => payload.toString().includes('"d"'));
    const sent = publishes(broker, 1).map(
      (packet) => packet.cmd === 'publish' && [packet.payload.toString(), packet.dup],
    );
    expect(sent).toEqual(['a', 'b', 'c', 'd'].map((id) => [`{"id":"${id}"}`, false]));
  });

  it('that ends after a PUBLISH without PUBACK names its topic, for brokers do not say why', async () => {
    const broker = await startBroker({ puback: () => undefined });
    const device = await connectTo(broker.port);
    const ended = new Promise<string>((resolve) => {
      device.once('disconnected', ({ reason }) => resolve(reason));
    });
    device.publish('charges', {}).catch(() => {});
    await broker.received('publish');
    broker.cut();
    expect(await ended).toContain(`1 PUBLISH had no PUBACK, the first on ${TOPIC}: a broker ends`);
  });

  it('on which a PUBACK is missing for too long is ended, and the message sent on the next', async () => {
    let isSilent = true;
    const broker = await startBroker({ puback: () => (isSilent ? undefined : 0) });
    const reasons: string[] = [];
    const device = await connectTo(broker.port, {
      pubackMillis: 250,
      on: { disconnected: ({ reason }) => reasons.push(reason) },
    });
    device.publish('charges', {}).catch(() => {});
    await broker.received('publish');
    isSilent = false;
    await broker.received('publish', 1);
    expect(reasons).toEqual(['the broker did not acknowledge a PUBLISH in time']);
  });

  it('tells a PUBACK of 0x80 or more as not delivered, and sends the message again', async () => {
    let reasonCode = 0x97;
    const broker = await startBroker({ puback: () => reasonCode });
    const device = await connectTo(broker.port, { retry: { firstMillis: 20 } });
    const refused = new Promise((resolve) => device.once('not-delivered', resolve));
    const { id, bodyHash, receipt } = await device.enqueue('charges', {});
    expect(await refused).toEqual({ route: 'charges', id, reasonCode: 0x97 });
    reasonCode = 0x10;
    const first = publishes(broker, 0).length;
    while (publishes(broker, 0).length === first) await new Promise((next) => setImmediate(next));
    broker.send(receiptOf(id, bodyHash));
    expect(await receipt).toMatchObject({ outcome: 'accepted' });
  });

  it('survives receipts that are no receipts', async () => {
    const broker = await startBroker();
    const ignored: string[] = [];
    const device = await connectTo(broker.port, {
      on: { ignored: ({ why }) => ignored.push(why) },
    });
    const { id, bodyHash, receipt } = await device.enqueue('charges', {});
    await broker.received('publish');
    const odd = [
      '',
      '{',
      '[]',
      '{"v":2}',
      '{"v":1,"route":"charges","receipts":[7]}',
      '\u0000\u001b[2J',
    ];
    broker.send(
      ...odd.map((payload) => ({ ...receiptOf(id, bodyHash), payload })),
      receiptOf(id, '0'.repeat(64)),
      receiptOf('\u001b[2J', bodyHash),
      receiptOf(id, bodyHash),
    );
    expect(await receipt).toMatchObject({ id, bookedAt: 5 });
    expect(ignored).toHaveLength(odd.length + 2);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(ignored.join('')).not.toMatch(/[\u0000-\u001f]/);
  });

  it('leaves a message for a later receiver unacknowledged until that has taken it', async () => {
    const broker = await startBroker();
    const device = await connectTo(broker.port, { persistentSession: true });
    expect(await broker.received('connect')).toMatchObject({
      clean: false,
      properties: { sessionExpiryInterval: 86_400 },
    });
    await broker.received('subscribe');
    const forward = {
      cmd: 'publish' as const,
      topic: 'booked/x',
      qos: 1 as const,
      dup: false,
      retain: false,
    };
    broker.send({
      ...forward,
      messageId: 300,
      payload: '{}',
      properties: { userProperties: { 'tollbridge-id': 'r#m#a' } },
    });
    // A receipt behind it is not held up by it.
    const { id, bodyHash, receipt } = await device.enqueue('charges', {});
    await broker.received('publish');
    broker.send(receiptOf(id, bodyHash));
    await receipt;
    expect(broker.packets().some(({ cmd }) => cmd === 'puback')).toBe(false);
    let finish = () => {};
    const begun = new Promise<void>((resolve) => {
      device.receive('booked/#', () => {
        resolve();
        return new Promise<void>((end) => {
          finish = end;
        });
      });
    });
    await begun;
    // A handler may wait for a message of its own.
    const own = await device.enqueue('charges', { n: 2 });
    await broker.received('publish', 0, ({ payload }) => payload.toString().includes('"n":2'));
    broker.send(receiptOf(own.id, own.bodyHash));
    await own.receipt;
    expect(broker.packets().some(({ cmd }) => cmd === 'puback')).toBe(false);
    finish();
    expect(await broker.received('puback')).toMatchObject({ messageId: 300 });
  });
});

describe('a session', () => {
  it('that the broker keeps is kept for as long as the options say', async () => {
    const broker = await startBroker();
    await connectTo(broker.port, { persistentSession: true, sessionExpirySeconds: 604_800 });
    expect(await broker.received('connect')).toMatchObject({
      properties: { sessionExpiryInterval: 604_800 },
    });
  });

  it('acknowledges in the order of arrival, receipts included, whatever is finished first', async () => {
    const broker = await startBroker();
    const device = await connectTo(broker.port, { persistentSession: true });
    const finish = new Map<string, () => void>();
    const receiver = device.receive(
      'booked/#',
      ({ topic }) => new Promise<void>((end) => finish.set(topic, end)),
      { withoutId: 'pass' },
    );
    await receiver.ready;
    const forward = (messageId: number, topic: string) => ({
      ...{ cmd: 'publish' as const, topic, qos: 1 as const, dup: false, retain: false },
      ...{ messageId, payload: '{}' },
    });
    const { id, bodyHash, receipt } = await device.enqueue('charges', {});
    await broker.received('publish');
    broker.send(
      forward(1, 'booked/slow'),
      { ...receiptOf(id, bodyHash), qos: 1, messageId: 2 },
      forward(3, 'booked/quick'),
    );
    await receipt;
    while (finish.size < 2) await new Promise((next) => setImmediate(next));
    finish.get('booked/quick')?.();
    // What was acknowledged by now would be on the wire before this.
    await device.enqueue('charges', { n: 2 });
    await broker.received('publish', 0, ({ payload }) => payload.toString().includes('"n":2'));
    expect(broker.packets().some(({ cmd }) => cmd === 'puback')).toBe(false);
    finish.get('booked/slow')?.();
    await broker.received('puback', 0, ({ messageId }) => messageId === 3);
    const order = broker.packets().map((packet) => packet.cmd === 'puback' && packet.messageId);
    expect(order.filter(Boolean)).toEqual([1, 2, 3]);
  });

  it('whose subscription to receipts has no answer is ended, and tried again', async () => {
    const server = createServer((socket) => {
      // CONNACK, and not a word more.
      socket.once('data', () => socket.write(Buffer.from([0x20, 3, 0, 0, 0])));
      socket.on('error', () => {});
    });
    ends.push(() => new Promise((resolve) => server.close(() => resolve())));
    const port = await listenOn(server, 0, '127.0.0.1');
    const reason = await new Promise((resolve, reject) => {
      const on = { disconnected: (event: { reason: string }) => resolve(event.reason) };
      connectTo(port, { pubackMillis: 30, on }).catch(reject);
    });
    expect(reason).toBe('the broker did not answer the subscription to receipts in time');
  });

  it('answers every publication, with `lost` when its connection ends', async () => {
    const broker = await startBroker({ puback: () => undefined });
    const ports = { timers: systemTimers, random: () => 0, emit: () => {} };
    const settings = {
      url: `mqtt://127.0.0.1:${broker.port}`,
      deviceId: 'm',
      client: {},
      mqttVersion: '5' as const,
      persistentSession: false,
      sessionExpirySeconds: 60,
      reconnect: { firstMillis: 5, maxMillis: 5 },
      pubackMillis: 10_000,
    };
    const session = new Session(settings, ports);
    ends.push(() => session.close());
    const message = { topic: TOPIC, payload: Buffer.from('{}'), qos: 1 as const };
    expect(await session.publish(message)).toEqual({ kind: 'lost' });
    await new Promise<void>((up) => session.start({ up, down: () => {}, receipts: () => {} }));
    const outcome = session.publish(message);
    await broker.received('publish');
    broker.cut();
    expect(await outcome).toEqual({ kind: 'lost' });
  });

  it('waits longer before each connection that fails', async () => {
    const broker = await startBroker({ connack: { reasonCode: 0x89 } });
    const waits: number[] = [];
    await new Promise<void>((resolve, reject) => {
      const disconnected = ({ retryMillis }: { readonly retryMillis: number }) => {
        if (waits.push(retryMillis) === 5) resolve();
      };
      const reconnect = { firstMillis: 2, maxMillis: 16 };
      connectTo(broker.port, { reconnect, random: () => 0, on: { disconnected } }).catch(reject);
    });
    expect(waits).toEqual([2, 4, 8, 16, 16]);
  });
});

describe('a device that is refused', () => {
  it.each([
    [0x86, /user name or the password/],
    [0x87, /not authorized/],
    [0x85, /client id/],
  ])(
    'with reason %s makes a waiting connect fail, with its outbox kept',
    async (reasonCode, words) => {
      const broker = await startBroker({ connack: { reasonCode } });
      const outbox = newOutbox();
      const connecting = connectTo(broker.port, { outbox, waitMillis: 20_000 });
      await expect(connecting).rejects.toMatchObject({
        name: 'ConnectionRefusedError',
        code: 'connection-refused',
        message: expect.stringMatching(words),
      });
      // The folder is free again.
      broker.answers = { ...broker.answers, connack: {} };
      const device = await connectTo(broker.port, { outbox, waitMillis: 20_000 });
      expect(device.connected).toBe(true);
    },
  );

  it('and does not wait is told by an event, keeps messages, and sends them once it is let in', async () => {
    const broker = await startBroker({ connack: { reasonCode: 0x86 } });
    const device = await connectTo(broker.port);
    const refused = new Promise<Error>((resolve) => device.once('refused', resolve));
    const { id, bodyHash, receipt } = await device.enqueue('charges', {});
    expect(await refused).toMatchObject({ code: 'connection-refused' });
    broker.answers = { ...broker.answers, connack: {} };
    await new Promise<void>((resolve) => device.once('sent', () => resolve()));
    broker.send(receiptOf(id, bodyHash));
    expect(await receipt).toMatchObject({ outcome: 'accepted' });
  });

  it('its receipts is not connected, for it would never learn what was booked', async () => {
    const broker = await startBroker({ granted: () => 0x87 });
    await expect(connectTo(broker.port, { waitMillis: 20_000 })).rejects.toMatchObject({
      code: 'subscription-refused',
      filter: 'tollbridge/m/receipts',
    });
    expect(publishes(broker, 0)).toEqual([]);
  });

  it('is not one whose broker is busy', async () => {
    const broker = await startBroker({ connack: { reasonCode: 0x89 } });
    const told: string[] = [];
    const device = await connectTo(broker.port, {
      on: { refused: () => told.push('refused'), disconnected: () => told.push('disconnected') },
    });
    await new Promise<void>((resolve) => device.once('disconnected', () => resolve()));
    expect(told).toEqual(['disconnected']);
  });
});
