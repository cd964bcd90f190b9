import { createServer } from 'node:net';
import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { afterEach, describe, expect, it } from 'vitest';
import { seededChance } from '../../../local/chance.ts';
import type { Chance, CloudEvent } from '../../../local/contracts.ts';
import { type CuttingProxy, createCuttingProxy } from '../../../local/faults/cutting-proxy.ts';
import { packetFrames } from '../../../local/iot/packet-frames.ts';
import {
  anything,
  clientOf,
  closeAll,
  closeLater,
  connected,
  connectPacket,
  publishPacket,
  rawClient,
  startBroker,
  topicsUpTo,
} from '../../../tools/mqtt/broker-ground.ts';

afterEach(closeAll);

const TOPIC = 'billing/charger-1/charges';

/** A chance that answers what it is told to, then always no; it records what it was asked. */
function answers(...given: readonly boolean[]): Chance & { readonly asked: readonly number[] } {
  const asked: number[] = [];
  return {
    asked,
    happens(probability) {
      asked.push(probability);
      return given[asked.length - 1] ?? false;
    },
    below: () => 0,
  };
}

interface ProxyBench {
  readonly proxy: CuttingProxy;
  readonly events: readonly CloudEvent[];
  /** The payloads that the broker has accepted, in order. */
  readonly accepted: () => readonly string[];
}

async function startProxy(chance: Chance, loss = 0.5): Promise<ProxyBench> {
  const { broker, accepted } = await startBroker({ policies: [anything] });
  const events: CloudEvent[] = [];
  const proxy = await createCuttingProxy({
    targetPort: broker.port,
    chance,
    loss,
    observe: (event) => void events.push(event),
  });
  closeLater(() => proxy.close());
  return { proxy, events, accepted: () => accepted.map((each) => each.payload.toString()) };
}

