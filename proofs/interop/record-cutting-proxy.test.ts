/**
 * Goal: cuts of a connection with TLS fall between PUBLISH and PUBACK, though nobody can read it.
 * Method: MQTT.js with a certificate on the local broker, over both versions of TLS, with a chance
 * that says which PUBLISH is to be struck.
 */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Chance } from '../../local/contracts.ts';
import { listenOn } from '../../local/listen.ts';
import { closeAll, closeLater, connected } from '../../tools/mqtt/broker-ground.ts';
import { startTlsBroker } from '../../tools/mqtt/tls-ground.ts';
import { createRecordCuttingProxy } from './record-cutting-proxy.ts';

afterEach(closeAll);

const TOPIC = 'billing/charger-1/charges';
/** As long as a billing message. */
const bodyOf = (word: string) => word.padEnd(120, '.');

/** A chance that answers what it is told to, then always no; it records what it was asked. */
function answers(...given: readonly boolean[]): Chance & { readonly asked: readonly number[] } {
  const asked: number[] = [];
  return {
    asked,
    happens: (probability) => given[asked.push(probability) - 1] ?? false,
    below: () => 0,
  };
}

async function startBench(version: 'TLSv1.2' | 'TLSv1.3', chance: Chance) {
  const bench = await startTlsBroker();
  const proxy = await createRecordCuttingProxy({ targetPort: bench.tlsPort, chance, loss: 0.5 });
  closeLater(() => proxy.close());
  const { tls } = await bench.device('charger-1');
  const versions = { minVersion: version, maxVersion: version };
  const client = await connected(proxy.port, 'charger-1', {
    ...{ ...tls, ...versions, reconnectPeriod: 1 },
  });
  return {
    proxy,
    client,
    publish: (word: string) => client.publishAsync(TOPIC, bodyOf(word), { qos: 1 }),
    accepted: () => bench.accepted.map(({ payload }) => String(payload).replaceAll('.', '')),
  };
}

describe.each([
  ['TLSv1.2', 'TLS 1.2'],
  ['TLSv1.3', 'TLS 1.3'],
] as const)('the proxy that cuts %s', (version, name) => {
  it('loses the PUBACK of a message that arrived, so that the client sends it again', async () => {
    const { proxy, publish, accepted } = await startBench(version, answers(true));
    await publish('one');
    expect(accepted()).toEqual(['one', 'one']);
    expect([proxy.cuts(), proxy.lostPubacks(), [...proxy.versions]]).toEqual([1, 1, [name]]);
  });

  it('loses the PUBLISH itself, so that the message arrives by the second sending alone', async () => {
    const { proxy, publish, accepted } = await startBench(version, answers(false, true));
    await publish('one');
    expect(accepted()).toEqual(['one']);
    expect([proxy.cuts(), proxy.lostPubacks()]).toEqual([1, 0]);
  });

  it('asks its chance of PUBLISHes alone: not of the handshake, CONNECT or SUBSCRIBE', async () => {
    const chance = answers();
    const { proxy, client, publish, accepted } = await startBench(version, chance);
    await client.subscribeAsync('tollbridge/charger-1/receipts', { qos: 1 });
    client.sendPing();
    await new Promise((resolve) => client.once('packetreceive', resolve));
    expect(chance.asked).toEqual([]);
    await publish('one');
    await publish('two');
    expect(chance.asked).toEqual([0.5, 0.25, 0.5, 0.25]);
    expect([accepted(), proxy.cuts()]).toEqual([['one', 'two'], 0]);
  });
});

/** A record of so many bytes before encryption, as TLS 1.3 makes them. */
function recordOf(plainBytes: number): Buffer {
  const record = Buffer.alloc(5 + plainBytes + 17);
  record.writeUInt8(23, 0);
  record.writeUInt16BE(plainBytes + 17, 3);
  return record;
}

/** A server's hello with the first cipher suite of TLS 1.3 and no session. */
const HELLO = Buffer.concat([
  Buffer.from([22, 3, 3, 0, 41, 2, 0, 0, 37, 3, 3]),
  Buffer.alloc(32),
  Buffer.from([0, 0x13, 0x01]),
]);
const [FINISHED, CONNECT, PUBLISH] = [recordOf(36), recordOf(300), recordOf(150)];

/** Ends when everything that one side writes has come out at the other, unchanged. */
async function passed(from: Socket, to: Socket, parts: readonly Buffer[]): Promise<void> {
  const wanted = Buffer.concat(parts);
  let got = Buffer.alloc(0);
  const whole = new Promise<void>((resolve) => {
    to.on('data', function take(chunk: Buffer) {
      got = Buffer.concat([got, chunk]);
      if (got.length < wanted.length) return;
      to.off('data', take);
      resolve();
    });
  });
  for (const part of parts) from.write(part);
  await whole;
  expect(got.equals(wanted)).toBe(true);
}

describe('the proxy that cuts TLS', () => {
  it('lets SUBACK, PINGRESP and receipts pass while it waits for the PUBACK to lose', async () => {
    const server = createServer();
    const port = await listenOn(server, 0, '127.0.0.1');
    closeLater(async () => server.close());
    const proxy = await createRecordCuttingProxy({
      ...{ targetPort: port, chance: answers(true), loss: 0.5 },
    });
    closeLater(() => proxy.close());
    const client = connectSocket(proxy.port, '127.0.0.1');
    const [broker] = (await once(server, 'connection')) as [Socket];
    broker.on('error', () => {});
    await passed(broker, client, [HELLO]);
    // Byte by byte: a segment of TCP may end anywhere.
    const bytes = [...FINISHED, ...CONNECT].map((byte) => Buffer.from([byte]));
    await passed(client, broker, [...bytes, PUBLISH]);
    await passed(broker, client, [5, 6, 2, 250, 68].map(recordOf));
    const after: Buffer[] = [];
    client.on('data', (chunk) => after.push(chunk));
    broker.write(Buffer.concat([recordOf(4), recordOf(250)]));
    await once(client, 'close');
    expect(after).toEqual([]);
    expect([proxy.cuts(), proxy.lostPubacks()]).toEqual([1, 1]);
  });

  it('ends its own connection alone when bytes are no TLS, or the other side goes', async () => {
    const { proxy, publish, accepted } = await startBench('TLSv1.3', answers());
    const stranger = connectSocket(proxy.port, '127.0.0.1');
    stranger.on('error', () => {});
    stranger.write(Buffer.alloc(64, 0xff));
    stranger.end();
    await once(stranger, 'close');
    await publish('one');
    expect([accepted(), proxy.cuts()]).toEqual([['one'], 0]);
  });
});
