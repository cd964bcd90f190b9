import type { IClientOptions } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { noFaults } from '../../../local/contracts.ts';
import { principalOf } from '../../../local/iot/connection-rules.ts';
import {
  anything,
  clientOf,
  closeAll,
  connected,
  connectPacket,
  nextMessage,
  publishPacket,
  rawClient,
  startBroker,
  topicsUpTo,
} from '../../../tools/mqtt/broker-ground.ts';

afterEach(closeAll);

const TOPIC = 'billing/charger-1/charges';

describe('publishing', () => {
  it('gives the rules engine the message with its client, principal and time', async () => {
    const { broker, accepted } = await startBroker({ clock: () => epochMillis(1_234) });
    const client = await connected(broker.port, 'charger-1');
    const payload = Buffer.from([0, 1, 255]);
    await client.publishAsync(TOPIC, payload, { qos: 1 });
    expect(accepted).toEqual([
      {
        topic: TOPIC,
        payload,
        clientId: 'charger-1',
        principal: principalOf('charger-1'),
        receivedAt: 1_234,
      },
    ]);
    expect(principalOf('charger-1')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is acknowledged only after the rules engine has taken the message', async () => {
    const order: string[] = [];
    let release = () => {};
    const { broker } = await startBroker({
      accept: async ({ payload }) => {
        if (payload.toString() !== 'first') return;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        order.push('taken');
      },
    });
    const client = await rawClient(broker.port);
    client.send(connectPacket('charger-1'));
    await client.next();
    client.send(publishPacket(TOPIC, 1, 'first'), publishPacket(TOPIC, 2, 'second'));
    // The PUBACK of the second message shows that the broker has read both.
    expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 2 });
    release();
    expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 1 });
    expect(order).toEqual(['taken']);
  });

  it('is not acknowledged when the rules engine does not take the message', async () => {
    const { broker, disconnected } = await startBroker({
      accept: async () => {
        throw new Error('the engine is down');
      },
    });
    const client = await rawClient(broker.port);
    client.send(connectPacket('charger-1'));
    await client.next();
    client.send(publishPacket(TOPIC, 1));
    await expect(client.next()).rejects.toThrow(/ended without a packet/);
    expect(await disconnected('charger-1')).toContain('the engine is down');
  });

  it('reaches the subscribers that may receive it, and no others', async () => {
    const { broker } = await startBroker({ policies: [anything] });
    const near = await connected(broker.port, 'near');
    await near.subscribeAsync('billing/+/charges', { qos: 1 });
    const far = await connected(broker.port, 'far');
    await far.subscribeAsync('status/#', { qos: 1 });
    const nearTopics = topicsUpTo(near, TOPIC);
    const farTopics = topicsUpTo(far, 'status/end');
    await near.publishAsync(TOPIC, 'x', { qos: 1 });
    await near.publishAsync('status/end', 'x', { qos: 1 });
    expect(await nearTopics).toEqual([TOPIC]);
    expect(await farTopics).toEqual(['status/end']);
  });

  it.each<
    [string, string, IClientOptions, { qos?: 0 | 1 | 2; retain?: boolean; bytes?: number }, RegExp]
  >([
    ['QoS 2', TOPIC, {}, { qos: 2 }, /QoS 2/],
    [
      'a topic of another device',
      'billing/charger-2/charges',
      {},
      {},
      /iot:Publish on topic\/billing\/charger-2/,
    ],
    ['retain without iot:RetainPublish', TOPIC, {}, { retain: true }, /iot:RetainPublish/],
    ['a payload over 128 KB', TOPIC, {}, { bytes: 131_073 }, /131073 bytes; at most 131072/],
    [
      'a topic over 256 bytes',
      `billing/charger-1/${'é'.repeat(120)}`,
      {},
      {},
      /longer than 256 bytes/,
    ],
    ['more than 7 slashes', 'billing/charger-1/3/4/5/6/7/8/9', {}, {}, /more than 7 slashes/],
    ['a reserved topic', '$aws/things/charger-1/shadow/update', {}, {}, /reserved topic/],
    [
      'another rule than the policy names',
      '$aws/rules/R/billing/charger-2/charges',
      {},
      {},
      /iot:Publish/,
    ],
    ['Basic Ingest without a topic', '$aws/rules/R', {}, {}, /it is empty/],
  ])('ends the connection for %s', async (_, topic, options, sent, reason) => {
    const { broker, accepted, disconnected } = await startBroker();
    const client = await connected(broker.port, 'charger-1', options);
    const { qos = 1, retain = false, bytes = 1 } = sent;
    client.publish(topic, Buffer.alloc(bytes), { qos, retain });
    expect(await disconnected('charger-1')).toMatch(reason);
    expect(accepted).toEqual([]);
    expect(broker.connectedClients()).toEqual([]);
  });

  it.each<[string, string, number]>([
    ['a payload of exactly 128 KB', TOPIC, 131_072],
    ['a topic of exactly 256 bytes', `billing/charger-1/${'a'.repeat(238)}`, 1],
    ['exactly 7 slashes', 'billing/charger-1/3/4/5/6/7/8', 1],
    [
      'the same behind a Basic Ingest prefix',
      '$aws/rules/Charges/billing/charger-1/3/4/5/6/7/8',
      1,
    ],
    [
      '256 bytes behind a Basic Ingest prefix',
      `$aws/rules/Charges/billing/charger-1/${'a'.repeat(238)}`,
      1,
    ],
  ])('is accepted with %s', async (_, topic, bytes) => {
    const { broker, accepted } = await startBroker();
    const client = await connected(broker.port, 'charger-1');
    await client.publishAsync(topic, Buffer.alloc(bytes), { qos: 1 });
    expect(accepted.map((message) => message.topic)).toEqual([topic]);
  });

  it('keeps what a client retains when the policy allows it', async () => {
    const { broker } = await startBroker({ policies: [anything] });
    const client = await connected(broker.port, 'charger-1');
    await client.publishAsync('status/charger-1', 'on', { qos: 1, retain: true });
    const late = await connected(broker.port, 'late');
    const message = nextMessage(late);
    await late.subscribeAsync('status/charger-1', { qos: 1 });
    expect((await message).payload.toString()).toBe('on');
  });

  it('over Basic Ingest goes to the rules engine and to no subscriber, not even a later one', async () => {
    const { broker, accepted } = await startBroker({ policies: [anything] });
    const topic = '$aws/rules/Charges/billing/charger-1/charges';
    const offline = await connected(broker.port, 'offline', { clean: false });
    await offline.subscribeAsync('#', { qos: 1 });
    await offline.endAsync();
    const online = await connected(broker.port, 'online');
    await online.subscribeAsync('#', { qos: 1 });
    const seenOnline = topicsUpTo(online, 'end');
    const device = await connected(broker.port, 'charger-1');
    await device.publishAsync(topic, 'x', { qos: 1, retain: true });
    await device.publishAsync('end', 'x', { qos: 1 });
    expect(accepted.map((message) => message.topic)).toEqual([topic, 'end']);
    expect(await seenOnline).toEqual(['end']);
    const returned = clientOf(broker.port, 'offline', { clean: false });
    expect(await topicsUpTo(returned, 'end')).toEqual(['end']);
  });
});

