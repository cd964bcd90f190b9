import { afterEach, describe, expect, it } from 'vitest';
import { UnsupportedPolicyError } from '../../../local/iot/policy.ts';
import {
  anything,
  closeAll,
  connected,
  connectPacket,
  publishPacket,
  rawClient,
  startBroker,
  topicsUpTo,
} from '../../../tools/mqtt/broker-ground.ts';

afterEach(closeAll);

const TOPIC = 'billing/charger-1/charges';

/** How a connection attempt is answered: the CONNACK's return code. */
async function returnCode(port: number, clientId: string, changes: object = {}): Promise<unknown> {
  const client = await rawClient(port);
  client.send(connectPacket(clientId, changes));
  const packet = await client.next();
  return packet.cmd === 'connack' ? packet.returnCode : packet.cmd;
}

describe('connecting', () => {
  it.each<[string, string, object, number]>([
    ['a client id that the policy allows', 'charger-1', {}, 0],
    ['an empty client id', '', {}, 2],
    ['a client id of 129 bytes', 'a'.repeat(129), {}, 2],
    ['a client id of 129 bytes in 65 characters', `${'é'.repeat(64)}a`, {}, 2],
    ['a client id that starts with $', '$charger', {}, 2],
    ['a client id that is no thing name', 'billing/+', {}, 5],
    ['a client id that is a wildcard of MQTT', '+', {}, 5],
    ['a client id that is a wildcard of policies', '*', {}, 5],
    [
      'a will with QoS 2',
      'charger-1',
      { will: { topic: TOPIC, payload: Buffer.from('x'), qos: 2 } },
      5,
    ],
    [
      'a will on a topic of another device',
      'charger-1',
      { will: { topic: 'billing/charger-2/charges', payload: Buffer.from('x'), qos: 1 } },
      5,
    ],
    [
      'a will of its own',
      'charger-1',
      { will: { topic: TOPIC, payload: Buffer.from('x'), qos: 1 } },
      0,
    ],
    ['MQTT 5, which aedes does not speak', 'charger-1', { protocolVersion: 5 }, 1],
  ])('with %s (%j) is answered by its return code', async (_, clientId, changes, expected) => {
    const { broker } = await startBroker();
    expect(await returnCode(broker.port, clientId, changes)).toBe(expected);
  });

  it('with a client id of 128 bytes is allowed', async () => {
    const { broker } = await startBroker();
    expect(await returnCode(broker.port, 'a'.repeat(128))).toBe(0);
  });

  it('that is refused is told of with its reason, and never counts as connected', async () => {
    const { broker, disconnected } = await startBroker({ policies: [] });
    expect(await returnCode(broker.port, 'charger-1')).toBe(5);
    expect(await disconnected('charger-1')).toMatch(/iot:Connect on client\/charger-1/);
    expect(broker.connectedClients()).toEqual([]);
  });

  it('takes a client id over from an older connection', async () => {
    const { broker, disconnected } = await startBroker();
    const older = await rawClient(broker.port);
    older.send(connectPacket('charger-1'));
    await older.next();
    const newer = await rawClient(broker.port);
    newer.send(connectPacket('charger-1'));
    expect(await newer.next()).toMatchObject({ cmd: 'connack', returnCode: 0 });
    await older.ended;
    expect(await disconnected('charger-1')).toMatch(/took over/);
    expect(broker.connectedClients()).toEqual(['charger-1']);
    newer.send(publishPacket(TOPIC, 1));
    expect(await newer.next()).toMatchObject({ cmd: 'puback', messageId: 1 });
  });

  it('leaves one connection to a client id, however many come at once', async () => {
    const { broker, accepted } = await startBroker();
    const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(broker.port)));
    const alive = new Set(clients);
    const oneLeft = new Promise<void>((resolve) => {
      for (const client of clients) {
        void client.ended.then(() => {
          alive.delete(client);
          if (alive.size === 1) resolve();
        });
      }
    });
    for (const client of clients) client.send(connectPacket('charger-1'));
    await oneLeft;
    expect(broker.connectedClients()).toEqual(['charger-1']);
    const [last] = alive;
    expect(await last?.next()).toMatchObject({ cmd: 'connack', returnCode: 0 });
    last?.send(publishPacket(TOPIC, 1));
    expect(await last?.next()).toMatchObject({ cmd: 'puback', messageId: 1 });
    expect(accepted).toHaveLength(1);
  });

  it('gives the will of a client that vanishes to the rules engine', async () => {
    let arrived = (_topic: string) => {};
    const willTopic = new Promise<string>((resolve) => {
      arrived = resolve;
    });
    const { broker } = await startBroker({ accept: async ({ topic }) => arrived(topic) });
    const client = await rawClient(broker.port);
    client.send(
      connectPacket('charger-1', { will: { topic: TOPIC, payload: Buffer.from('x'), qos: 1 } }),
    );
    await client.next();
    client.socket.resetAndDestroy();
    expect(await willTopic).toBe(TOPIC);
  });
});

