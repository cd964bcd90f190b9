import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { noFaults } from '../../../local/contracts.ts';
import { listenOn } from '../../../local/listen.ts';
import { closeAll, startBroker } from '../../../tools/mqtt/broker-ground.ts';
import type { FakeBrokerAnswers } from './fake-mqtt5-broker.ts';
import {
  attachTo,
  fakeBroker,
  gate,
  message,
  NOW,
  start,
  TOPIC,
} from './outside-broker-fixture.ts';

afterEach(closeAll);

/** What keeps a broker from being used, what it answers then, and what is said of it. */
const unfit: readonly (readonly [string, Partial<FakeBrokerAnswers>, RegExp])[] = [
  ['takes no QoS 1', { connack: { properties: { maximumQoS: 0 } } }, /takes no QoS 1/],
  ['grants QoS 0 only', { granted: () => 0 }, /grants QoS 0 on billing/],
  ['refuses a filter', { granted: () => 0x87 }, /refuses a subscription to billing.*Not auth/i],
  ['has MQTT 3.1.1 only, and says so', { connack: { reasonCode: 0x84 } }, /not speak MQTT 5/],
  ['refuses the client', { connack: { reasonCode: 0x87 } }, /cannot be connected to.*Not auth/i],
];

describe('the connection to an outside broker', () => {
  it('speaks MQTT 5 and keeps a session under a fixed name', async () => {
    const { fake, broker } = await start();
    expect(await fake.received('connect')).toMatchObject({
      protocolVersion: 5,
      clientId: 'tollbridge-local-cloud',
      clean: false,
      properties: { sessionExpiryInterval: 604_800 },
    });
    expect(broker.port).toBe(fake.port);
  });

  it('subscribes at QoS 1 to what the rules listen to, once each, and to Basic Ingest', async () => {
    const { fake } = await start({ filters: ['a/+', 'b/#', 'a/+'] });
    const subscriptions = fake
      .packets()
      .flatMap((packet) => (packet.cmd === 'subscribe' ? packet.subscriptions : []));
    expect(subscriptions).toMatchObject(
      ['a/+', 'b/#', '$aws/rules/#'].map((topic) => ({ topic, qos: 1, rh: 2, nl: false })),
    );
  });

  it('works without Basic Ingest where the broker refuses it', async () => {
    const granted = (filter: string) => (filter.startsWith('$') ? 0x87 : 1);
    const { broker } = await attachTo(await fakeBroker({ granted }));
    expect(broker.basicIngest).toBe(false);
  });

  it.each(unfit)('does not begin with a broker that %s', async (_, answers, reason) => {
    await expect(attachTo(await fakeBroker(answers))).rejects.toThrow(reason);
  });

  it('names the cure for aedes, which is MQTT 3.1.1', async () => {
    const { broker } = await startBroker();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    await expect(attachTo(await fakeBroker(), { url })).rejects.toThrow(/not speak MQTT 5.*--brok/);
  });

  it('says that nothing listens, and keeps the password to itself', async () => {
    const server = createServer();
    const port = await listenOn(server, 0, '127.0.0.1');
    await new Promise((resolve) => server.close(resolve));
    const url = `mqtt://someone:secret@127.0.0.1:${port}`;
    const error: Error = await attachTo(await fakeBroker(), { url }).catch((cause) => cause);
    expect(error.message).toBe(
      `Nothing listens on mqtt://127.0.0.1:${port}. Bring the broker up first, or name another with --broker.`,
    );
  });

  it.each(['http://127.0.0.1:1883', 'mqtt://', 'nonsense'])(
    'refuses the address %s',
    async (url) => {
      await expect(attachTo(await fakeBroker(), { url })).rejects.toThrow(/mqtt:\/\/host:port/);
    },
  );

  it('stays off when another client takes its session over, and says so', async () => {
    const { fake, broker, told } = await start();
    fake.send({ cmd: 'disconnect', reasonCode: 0x8e });
    expect((await told('disconnect')).reason).toMatch(/second local cloud/);
    const publication = { topic: 'a', payload: Buffer.from(''), qos: 0 as const };
    await expect(broker.publish(publication)).rejects.toThrow(/taken the session over/);
  });

  it('comes back and subscribes again when the broker has lost the session', async () => {
    const { fake, events } = await start();
    fake.cut();
    const again = await fake.received('subscribe', 1);
    expect(again.subscriptions).toMatchObject([{ topic: 'billing/+/charges', qos: 1, rh: 2 }]);
    expect(events).toMatchObject([
      { kind: 'disconnect', reason: expect.stringContaining('trying again') },
      { kind: 'disconnect', reason: expect.stringContaining('lost the session') },
    ]);
  });
});

