/**
 * Goal: each message that the bridge forwards reaches the handler once. Method: the package on real
 * brokers, with copies, cut connections, restarts, and the whole bridge behind one of them.
 */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidOptionsError } from '../../../device/errors.ts';
import { type ConnectOptions, connect, type Device } from '../../../device/index.ts';
import type { Handler, ReceiveOptions, ReceiverEvent } from '../../../device/receiver/types.ts';
import config from '../../../tollbridge.config.ts';
import { assemblyOf } from '../../../tools/clouds/assembly.ts';
import { REDELIVERING_SOON, startTestCloud } from '../../../tools/clouds/cloud.ts';
import { startFakeBroker } from '../../local/iot/fake-mqtt5-broker.ts';
import { newOutbox } from '../folders.ts';
import { startPlainBroker } from '../plain-broker.ts';
import { inbound, textOf } from './receiver-fixture.ts';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function plainBroker() {
  const broker = await startPlainBroker();
  ends.push(() => broker.close());
  return broker;
}

async function consumer(port: number, options: Partial<ConnectOptions> = {}): Promise<Device> {
  const device = await connect({
    url: `mqtt://127.0.0.1:${port}`,
    deviceId: 'backend',
    outbox: newOutbox(),
    routes: {},
    persistentSession: true,
    reconnect: { firstMillis: 5, maxMillis: 5 },
    ...options,
  });
  ends.push(() => device.close());
  return device;
}

/** Receives, and tells of what happens as it happens. */
function watched(device: Device, handler: Handler = () => {}, options: ReceiveOptions = {}) {
  const texts: string[] = [];
  const events: ReceiverEvent[] = [];
  const waiting = new Set<() => void>();
  const receiver = device.receive(
    'booked/+/charges',
    (message) => {
      texts.push(textOf(message));
      for (const look of waiting) look();
      return handler(message);
    },
    {
      ...options,
      onEvent: (event) => {
        events.push(event);
        for (const look of waiting) look();
      },
    },
  );
  const until = (isThere: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (isThere()) resolve();
      };
      waiting.add(look);
      look();
    });
  const count = (kind: ReceiverEvent['kind']) =>
    events.filter((event) => event.kind === kind).length;
  return { receiver, texts, until, count };
}

describe('a receiver', () => {
  it('gets once what is delivered again after a cut connection, also while its handler runs', async () => {
    const broker = await plainBroker();
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    let connections = 0;
    const device = await consumer(broker.port, { on: { connected: () => ++connections } });
    // Whatever fails before: a device waits for its handlers when it is closed.
    ends.push(async () => open());
    const got = watched(device, () => opened);
    await got.receiver.ready;
    await broker.publish(inbound('a'));
    await got.until(() => got.texts.length === 1);
    broker.cut();
    // The connection ended before the PUBACK, so the session delivers it a second time.
    await got.until(() => got.count('subscribed') === 2);
    expect(broker.acknowledged).toBe(0);
    open();
    await got.until(() => got.count('copy') === 1);
    await broker.publish(inbound('b'));
    await got.until(() => got.texts.length === 2);
    expect([got.texts, connections]).toEqual([['a', 'b'], 2]);
  });

  it('gets at its next start what was forwarded while it was away', async () => {
    const broker = await plainBroker();
    const outbox = newOutbox();
    const first = await consumer(broker.port, { outbox });
    const before = watched(first);
    await before.receiver.ready;
    await broker.publish(inbound('a'));
    await before.until(() => before.count('handled') === 1);
    await first.close();
    await broker.publish(inbound('b'));
    await broker.publish(inbound('a'));
    const after = watched(await consumer(broker.port, { outbox }));
    await after.until(() => after.count('handled') + after.count('copy') === 2);
    expect(after.texts).toEqual(['b']);
  });

  it('ends after its handlers when the device is closed, and what they did is acknowledged', async () => {
    const broker = await plainBroker();
    const outbox = newOutbox();
    const device = await consumer(broker.port, { outbox });
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const got = watched(device, () => finished);
    await got.receiver.ready;
    await broker.publish(inbound('a'));
    await got.until(() => got.texts.length === 1);
    const closing = device.close();
    finish();
    await closing;
    expect(got.count('handled')).toBe(1);
    const again = watched(await consumer(broker.port, { outbox }));
    await again.receiver.ready;
    await broker.publish(inbound('b'));
    await again.until(() => again.count('handled') === 1);
    expect(again.texts).toEqual(['b']);
  });

  it('gets nothing any more once it has unsubscribed, and its name is free again', async () => {
    const broker = await plainBroker();
    const device = await consumer(broker.port);
    const got = watched(device);
    await got.receiver.ready;
    expect(() => watched(device)).toThrow(/named "booked\/\+\/charges" is at work/);
    await got.receiver.unsubscribe();
    await broker.publish(inbound('a'));
    const next = watched(device);
    await next.receiver.ready;
    await broker.publish(inbound('b'));
    await next.until(() => next.count('handled') === 1);
    expect([got.texts, next.texts]).toEqual([[], ['b']]);
  });

  it('is refused at QoS 1 on a session that the broker does not keep', async () => {
    const broker = await plainBroker();
    const device = await consumer(broker.port, {
      persistentSession: false,
      routes: { charges: { topic: 'billing/backend/charges', idField: 'id' } },
    });
    expect(() => watched(device)).toThrow(InvalidOptionsError);
    const got = watched(device, undefined, { qos: 0 });
    await got.receiver.ready;
    await broker.publish({ ...inbound('a'), qos: 0 });
    await got.until(() => got.count('handled') === 1);
  });

  it('takes the id from the user property over MQTT 5, and acknowledges when the mark is on disk', async () => {
    const broker = await startFakeBroker();
    ends.push(() => broker.close());
    const device = await consumer(broker.port, { mqttVersion: '5' });
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const got = watched(device, () => opened);
    await got.receiver.ready;
    const forward = {
      cmd: 'publish',
      topic: 'booked/m/charges',
      payload: 'no envelope',
      qos: 1,
      retain: false,
      properties: { userProperties: { 'tollbridge-id': 'charges#m#a' } },
    } as const;
    broker.send({ ...forward, messageId: 7, dup: false });
    broker.send({ ...forward, messageId: 8, dup: true });
    await got.until(() => got.texts.length === 1);
    expect(broker.packets(0).filter(({ cmd }) => cmd === 'puback')).toEqual([]);
    open();
    await broker.received('puback', 0, ({ messageId }) => messageId === 7);
    await broker.received('puback', 0, ({ messageId }) => messageId === 8);
    expect([got.texts, got.count('copy')]).toEqual([['no envelope'], 1]);
    expect((await broker.received('connect')).clean).toBe(false);
  });
});

