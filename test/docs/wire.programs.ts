/**
 * Goal: docs/wire.md says what is on the wire now. Method: its cases are run again, with few
 * messages, and their rows are compared with those of the document; the proxy that counts them is
 * compared with what the sockets say of themselves.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import mqtt from 'mqtt';
import mqttPacket from 'mqtt-packet';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Assembly,
  type RunningBridge,
  startBridge,
  synthesizeBridge,
} from '../../bench/wire/bridge.ts';
import { gatheredCases } from '../../bench/wire/cases.ts';
import { createCountingProxy } from '../../bench/wire/counting-proxy.ts';
import { type DeviceCase, measureDevice } from '../../bench/wire/device-line.ts';
import { linesOf, type TableName, withTable } from '../../bench/wire/document.ts';
import { measureNatives, measureSingles, NO_MOSQUITTO } from '../../bench/wire/measure.ts';
import {
  isMosquittoInstalled,
  type QosTwoMosquitto,
  startMosquitto,
} from '../../bench/wire/mosquitto.ts';
import { gatheredOf } from '../../bench/wire/rows.ts';
import { exchangeOf, packetsOf, publicationsOf, tallyOf } from '../../bench/wire/tally.ts';
import { QUEUE_BATCH_WAIT_SECONDS_MAX } from '../../core/base/limits.ts';
import { listenOn } from '../../local/listen.ts';
import { markdownOf, type Row } from '../../tools/document-tables.ts';
import { startPlainBroker } from '../device/plain-broker.ts';

const text = readFileSync('docs/wire.md', 'utf8');
const MESSAGES = 3;

if (!isMosquittoInstalled) process.stderr.write(`${NO_MOSQUITTO}\n`);

/** The rows of a table of the document, as objects by the names of their columns. */
function documented(name: TableName): readonly Readonly<Record<string, string>>[] {
  const cells = linesOf(text, name).map((line) => line.slice(2, -2).split(' | '));
  const [head = [], , ...rows] = cells;
  return rows.map((row) => Object.fromEntries(head.map((column, at) => [column, row[at] ?? ''])));
}

function documentedLines(name: TableName, version: string): readonly string[] {
  return linesOf(text, name).filter((line) => line.startsWith(`| ${version} |`));
}

const linesOfRows = (rows: readonly Row[]) => markdownOf({ head: [], rows }).split('\n').slice(2);

/** Bytes of a broker of somebody else's are those of its version: the packets are compared. */
function withoutBytes(name: TableName, lines: readonly string[]): readonly string[] {
  const cellsOf = (line: string) => line.slice(2, -2).split(' | ');
  const head = cellsOf(linesOf(text, name)[0] ?? '');
  return lines.map((line) =>
    cellsOf(line)
      .filter((_, at) => !head[at]?.startsWith('bytes'))
      .join(' | '),
  );
}

const next = (client: mqtt.MqttClient, event: 'message' | 'close' | 'packetreceive') =>
  new Promise<void>((resolve) => client.once(event, () => resolve()));

let assembly: Assembly;
let bridge: RunningBridge;
beforeAll(async () => {
  // So long that ten messages are always there before it is over.
  assembly = synthesizeBridge(QUEUE_BATCH_WAIT_SECONDS_MAX);
  bridge = await startBridge(assembly);
});
afterAll(async () => {
  await bridge.close();
  assembly.remove();
});

describe('one message at a time', () => {
  it('takes the packets and bytes that docs/wire.md says', { timeout: 60_000 }, async () => {
    const { single, connection } = await measureSingles('3.1.1', bridge.port, MESSAGES);
    expect(linesOfRows(single)).toEqual(documentedLines('single', '3.1.1'));
    expect(linesOfRows(connection)).toEqual(documentedLines('connection', '3.1.1'));
  });

  it.each(['3.1.1', '5'])(
    'takes 3 at QoS 1, 2 at QoS 0, and 3 more to release (MQTT %s)',
    (mqtt) => {
      const rows = documented('single').filter((row) => row.MQTT === mqtt);
      const counts = rows.map((row) => [
        row.handshake,
        row['PUBLISH at'],
        row['receipts at'],
        Number(row.packets),
      ]);
      expect(counts).toEqual([
        ['short', 'QoS 1', 'QoS 0', 3],
        ['short', 'QoS 1', 'QoS 0', 3],
        ['short', 'QoS 0', 'QoS 0', 2],
        ['short', 'QoS 0', 'QoS 0', 2],
        ['short', 'QoS 1', 'QoS 1', 4],
        ['full', 'QoS 1', 'QoS 0', 6],
        ['full', 'QoS 1', 'QoS 0', 6],
        ['full', 'QoS 0', 'QoS 0', 5],
        ['full', 'QoS 0', 'QoS 0', 5],
        ['full', 'QoS 1', 'QoS 1', 8],
      ]);
    },
  );
});