describe("the bridge's own publication", () => {
  const receipts = 'tollbridge/charger-1/receipts';
  const payload = Buffer.from('{"v":1}');

  it('reaches the device and the rules engine, where it has no client id', async () => {
    const { broker, accepted, events } = await startBroker();
    const client = await connected(broker.port, 'charger-1');
    await client.subscribeAsync(receipts, { qos: 1 });
    const message = nextMessage(client);
    await broker.publish({ topic: receipts, payload, qos: 0 });
    expect(await message).toEqual({ topic: receipts, payload });
    expect(accepted).toMatchObject([
      { topic: receipts, clientId: undefined, principal: undefined },
    ]);
    expect(events).toContainEqual({ kind: 'published', topic: receipts, payload, qos: 0 });
  });

  it('waits for a device that is away with a persistent session', async () => {
    const { broker } = await startBroker();
    const before = await connected(broker.port, 'charger-1', { clean: false });
    await before.subscribeAsync(receipts, { qos: 1 });
    await before.endAsync();
    await broker.publish({ topic: receipts, payload, qos: 1 });
    const after = clientOf(broker.port, 'charger-1', { clean: false });
    expect((await nextMessage(after)).topic).toBe(receipts);
  });

  it('is refused on reserved topics, wildcards and beyond the limits', async () => {
    const { broker, accepted } = await startBroker();
    for (const topic of ['$aws/things/a/shadow/update', 'a/+', '', 'a/2/3/4/5/6/7/8/9']) {
      await expect(broker.publish({ topic, payload, qos: 0 })).rejects.toThrow(/refused/);
    }
    const large = Buffer.alloc(131_073);
    await expect(broker.publish({ topic: 'a', payload: large, qos: 0 })).rejects.toThrow(/131073/);
    expect(accepted).toEqual([]);
  });

  it('is taken and lost under the fault drop', async () => {
    let drop = 1;
    const { broker, accepted, events } = await startBroker({
      faults: () => ({ ...noFaults, drop }),
    });
    const client = await connected(broker.port, 'charger-1');
    await client.subscribeAsync(receipts, { qos: 1 });
    const message = nextMessage(client);
    await broker.publish({ topic: receipts, payload, qos: 1 });
    expect(events).toContainEqual({ kind: 'fault', fault: 'drop', where: receipts });
    expect(accepted).toEqual([]);
    drop = 0;
    await broker.publish({ topic: receipts, payload: Buffer.from('second'), qos: 1 });
    expect((await message).payload.toString()).toBe('second');
  });
});