describe('a message from an outside broker', () => {
  it('is acknowledged when it has been accepted, and not before', async () => {
    const step = gate();
    const { fake, broker } = await start({ accept: step.pass });
    fake.send(message());
    await step.arrived;
    // An early PUBACK would have gone out before this.
    await broker.publish({ topic: 'a', payload: Buffer.from(''), qos: 0 });
    await fake.received('publish');
    expect(fake.packets().some(({ cmd }) => cmd === 'puback')).toBe(false);
    step.open();
    expect(await fake.received('puback')).toMatchObject({ messageId: 7, reasonCode: 0 });
  });

  it('brings its user properties, its correlation data and its bytes as they were sent', async () => {
    const { fake, accepted } = await start();
    const payload = Buffer.from([0, 255, 1]);
    const properties = {
      userProperties: { id: 'a-1', trace: ['x', 'y'], empty: '' },
      correlationData: Buffer.from([1, 2, 254]),
    };
    fake.send(message({ payload, properties }));
    await fake.received('puback');
    expect(accepted).toEqual([
      {
        topic: TOPIC,
        payload,
        clientId: 'meter-17',
        principal: undefined,
        receivedAt: NOW,
        userProperties: [
          ['id', 'a-1'],
          ['trace', 'x'],
          ['trace', 'y'],
          ['empty', ''],
        ],
        correlationData: Buffer.from([1, 2, 254]),
      },
    ]);
  });

  it('is from the device that its topic names, also through Basic Ingest; else from nobody', async () => {
    const deviceLevelOf = (topic: string) => (topic.endsWith('unknown') ? undefined : 2);
    const { fake, accepted } = await start({ deviceLevelOf });
    const topics = [TOPIC, `$aws/rules/tollbridge_charges/${TOPIC}`, 'billing/meter-17/unknown'];
    fake.send(...topics.map((topic, index) => message({ topic, messageId: index + 1 })));
    await fake.received('puback', 0, ({ messageId }) => messageId === 3);
    expect(accepted.map(({ topic, clientId }) => [topic, clientId])).toEqual([
      [topics[0], 'meter-17'],
      [topics[1], 'meter-17'],
      [topics[2], undefined],
    ]);
  });

  it('is taken at QoS 0 as well, without an acknowledgement', async () => {
    const { fake, accepted } = await start();
    fake.send(message({ qos: 0, messageId: 0 }), message({ messageId: 2 }));
    await fake.received('puback');
    expect(accepted).toHaveLength(2);
    expect(fake.packets().filter(({ cmd }) => cmd === 'puback')).toHaveLength(1);
  });

  it('is not acknowledged when it was not accepted: the broker gives it again', async () => {
    let calls = 0;
    const accept = async () => {
      calls += 1;
      if (calls === 1) throw new Error('no room');
    };
    const { fake, told } = await start({ accept });
    fake.answers = { ...fake.answers, connack: { sessionPresent: true } };
    fake.send(message());
    expect((await told('disconnect')).reason).toMatch(/not taken over: Error: no room/);
    await fake.received('connect', 1);
    fake.send(message({ dup: true }));
    await fake.received('puback', 1);
    expect(fake.packets(0).some(({ cmd }) => cmd === 'puback')).toBe(false);
  });

  it('is never acknowledged on a later connection, where its number may be of another', async () => {
    const step = gate();
    let calls = 0;
    const accept = async () => {
      calls += 1;
      if (calls === 1) await step.pass();
    };
    const { fake } = await start({ accept });
    fake.answers = { ...fake.answers, connack: { sessionPresent: true } };
    fake.send(message({ messageId: 7 }));
    await step.arrived;
    fake.cut();
    await fake.received('connect', 1);
    step.open();
    fake.send(message({ messageId: 8 }));
    await fake.received('puback', 1);
    const numbers = fake.packets(1).map((packet) => packet.cmd === 'puback' && packet.messageId);
    expect(numbers.filter(Boolean)).toEqual([8]);
  });

  it('is told as lost when IoT Core would never have taken it', async () => {
    const { fake, accepted, told } = await start();
    fake.send(message({ topic: 'billing/a/b/c/d/e/f/g/charges' }));
    expect((await told('lost')).reason).toMatch(/IoT Core refuses.*more than 7 slashes/);
    await fake.received('puback');
    expect(accepted).toEqual([]);
  });

  it('is left with the broker once the cloud is closing', async () => {
    const step = gate();
    const { fake, broker } = await start({ accept: step.pass });
    fake.send(message({ messageId: 1 }), message({ messageId: 2 }));
    await step.arrived;
    const closed = broker.close();
    step.open();
    await closed;
    await fake.received('disconnect');
    const numbers = fake.packets().map((packet) => packet.cmd === 'puback' && packet.messageId);
    expect(numbers.filter(Boolean)).toEqual([1]);
  });
});