describe('ten messages at once', () => {
  const ten: DeviceCase = {
    mqtt: '3.1.1',
    handshake: 'short',
    qos: 1,
    receiptsQos: 0,
    basicIngest: false,
    atOnce: 10,
    hasWindow: false,
  };

  it('take 2.1 packets each where the queue waits for a whole batch', async () => {
    const tally = await measureDevice(bridge.port, { ...ten, hasWindow: true }, 2);
    expect(tally.bodyBytes).toEqual([150]);
    expect(gatheredOf(tally)).toBe(10);
    expect(packetsOf(exchangeOf(tally))).toBe(2 * (10 + 10 + 1));
  });

  it('take two packets each and one for each publication of receipts, however many', async () => {
    const tally = await measureDevice(bridge.port, ten, 1);
    const publications = publicationsOf(tally, 'receipts');
    expect(tally.receipts).toBe(10);
    expect(packetsOf(exchangeOf(tally))).toBe(10 + 10 + publications);
  });

  it('are not counted when the device had to connect again', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      if (connections === 1) return void socket.once('data', () => socket.destroy());
      const onward = connectSocket(bridge.port, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
    });
    const port = await listenOn(server, 0, '127.0.0.1');
    await expect(measureDevice(port, ten, 1)).rejects.toThrow(/connected 2 times/);
    await new Promise((resolve) => server.close(resolve));
  });

  it('stand in docs/wire.md for every case, counted as computed', () => {
    const rows = documented('gathered');
    const cases = [...gatheredCases('3.1.1'), ...gatheredCases('5')];
    expect(rows.map((row) => [row.MQTT, row['at once'], row.window, row.handshake])).toEqual(
      cases.map((each) => [
        each.mqtt,
        String(each.atOnce),
        each.hasWindow ? '1 s' : 'none',
        each.handshake,
      ]),
    );
    for (const row of rows) {
      const figures = (row.packets ?? '').split(' / ').map(Number);
      const middle = figures.length === 1 ? figures[0] : figures[1];
      expect(Math.abs((middle ?? 0) - Number(row.computed)), JSON.stringify(row)).toBeLessThan(
        0.02,
      );
    }
    const waiting = rows.filter(({ window }) => window === '1 s').map(({ packets }) => packets);
    expect(waiting).toEqual(['2.1', '1.1', '2.4', '1.4', '2.1', '1.1', '2.4', '1.4']);
  });
});

describe.skipIf(!isMosquittoInstalled)('behind Mosquitto', () => {
  let mosquitto: QosTwoMosquitto;
  beforeAll(async () => {
    mosquitto = await startMosquitto();
  });
  afterAll(() => mosquitto.end());

  it('a message over MQTT 5 takes the packets that docs/wire.md says', async () => {
    const outside = await startBridge(assembly, mosquitto.url);
    try {
      const { single, connection } = await measureSingles('5', outside.port, MESSAGES);
      expect(withoutBytes('single', linesOfRows(single))).toEqual(
        withoutBytes('single', documentedLines('single', '5')),
      );
      expect(withoutBytes('connection', linesOfRows(connection))).toEqual(
        withoutBytes('connection', documentedLines('connection', '5')),
      );
    } finally {
      await outside.close();
    }
  });

  it.each(['3.1.1', '5'] as const)(
    'QoS 2 takes 4 packets to the broker and 8 end to end, QoS 1 half of them (MQTT %s)',
    async (version) => {
      const rows = await measureNatives(version, mosquitto.port, MESSAGES);
      expect(rows.map(([, qos, , packets, , , , , inBurst]) => [qos, packets, inBurst])).toEqual([
        ['1', '2', '2'],
        ['1', '2', '2'],
        ['1', '4', '4'],
        ['2', '4', '4'],
        ['2', '4', '4'],
        ['2', '8', '8'],
      ]);
      expect(withoutBytes('native', linesOfRows(rows))).toEqual(
        withoutBytes('native', documentedLines('native', version)),
      );
    },
  );
});