describe('subscribing', () => {
  it.each<[string, string, 0 | 1 | 2, RegExp]>([
    [
      'a filter that the policy denies',
      'tollbridge/charger-2/receipts',
      1,
      /iot:Subscribe on topicfilter\/tollbridge\/charger-2/,
    ],
    ['a wildcard in place of its own name', 'tollbridge/+/receipts', 1, /iot:Subscribe/],
    ['QoS 2', 'tollbridge/charger-1/receipts', 2, /QoS 2/],
    ['Basic Ingest topics', '$aws/rules/#', 1, /not served/],
    ['a shared subscription', '$share/group/tollbridge/charger-1/receipts', 1, /not served/],
    [
      'a filter with more than 7 slashes',
      'tollbridge/charger-1/3/4/5/6/7/8/9',
      1,
      /more than 7 slashes/,
    ],
  ])('to %s ends the connection without a SUBACK', async (_, topic, qos, reason) => {
    const { broker, disconnected } = await startBroker();
    const client = await rawClient(broker.port);
    client.send(connectPacket('charger-1'));
    await client.next();
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
    await expect(client.next()).rejects.toThrow(/ended without a packet/);
    expect(await disconnected('charger-1')).toMatch(reason);
  });

  it('delivers only what iot:Receive allows, even to a filter that is wider', async () => {
    const { broker } = await startBroker();
    const client = await connected(broker.port, 'charger-1');
    await client.subscribeAsync('#', { qos: 1 });
    const own = 'tollbridge/charger-1/receipts';
    const topics = topicsUpTo(client, own);
    for (const topic of ['tollbridge/charger-2/receipts', 'booked/charger-1/charges', own]) {
      await broker.publish({ topic, payload: Buffer.from('{}'), qos: 1 });
    }
    expect(await topics).toEqual([own]);
  });
});

describe('hostile clients', () => {
  const connect = Buffer.from('100f00044d5154540402003c0003616263', 'hex');

  it.each<[string, Buffer]>([
    ['noise', Buffer.from('ff00ff00ff00ff00', 'hex')],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['a packet before CONNECT', Buffer.from('30050003612f6278', 'hex')],
    ['a length that never ends', Buffer.from('10ffffffffff', 'hex')],
    ['CONNECT twice', Buffer.concat([connect, connect])],
    ['a SUBSCRIBE without filters', Buffer.concat([connect, Buffer.from('82020001', 'hex')])],
    ['a PUBLISH on a wildcard', Buffer.concat([connect, Buffer.from('30050003612f2b78', 'hex')])],
  ])('end nothing but their own connection: %s', async (_, bytes) => {
    const { broker } = await startBroker({ policies: [anything] });
    const hostile = await rawClient(broker.port);
    hostile.send(bytes);
    await hostile.ended;
    const client = await connected(broker.port, 'charger-1');
    await client.publishAsync(TOPIC, 'x', { qos: 1 });
    expect(broker.connectedClients()).toEqual(['charger-1']);
  });

  it('may vanish while their message is being accepted', async () => {
    let entered = () => {};
    let release = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const { broker, disconnected } = await startBroker({
      accept: ({ clientId }) => {
        if (clientId !== 'charger-1') return Promise.resolve();
        entered();
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    const client = await rawClient(broker.port);
    client.send(connectPacket('charger-1'));
    await client.next();
    client.send(publishPacket(TOPIC, 1));
    await inside;
    client.socket.resetAndDestroy();
    await disconnected('charger-1');
    release();
    const other = await connected(broker.port, 'charger-2');
    await other.publishAsync('billing/charger-2/charges', 'x', { qos: 1 });
    expect(broker.connectedClients()).toEqual(['charger-2']);
  });
});

describe('the broker', () => {
  it('names the port and the way out when the port is in use', async () => {
    const { broker } = await startBroker();
    await expect(startBroker({ port: broker.port })).rejects.toThrow(
      new RegExp(`Port ${broker.port} .*EADDRINUSE.*another port`),
    );
  });

  it('does not start with a policy that it cannot enforce', async () => {
    const policies = [
      {
        Statement: [
          { Effect: 'Allow', Action: '*', Resource: '*', Condition: { IpAddress: { a: 'b' } } },
        ],
      },
    ] as const;
    await expect(startBroker({ policies })).rejects.toThrow(UnsupportedPolicyError);
  });

  it('ends every connection when it closes, publishes no wills then, and frees its port', async () => {
    const { broker, accepted } = await startBroker();
    const will = { topic: TOPIC, payload: Buffer.from('x'), qos: 1 as const, retain: false };
    const client = await connected(broker.port, 'charger-1', { will });
    const silent = await rawClient(broker.port);
    const ended = new Promise<void>((resolve) => client.once('close', () => resolve()));
    await Promise.all([broker.close(), broker.close()]);
    await Promise.all([ended, silent.ended]);
    expect(accepted).toEqual([]);
    await expect(broker.publish({ topic: 'a', payload: Buffer.alloc(0), qos: 0 })).rejects.toThrow(
      /closing/,
    );
    const again = await startBroker({ port: broker.port });
    expect(again.broker.port).toBe(broker.port);
  });
});