describe('the cutting proxy', () => {
  it('loses the PUBACK of a message that arrived, so that the client sends it again', async () => {
    const { proxy, accepted, events } = await startProxy(answers(true));
    const client = await connected(proxy.port, 'charger-1', { reconnectPeriod: 1 });
    await client.publishAsync(TOPIC, 'one', { qos: 1 });
    expect(accepted()).toEqual(['one', 'one']);
    expect(proxy.cuts()).toBe(1);
    expect(events).toEqual([
      {
        kind: 'disconnect',
        clientId: 'charger-1',
        reason: expect.stringMatching(/^cut by the proxy: PUBACK \d+ is lost$/),
      },
    ]);
  });

  it('loses the PUBLISH itself, so that the message arrives by the second sending alone', async () => {
    const { proxy, accepted, events } = await startProxy(answers(false, true));
    const client = await connected(proxy.port, 'charger-1', { reconnectPeriod: 1 });
    await client.publishAsync(TOPIC, 'one', { qos: 1 });
    expect(accepted()).toEqual(['one']);
    expect(proxy.cuts()).toBe(1);
    expect(events).toMatchObject([{ reason: expect.stringMatching(/PUBLISH \d+ is lost$/) }]);
  });

  it('takes half the chance for a lost PUBLISH, and asks for QoS 1 PUBLISHes alone', async () => {
    const chance = answers();
    const { proxy, accepted } = await startProxy(chance, 0.4);
    const client = await connected(proxy.port, 'charger-1');
    await client.subscribeAsync('status/#', { qos: 1 });
    await client.publishAsync('status/charger-1', 'zero', { qos: 0 });
    await client.publishAsync(TOPIC, 'one', { qos: 1 });
    expect(accepted()).toEqual(['zero', 'one']);
    expect(chance.asked).toEqual([0.4, 0.2]);
    expect(proxy.cuts()).toBe(0);
  });

  it('lets no PUBACK through that it chose to lose, nor anything after it', async () => {
    const { proxy, accepted } = await startProxy(answers(false, false, true));
    const client = await rawClient(proxy.port);
    client.send(connectPacket('charger-1'));
    await client.next();
    client.send(publishPacket(TOPIC, 1, 'one'), publishPacket(TOPIC, 2, 'two'));
    expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 1 });
    await expect(client.next()).rejects.toThrow(/ended without a packet/);
    expect(accepted()).toEqual(['one', 'two']);
  });

  it('passes packets that come byte by byte, and many packets in one chunk', async () => {
    const { proxy, accepted } = await startProxy(answers());
    const client = await rawClient(proxy.port);
    const first = Buffer.concat(
      [connectPacket('charger-1'), publishPacket(TOPIC, 1, 'one')].map((each) =>
        mqttPacket.generate(each),
      ),
    );
    for (const byte of first) client.send(Buffer.from([byte]));
    expect(await client.next()).toMatchObject({ cmd: 'connack', returnCode: 0 });
    expect(await client.next()).toMatchObject({ cmd: 'puback', messageId: 1 });
    client.send(...[2, 3, 4, 5].map((id) => publishPacket(TOPIC, id, `${id}`)));
    for (const messageId of [2, 3, 4, 5]) {
      expect(await client.next()).toMatchObject({ cmd: 'puback', messageId });
    }
    expect(accepted()).toEqual(['one', '2', '3', '4', '5']);
  });

  it('passes large messages unchanged in both directions', async () => {
    const { proxy } = await startProxy(answers());
    const client = await connected(proxy.port, 'charger-1');
    await client.subscribeAsync('echo', { qos: 1 });
    const payload = Buffer.from(Array.from({ length: 131_072 }, (_, index) => index % 251));
    const echo = new Promise<Buffer>((resolve) => {
      client.once('message', (_, received) => resolve(received));
    });
    await client.publishAsync('echo', payload, { qos: 1 });
    expect(payload.equals(await echo)).toBe(true);
  });

  it('lets every message arrive in the end, some of them twice', async () => {
    const { proxy, accepted } = await startProxy(seededChance(11), 0.3);
    const client = await connected(proxy.port, 'charger-1', { reconnectPeriod: 1 });
    const sent = Array.from({ length: 40 }, (_, index) => `message ${index}`);
    for (const payload of sent) await client.publishAsync(TOPIC, payload, { qos: 1 });
    expect([...new Set(accepted())]).toEqual(sent);
    expect(accepted().length).toBeGreaterThan(sent.length);
    expect(proxy.cuts()).toBeGreaterThan(5);
  });

  it('ends a connection that is no MQTT and serves the others', async () => {
    const { proxy } = await startProxy(answers());
    const hostile = await rawClient(proxy.port);
    hostile.send(Buffer.from('ffffffffffffffff', 'hex'));
    await hostile.ended;
    const client = await connected(proxy.port, 'charger-1');
    await client.publishAsync(TOPIC, 'one', { qos: 1 });
    expect(proxy.cuts()).toBe(0);
  });

  it('ends the client when no broker listens', async () => {
    const unused = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => unused.once('listening', resolve));
    const address = unused.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    await new Promise((resolve) => unused.close(resolve));
    const proxy = await createCuttingProxy({
      targetPort: address.port,
      chance: answers(),
      loss: 0,
    });
    closeLater(() => proxy.close());
    const client = await rawClient(proxy.port);
    await client.ended;
    expect(proxy.cuts()).toBe(0);
  });

  it('ends both sides when either of them ends, and everything when it closes', async () => {
    const { broker, disconnected } = await startBroker({ policies: [anything] });
    const proxy = await createCuttingProxy({ targetPort: broker.port, chance: answers(), loss: 0 });
    closeLater(() => proxy.close());
    const vanishing = await rawClient(proxy.port);
    vanishing.send(connectPacket('vanishing'));
    await vanishing.next();
    vanishing.socket.resetAndDestroy();
    await disconnected('vanishing');
    const staying = await rawClient(proxy.port);
    staying.send(connectPacket('staying'));
    await staying.next();
    await Promise.all([proxy.close(), proxy.close()]);
    await staying.ended;
    await disconnected('staying');
    expect(broker.connectedClients()).toEqual([]);
  });

  it('passes messages to a client whose PUBACKs it cuts', async () => {
    const { broker } = await startBroker({ policies: [anything] });
    const proxy = await createCuttingProxy({
      targetPort: broker.port,
      chance: answers(true),
      loss: 0.5,
    });
    closeLater(() => proxy.close());
    const client = clientOf(proxy.port, 'charger-1', { clean: false, reconnectPeriod: 1 });
    await client.subscribeAsync('tollbridge/charger-1/receipts', { qos: 1 });
    const received = topicsUpTo(client, 'tollbridge/charger-1/receipts');
    await client.publishAsync(TOPIC, 'one', { qos: 1 });
    await broker.publish({
      topic: 'tollbridge/charger-1/receipts',
      payload: Buffer.from('{}'),
      qos: 1,
    });
    expect(await received).toHaveLength(1);
    expect(proxy.cuts()).toBe(1);
  });

  it.each([-0.1, 1.1, Number.NaN])('refuses the loss %d', async (loss) => {
    const make = createCuttingProxy({ targetPort: 1, chance: answers(), loss });
    await expect(make).rejects.toThrow(/from 0 to 1/);
  });
});

describe('packet frames', () => {
  it('are the same however the stream is cut, and lose no byte', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 8 });
    const cuts = fc.array(fc.nat({ max: 2_500 }), { maxLength: 20 });
    fc.assert(
      fc.property(sizes, cuts, (payloads, positions) => {
        const packets = payloads.map((size, index) =>
          mqttPacket.generate(publishPacket('a', index + 1, 'x'.repeat(size))),
        );
        const stream = Buffer.concat(packets);
        const ends = [...positions, stream.length].sort((one, other) => one - other);
        const frames = packetFrames();
        let start = 0;
        const found = ends.flatMap((end) => {
          const chunk = stream.subarray(start, end);
          start = Math.max(start, Math.min(end, stream.length));
          return frames.push(chunk);
        });
        expect(found.map((each) => each.toString('hex'))).toEqual(
          packets.map((each) => each.toString('hex')),
        );
      }),
    );
  });
});