describe('the counting proxy', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function startProxy(port: number) {
    const proxy = await createCountingProxy(port);
    closing.push(() => proxy.close());
    return proxy;
  }

  it('counts every byte that the client’s socket has sent and read, pings included', async () => {
    const broker = await startPlainBroker();
    closing.push(() => broker.close());
    const proxy = await startProxy(broker.port);
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${proxy.port}`, {
      clientId: 'meter-17',
      reconnectPeriod: 0,
      keepalive: 0,
    });
    await client.subscribeAsync('billing/#', { qos: 1 });
    for (const size of [1, 127, 128, 20_000, 90_000]) {
      const arrived = next(client, 'message');
      await client.publishAsync('billing/meter-17/charges', Buffer.alloc(size), { qos: 2 });
      await arrived;
    }
    client.sendPing();
    await next(client, 'packetreceive');
    await proxy.acknowledged();
    const { stream } = client as unknown as { stream: { bytesWritten: number; bytesRead: number } };
    await client.endAsync();
    await proxy.ended();
    const bytes = (direction: 'up' | 'down') =>
      proxy.sightings
        .filter((sighting) => sighting.direction === direction)
        .reduce((sum, sighting) => sum + sighting.bytes, 0);
    expect([bytes('up'), bytes('down')]).toEqual([stream.bytesWritten, stream.bytesRead]);
    expect(bytes('up')).toBeGreaterThan(110_000);
    const pings = tallyOf(proxy.sightings).parts.filter(({ purpose }) => purpose === 'ping');
    expect(packetsOf(pings)).toBe(2);
  });

  /** A server that says yes to CONNECT, swallows what is no MQTT, and ends nothing by itself. */
  async function startListener(heard: (cmd: string, socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      const parser = mqttPacket.parser();
      const connack = { cmd: 'connack', returnCode: 0, sessionPresent: false } as const;
      socket.on('data', (chunk) => void parser.parse(chunk));
      socket.on('error', () => {});
      parser.on('error', () => {});
      parser.on('packet', ({ cmd }) => {
        if (cmd === 'connect') socket.write(mqttPacket.generate(connack));
        heard(cmd, socket);
      });
    });
    closing.push(async () => server.close());
    return await listenOn(server, 0, '127.0.0.1');
  }

  it('says so when the connection ends before a PUBLISH is acknowledged', async () => {
    const cut = (cmd: string, socket: Socket) => void (cmd === 'publish' && socket.destroy());
    const proxy = await startProxy(await startListener(cut));
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${proxy.port}`, {
      reconnectPeriod: 0,
    });
    client.on('error', () => {});
    client.publish('billing/meter-17/charges', '{}', { qos: 1 }, () => {});
    await next(client, 'close');
    await proxy.ended();
    await expect(proxy.acknowledged()).rejects.toThrow(/ended before it acknowledged/);
    await client.endAsync(true);
  });

  it('ends a connection of bytes that are no MQTT, and goes on with the next', async () => {
    const proxy = await startProxy(await startListener(() => {}));
    const stranger = connectSocket(proxy.port, '127.0.0.1');
    stranger.on('error', () => {});
    stranger.write(Buffer.alloc(64, 0xff));
    await once(stranger, 'close');
    expect(proxy.sightings).toEqual([]);
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${proxy.port}`, {
      reconnectPeriod: 0,
    });
    await client.endAsync(true);
    expect(proxy.connections).toBe(2);
    expect(proxy.sightings.slice(0, 2).map(({ packet }) => packet.cmd)).toEqual([
      'connect',
      'connack',
    ]);
  });
});

describe('the counts', () => {
  const puback = { cmd: 'puback', messageId: 7 } as const;

  it('take no acknowledgement of what nobody has sent', () => {
    const sightings = [{ direction: 'down', packet: puback, bytes: 4 }] as const;
    expect(() => tallyOf(sightings)).toThrow(/puback of a packet id that is not under way/);
  });

  it('take no packet that belongs to no exchange, such as a query', () => {
    const query = mqttPacket.parser();
    const sightings: Parameters<typeof tallyOf>[0][number][] = [];
    query.on('packet', (packet) => sightings.push({ direction: 'up', packet, bytes: 1 }));
    query.parse(
      mqttPacket.generate({
        cmd: 'publish',
        topic: 'tollbridge/meter-17/query',
        payload: '{}',
        qos: 0,
        dup: false,
        retain: false,
      }),
    );
    expect(() => tallyOf(sightings)).toThrow(/tollbridge\/meter-17\/query/);
  });
});

describe('docs/wire.md', () => {
  it('keeps its words when a table is written into it', () => {
    const table = { head: ['a', 'b'], rows: [['1', '2']] };
    const written = withTable(text, 'native', table);
    expect(linesOf(written, 'native')).toEqual(['| a | b |', '|---|---|', '| 1 | 2 |']);
    expect(linesOf(written, 'single')).toEqual(linesOf(text, 'single'));
    expect(written.length).toBeLessThan(text.length);
    expect(() => withTable('no place', 'native', table)).toThrow(/needs one place/);
  });
});