describe('a backend behind the whole bridge', () => {
  it('handles each booking once, in the face of repeated deliveries and forwards', async () => {
    const { charges } = config.routes;
    if (charges === undefined) throw new Error('the configuration has no route charges');
    const assembly = mkdtempSync(join(tmpdir(), 'tollbridge-receiver-'));
    cpSync(await assemblyOf({ routes: { charges } }), assembly, { recursive: true });
    allowConsumer(assembly);
    const faults = { duplicate: 0.5, crashAfterWrite: 0.05 };
    const { cloud, port, rows } = await startTestCloud(assembly, faults, REDELIVERING_SOON);
    ends.push(() => cloud.close());
    const got = watched(await consumer(port));
    await got.receiver.ready;
    const device = await consumer(port, {
      deviceId: 'meter-17',
      routes: { charges: { topic: 'billing/meter-17/charges', idField: 'id' } },
    });
    const at = new Date().toISOString();
    const texts = Array.from({ length: 25 }, (_, n) => `charge ${n}`);
    await Promise.all(
      texts.map((text) => device.publish('charges', { account: 'acme', kWh: '1.5', at, text })),
    );
    await got.until(() => got.count('handled') === texts.length);
    await cloud.idle();
    expect([...got.texts].sort()).toEqual([...texts].sort());
    expect(await rows('Ledger')).toHaveLength(texts.length);
  }, 60_000);
});

/** Adds the policy of device/RECEIVER.md: the embedded broker gives it to every client. */
function allowConsumer(assembly: string): void {
  const file = join(assembly, 'Tollbridge-Ingest.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as { Resources: object };
  const arn = (resource: string) => ({
    'Fn::Join': ['', ['arn:aws:iot:', REGION, ':', ACCOUNT, `:${resource}`]],
  });
  const allow = (action: string, resource: string) => ({
    Effect: 'Allow',
    Action: action,
    Resource: [arn(resource)],
  });
  const statements = [
    allow('iot:Subscribe', 'topicfilter/booked/+/charges'),
    allow('iot:Receive', 'topic/booked/*/charges'),
  ];
  const document = { Version: '2012-10-17', Statement: statements };
  const policy = { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: document } };
  template.Resources = { ...template.Resources, ConsumerPolicy: policy };
  writeFileSync(file, JSON.stringify(template));
}

const REGION = { Ref: 'AWS::Region' };
const ACCOUNT = { Ref: 'AWS::AccountId' };
