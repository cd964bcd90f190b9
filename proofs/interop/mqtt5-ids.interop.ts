/**
 * Goal: ids that stand in MQTT 5 properties are found, and marks of forwards travel as user
 * properties. Method: MQTT.js as MQTT 5 through a real Mosquitto.
 */
import mqtt, { type IClientPublishOptions } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../core/config/route.ts';
import { correlationData, topicLevel, userProperty } from '../../core/config/sources.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing, type Thing } from '../../tools/mqtt/thing.ts';
import { type Mosquitto, missing, startMosquitto } from '../../tools/programs.ts';

const skipped = missing('mosquitto');
const shared = { guarantee: 'deduplicated', device: topicLevel(2), window: { hours: 1 } } as const;
const config: Config = {
  routes: {
    tagged: {
      ...shared,
      topic: 'tags/+',
      id: userProperty('message-id'),
      mode: 'mark',
      forward: 'clean/tags/{device}',
    },
    correlated: { ...shared, topic: 'answers/+', id: correlationData() },
  },
};

describe.skipIf(skipped)('an id in MQTT 5 properties', () => {
  let mosquitto: Mosquitto;
  let assembly: string;
  let bridge: TestCloud;
  let thing: Thing;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
    assembly = await assemblyOf(config);
    bridge = await startTestCloud(assembly, {}, { brokerUrl: mosquitto.url });
    thing = await connectThing(bridge.port, 'm-1', { protocolVersion: 5 });
  });
  afterAll(async () => {
    await thing.end();
    await bridge.cloud.close();
    await mosquitto.end();
  });

  async function send(topic: string, properties: IClientPublishOptions['properties']) {
    await thing.client.publishAsync(topic, 'body', { qos: 1, ...(properties && { properties }) });
    return (await thing.nextReceipts()).receipts[0];
  }

  it('is read from a user property, and a copy is forwarded with its mark as one', async () => {
    const subscriber = await mqtt.connectAsync(mosquitto.url, { protocolVersion: 5 });
    const marks: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      subscriber.on('message', (_topic, _payload, { properties }) => {
        marks.push(properties?.userProperties?.duplicate);
        if (marks.length === 2) resolve();
      });
    });
    await subscriber.subscribeAsync('clean/#', { qos: 1 });
    const properties = { userProperties: { 'message-id': 'u-1' } };
    expect(await send('tags/m-1', properties)).toMatchObject({ id: 'u-1', outcome: 'accepted' });
    expect(await send('tags/m-1', properties)).toMatchObject({ id: 'u-1', outcome: 'duplicate' });
    await both;
    expect(marks).toEqual([undefined, 'true']);
    await subscriber.endAsync(true);
  });

  it('is refused when it is missing or there twice', async () => {
    expect(await send('tags/m-1', undefined)).toMatchObject({ reason: 'missing-id' });
    const twice = { userProperties: { 'message-id': ['u-2', 'u-3'] } };
    expect(await send('tags/m-1', twice)).toMatchObject({ reason: 'invalid-id' });
  });

  it('is read from correlation data, whatever bytes it holds', async () => {
    const properties = { correlationData: Buffer.from([0, 255, 7]) };
    const id = properties.correlationData.toString('base64');
    expect(await send('answers/m-1', properties)).toMatchObject({ id, outcome: 'accepted' });
    expect(await send('answers/m-1', properties)).toMatchObject({ id, outcome: 'duplicate' });
  });
});
