/** The local cloud behind a real broker of somebody else's, which speaks MQTT 5. */
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import mqtt, { type MqttClient } from 'mqtt';
import type { IPublishPacket } from 'mqtt-packet';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { localDynamoDB } from '../../cli/access/local-tables.ts';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing, type Thing } from '../../tools/mqtt/thing.ts';
import {
  freePort,
  type Mosquitto,
  missing,
  type Program,
  run,
  startMosquitto,
  startTollbridge,
} from '../../tools/programs.ts';

const skipped = missing('mosquitto');

let assembly: string;
beforeAll(async () => {
  assembly = await assemblyOf(config);
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const topicOf = (device: string) => `billing/${device}/charges`;
const charge = (id: string) =>
  `{"id":"${id}","account":"acme","kWh":1.25,"at":"${new Date().toISOString()}"}`;

async function thingOf(port: number, name: string): Promise<Thing> {
  const thing = await connectThing(port, name, { protocolVersion: 5 });
  closing.push(() => thing.end());
  return thing;
}

describe.skipIf(skipped)('the local cloud behind Mosquitto', () => {
  let mosquitto: Mosquitto;
  beforeEach(async () => {
    mosquitto = await startMosquitto();
    closing.push(() => mosquitto.end());
  });

  async function startBehind(
    options: Parameters<typeof startTestCloud>[2] = {},
  ): Promise<TestCloud> {
    const bridge = await startTestCloud(assembly, {}, { ...options, brokerUrl: mosquitto.url });
    closing.push(() => bridge.cloud.close());
    return bridge;
  }

  it('books a charge once over MQTT 5 and forwards it with its id as a user property', async () => {
    const bridge = await startBehind();
    const forwards: IPublishPacket[] = [];
    const subscriber = await subscribed(mosquitto.port, 'booked/#', (packet) =>
      forwards.push(packet),
    );
    closing.push(() => subscriber.endAsync(true));
    const thing = await thingOf(bridge.port, 'meter-17');
    const body = charge('a-1');
    const outcomes = [];
    for (let time = 1; time <= 3; time += 1) {
      await thing.publish(topicOf('meter-17'), body);
      outcomes.push((await thing.nextReceipts()).receipts[0]?.outcome);
    }
    expect(outcomes).toEqual(['accepted', 'duplicate', 'duplicate']);
    const rows = await bridge.rows('Ledger');
    expect(rows).toMatchObject([{ device: { S: 'meter-17' }, tries: { N: '3' } }]);
    expect(forwards.map(({ topic }) => topic)).toEqual(['booked/meter-17/charges']);
    const id = JSON.parse(String(forwards[0]?.payload))['tollbridge-id'];
    expect(id).toEqual(expect.any(String));
    expect(forwards[0]?.properties?.userProperties?.['tollbridge-id']).toBe(id);
  });

  it('takes Basic Ingest, which Mosquitto passes on, for the same message', async () => {
    const bridge = await startBehind();
    expect(bridge.cloud.basicIngest).toBe(true);
    const thing = await thingOf(bridge.port, 'meter-18');
    const body = charge('a-1');
    await thing.publish(`$aws/rules/tollbridge_charges/${topicOf('meter-18')}`, body);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('accepted');
    await thing.publish(topicOf('meter-18'), body);
    expect((await thing.nextReceipts()).receipts[0]?.outcome).toBe('duplicate');
  });

  it('hands the function user properties and correlation data as the rules of AWS do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollbridge-echo-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    // A function that shows what it is given.
    const code = `export const handler = async ({ Records }) => {
      for (const { body } of Records) console.log('echo ' + Buffer.from(body).toString('base64') + '.');
    };`;
    writeFileSync(join(folder, 'index.mjs'), code);
    const bridge = await startBehind({ functionOverrides: { RoutesCharges: folder } });
    const thing = await thingOf(bridge.port, 'meter-19');
    await thing.client.publishAsync(topicOf('meter-19'), 'x', {
      qos: 1,
      properties: {
        userProperties: { id: 'a-1', trace: ['x', 'y'] },
        correlationData: Buffer.from([0, 255]),
      },
    });
    const echo = /echo ([A-Za-z0-9+/=]+)\./;
    await bridge.seen((event) => event.kind === 'log' && echo.test(event.line));
    const [envelope] = bridge.events.flatMap((event) => {
      const match = event.kind === 'log' ? echo.exec(event.line) : null;
      return match === null ? [] : [JSON.parse(Buffer.from(match[1] ?? '', 'base64').toString())];
    });
    expect(envelope).toMatchObject({
      clientId: 'meter-19',
      userProperties: [{ id: 'a-1' }, { trace: 'x' }, { trace: 'y' }],
      correlationData: 'AP8=',
    });
    expect(envelope).not.toHaveProperty('principal');
  });

  it('loses nothing when it is killed: what came meanwhile waits in the broker', async () => {
    const data = mkdtempSync(join(tmpdir(), 'tollbridge-data-'));
    closing.push(() => rmSync(data, { recursive: true, force: true }));
    const start = async () => {
      const flags = ['--assembly', assembly, '--data', data, '--api-port', '0'];
      const program = startTollbridge('--broker', mosquitto.url, ...flags);
      closing.push(() => program.end('SIGKILL'));
      await program.prints(/Ctrl-C/);
      return program;
    };
    const first = await start();
    expect(first.printed()).toContain(`mosquitto_rr -V 5 -h 127.0.0.1 -p ${mosquitto.port}`);
    const device = await reliableThing(mosquitto.port);
    device.send('before');
    await device.answered('before');

    const struck = Array.from({ length: 30 }, (_, n) => `struck-${n}`);
    await Promise.all(struck.map((id) => device.send(id)));
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    const away = Array.from({ length: 30 }, (_, n) => `away-${n}`);
    await Promise.all(away.map((id) => device.send(id)));

    const second = await start();
    // Nothing of this is sent again: the broker has kept it.
    for (const id of away) await device.answered(id);
    // What the first cloud had taken over died with its queue, and the sender's rule mends that.
    for (const id of struck) if (!device.hasReceipt(id)) await device.send(id);
    for (const id of struck) await device.answered(id);
    expect(await bookedIds(second)).toEqual(['before', ...struck, ...away].sort());
    expect(await second.end('SIGINT')).toBe(0);
  });

  it.skipIf(missing('mosquitto_rr'))('answers the very line that its welcome shows', async () => {
    const flags = ['--assembly', assembly, '--api-port', '0'];
    const program = startTollbridge('--broker', mosquitto.url, ...flags);
    closing.push(() => program.end('SIGKILL'));
    const [line] = await program.prints(/mosquitto_rr -V 5 [\s\S]*?meter-firmware \S+\n/);
    await program.prints(/Ctrl-C/);
    const { printed } = await run('sh', ['-c', line]);
    expect(JSON.parse(printed).receipts).toMatchObject([{ id: 'a-1', outcome: 'accepted' }]);
    expect(await program.end('SIGINT')).toBe(0);
  });

  /** A device that keeps each body, and knows which ids have a receipt that says they are booked. */
  async function reliableThing(port: number) {
    const client = await mqtt.connectAsync({ host: '127.0.0.1', port, protocolVersion: 5 });
    closing.push(() => client.endAsync(true));
    const bell = new EventEmitter();
    const bodies = new Map<string, string>();
    const booked = new Set<string>();
    client.on('message', (_, payload) => {
      const { receipts } = JSON.parse(payload.toString());
      for (const { id, outcome } of receipts) {
        if (outcome === 'accepted' || outcome === 'duplicate') booked.add(id);
      }
      bell.emit('receipt');
    });
    await client.subscribeAsync('tollbridge/meter-20/receipts', { qos: 1 });
    return {
      send(id: string) {
        const body = bodies.get(id) ?? charge(id);
        bodies.set(id, body);
        return client.publishAsync(topicOf('meter-20'), body, { qos: 1 });
      },
      hasReceipt: (id: string) => booked.has(id),
      async answered(id: string) {
        while (!booked.has(id)) await once(bell, 'receipt');
      },
    };
  }
});

async function subscribed(
  port: number,
  filter: string,
  take: (packet: IPublishPacket) => void,
): Promise<MqttClient> {
  const client = await mqtt.connectAsync({ host: '127.0.0.1', port, protocolVersion: 5 });
  client.on('message', (_topic, _payload, packet) => take(packet));
  await client.subscribeAsync(filter, { qos: 1 });
  return client;
}

/** The ids in the ledger of a cloud that runs as a program, sorted. */
async function bookedIds(program: Program): Promise<readonly string[]> {
  const [, apiUrl = ''] = await program.prints(/DynamoDB +(\S+)/);
  const [, table = ''] = await program.prints(/ledger +(\S+)/);
  const client = localDynamoDB(apiUrl);
  const ids: string[] = [];
  const query = { TableName: table, ConsistentRead: true };
  for await (const { Items = [] } of paginateScan({ client }, query)) {
    ids.push(...Items.map(({ body }) => JSON.parse(body?.S ?? '{}').id));
  }
  client.destroy();
  return ids.sort();
}

describe('npm start --broker', () => {
  it('does not go together with --port', async () => {
    const { status, printed } = await start('--broker', 'mqtt://127.0.0.1:1', '--port', '1883');
    expect([status, printed]).toEqual([
      2,
      expect.stringMatching(/--broker.*cannot be used.*--port/),
    ]);
  });

  it('refuses an address that is none of a broker', async () => {
    const { status, printed } = await start('--broker', 'http://127.0.0.1');
    expect([status, printed]).toEqual([2, expect.stringMatching(/mqtt:\/\/host:port/)]);
  });

  it('says so when nothing listens there', async () => {
    const flags = ['--assembly', assembly, '--api-port', '0'];
    const url = `mqtt://127.0.0.1:${await freePort()}`;
    const { status, printed } = await start('--broker', url, ...flags);
    expect([status, printed]).toEqual([1, expect.stringContaining(`Nothing listens on ${url}`)]);
  });

  function start(...flags: readonly string[]) {
    return run(process.execPath, ['--import', 'tsx', 'bin/tollbridge.ts', 'start', ...flags]);
  }
});