describe("the bridge's publication on an outside broker", () => {
  const publication = {
    topic: 'booked/meter-17/charges',
    payload: Buffer.from('{}'),
    qos: 1 as const,
    userProperties: [
      ['tollbridge-id', 'charges/meter-17/a-1'],
      ['x', '1'],
      ['x', '2'],
    ] as const,
  };

  it('carries its user properties, and is told when the broker has taken it', async () => {
    const { fake, broker, accepted, events } = await start();
    await broker.publish(publication);
    const { topic, qos, properties } = await fake.received('publish');
    expect([topic, qos]).toEqual([publication.topic, 1]);
    expect(JSON.parse(JSON.stringify(properties?.userProperties))).toEqual({
      'tollbridge-id': 'charges/meter-17/a-1',
      x: ['1', '2'],
    });
    expect(events).toMatchObject([{ kind: 'published', topic: publication.topic, qos: 1 }]);
    // What a rule listens to comes back by subscription; feeding it here would make two of it.
    expect(accepted).toEqual([]);
  });

  it('fails when the broker refuses it, when IoT Core would, and while nobody is there', async () => {
    const { fake, broker, told } = await attachTo(await fakeBroker({ puback: () => 0x87 }));
    await expect(broker.publish(publication)).rejects.toThrow(/Not authorized/);
    const long = { ...publication, topic: 'a/b/c/d/e/f/g/h/i' };
    await expect(broker.publish(long)).rejects.toThrow(/more than 7 slashes/);
    fake.cut();
    await told('disconnect');
    await expect(broker.publish(publication)).rejects.toThrow(/not connected/);
    await broker.close();
    await expect(broker.publish(publication)).rejects.toThrow(/closing/);
  });

  it('is lost on the way when that fault is switched on', async () => {
    const { fake, broker, events } = await start({ faults: () => ({ ...noFaults, drop: 1 }) });
    await broker.publish(publication);
    expect(events).toEqual([{ kind: 'fault', fault: 'drop', where: publication.topic }]);
    expect(fake.packets().some(({ cmd }) => cmd === 'publish')).toBe(false);
  });

  it('does not keep the cloud from closing when the broker never answers it', async () => {
    const { fake, broker } = await attachTo(await fakeBroker({ puback: () => undefined }));
    const published = broker.publish(publication);
    published.catch(() => undefined);
    await fake.received('publish');
    await broker.close();
    expect(broker.connectedClients()).toEqual([]);
  });
});
