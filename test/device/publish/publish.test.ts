/**
 * Goal: what `publish` says is true at the bridge: booked means a row, rejected means none, and no
 * message is booked twice. Method: the package against the local cloud, rows read from the tables.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../../core/config/check.ts';
import type { Config } from '../../../core/config/route.ts';
import { contentHash, payload, sequence, topicLevel } from '../../../core/config/sources.ts';
import { deviceProfile } from '../../../core/operations/device-profile.ts';
import {
  type ConnectOptions,
  connect,
  type Device,
  type DeviceEvents,
} from '../../../device/index.ts';
import { seededChance } from '../../../local/chance.ts';
import { createCuttingProxy } from '../../../local/faults/cutting-proxy.ts';
import { assemblyOf } from '../../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../../tools/clouds/cloud.ts';
import { newOutbox } from '../folders.ts';

const device = topicLevel(2);
const entry = {
  account: payload('account'),
  amount: payload('kWh'),
  unit: 'kWh',
  occurredAt: payload('at'),
};
const config: Config = {
  routes: {
    charges: {
      guarantee: 'exactly-once',
      topic: 'billing/+/charges',
      device,
      id: payload('id'),
      entry,
    },
    counted: {
      guarantee: 'exactly-once',
      topic: 'counted/+',
      device,
      id: sequence('seq', { epoch: 'boot' }),
      entry,
    },
    events: {
      guarantee: 'deduplicated',
      topic: 'events/+',
      device,
      id: contentHash(),
      time: payload('at'),
      window: { days: 7 },
    },
  },
};

const charge = (fields: object = {}) => ({
  account: 'acme',
  kWh: '1.25',
  at: new Date().toISOString(),
  ...fields,
});

let assembly: string;
let bridge: TestCloud;
const devices: Device[] = [];
beforeAll(async () => {
  assembly = await assemblyOf(config);
  bridge = await startTestCloud(assembly);
});
afterEach(async () => {
  for (const each of devices.splice(0)) await each.close();
});
afterAll(async () => {
  await bridge.cloud.idle();
  await bridge.cloud.close();
});

/** The routes are the ones that the command prints. */
function routesFor(name: string, basicIngest = false): ConnectOptions['routes'] {
  const options = { basicIngest, handshake: 'short' as const, topics: new Map() };
  const { routes } = deviceProfile(checkConfig(config), name, options);
  return routes as ConnectOptions['routes'];
}

async function connectAs(name: string, options: Partial<ConnectOptions> = {}): Promise<Device> {
  const connected = await connect({
    url: `mqtt://127.0.0.1:${bridge.port}`,
    deviceId: name,
    outbox: newOutbox(),
    routes: routesFor(name),
    ...options,
  });
  devices.push(connected);
  return connected;
}

async function rowsOf(name: string, table: 'Ledger' | 'DedupRecords' = 'Ledger') {
  return (await bridge.rows(table)).filter((row) => row.device?.S === name);
}

describe('publish', () => {
  it('resolves when the message is booked, once, with the receipt of its body', async () => {
    const meter = await connectAs('m-1');
    const { id, bodyHash, receipt } = await meter.enqueue('charges', charge());
    expect(await receipt).toMatchObject({ route: 'charges', id, bodyHash, outcome: 'accepted' });
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    const [row, ...others] = await rowsOf('m-1');
    expect(others).toEqual([]);
    expect(row).toMatchObject({ id: { S: id }, amount: { N: '1.25' } });
    expect(meter.stats()).toEqual({ messages: 0, bytes: 0, rejected: 0, inFlight: 0 });
  });

  it('takes hundreds at once and books each once', async () => {
    const meter = await connectAs('m-2');
    const receipts = await Promise.all(
      Array.from({ length: 250 }, (_, n) => meter.publish('charges', charge({ n }))),
    );
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(250);
    expect(await rowsOf('m-2')).toHaveLength(250);
  });

  it('counts without a gap over restarts', async () => {
    const outbox = newOutbox();
    for (let start = 0; start < 2; start++) {
      const meter = await connectAs('m-3', { outbox });
      await Promise.all([1, 2, 3].map(() => meter.publish('counted', charge())));
      await meter.close();
    }
    const told = (await rowsOf('m-3')).map(({ id }) => id?.S?.replace(/^seq:/, '') ?? '');
    const epochs = new Set(told.map((id) => id.slice(0, id.lastIndexOf(':'))));
    expect(epochs.size).toBe(1);
    expect(told.map((id) => Number(id.slice(id.lastIndexOf(':') + 1))).toSorted()).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  it('works where the bridge makes the id of the body', async () => {
    const meter = await connectAs('m-4');
    const event = { at: new Date().toISOString(), type: 'door' };
    const first = await meter.publish('events', event);
    const second = await meter.publish('events', event);
    expect([first.outcome, second.outcome]).toEqual(['accepted', 'duplicate']);
    expect(await rowsOf('m-4', 'DedupRecords')).toHaveLength(1);
  });

  it('goes through Basic Ingest, with the hash of the topic without its prefix', async () => {
    const meter = await connectAs('m-5', { routes: routesFor('m-5', true) });
    expect(await meter.publish('charges', charge())).toMatchObject({ outcome: 'accepted' });
  });

  it('works at QoS 0', async () => {
    const routes = { charges: { topic: 'billing/m-6/charges', idField: 'id', qos: 0 as const } };
    const meter = await connectAs('m-6', { routes });
    expect(await meter.publish('charges', charge())).toMatchObject({ outcome: 'accepted' });
  });

  it('rejects with the bridge’s reason, and the message lies in the side store', async () => {
    const meter = await connectAs('m-7');
    await meter.publish('charges', charge({ kWh: '1' }), { id: 'used' });
    await expect(
      meter.publish('charges', charge({ kWh: '2' }), { id: 'used' }),
    ).rejects.toMatchObject({
      name: 'RejectedError',
      reason: 'conflict',
      fields: expect.arrayContaining(['kWh']),
    });
    await expect(meter.publish('charges', { account: 'a' })).rejects.toMatchObject({
      reason: 'missing-amount',
    });
    const listed = [];
    for await (const message of meter.rejected.list()) listed.push(message);
    expect(listed.map(({ reason }) => reason)).toEqual(['conflict', 'missing-amount']);
    expect(JSON.parse(listed[0]?.body ?? '')).toMatchObject({ id: 'used', kWh: '2' });
    expect(await meter.rejected.discard('charges', 'used')).toBe(1);
    expect(meter.rejected.count).toBe(1);
    expect(await rowsOf('m-7')).toHaveLength(1);
  });

  it('tells a wrong idField by the body’s hash, for the bridge cannot read the id', async () => {
    const routes = { charges: { topic: 'billing/m-8/charges', idField: 'wrong' } };
    const meter = await connectAs('m-8', { routes });
    await expect(meter.publish('charges', charge())).rejects.toMatchObject({
      reason: 'missing-id',
    });
  });
});

describe('a full handshake', () => {
  it('ends with completed, the row marked as released, and nothing held', async () => {
    const profile = deviceProfile(checkConfig(config), 'f-1', {
      basicIngest: false,
      handshake: 'full',
      topics: new Map(),
    });
    const completed: DeviceEvents['completed'][0][] = [];
    const meter = await connectAs('f-1', {
      routes: profile.routes as ConnectOptions['routes'],
      releaseLingerMillis: 20,
      on: { completed: (message) => completed.push(message) },
    });
    await meter.publish('charges', charge(), { id: 'a' });
    await meter.publish('counted', charge());
    await meter.drain();
    expect(completed.map(({ route }) => route).toSorted()).toEqual(['charges', 'counted']);
    const rows = await rowsOf('f-1');
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(row.releasedAt?.S).toMatch(/^\d{4}-/);
    expect(meter.stats().messages).toBe(0);
  });
});

describe('a line that loses', () => {
  it('packets and acknowledgements loses no message and books none twice', async () => {
    const proxy = await createCuttingProxy({
      targetPort: bridge.port,
      loss: 0.1,
      chance: seededChance(4),
    });
    const meter = await connectAs('c-1', {
      url: `mqtt://127.0.0.1:${proxy.port}`,
      reconnect: { firstMillis: 5, maxMillis: 5 },
      retry: { firstMillis: 500 },
    });
    try {
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => meter.publish('charges', charge({ n }))),
      );
      expect(proxy.cuts()).toBeGreaterThan(3);
      expect(await rowsOf('c-1')).toHaveLength(100);
    } finally {
      await meter.close();
      await proxy.close();
    }
  });

  it('a receipt is repaired by asking, without sending the body again', async () => {
    const outbox = newOutbox();
    const first = await connectAs('c-2', { outbox });
    const sent = new Promise((resolve) => first.once('sent', resolve));
    const publishing = first.publish('charges', charge());
    publishing.catch(() => {});
    await sent;
    await first.close();
    await expect(publishing).rejects.toMatchObject({ code: 'closed', kept: true });
    await bridge.seen(
      (event) => event.kind === 'published' && event.topic === 'tollbridge/c-2/receipts',
    );
    const tries: number[] = [];
    const again = await connectAs('c-2', {
      outbox,
      queryBeforeResend: true,
      on: { sent: ({ tries: n }) => tries.push(n) },
    });
    const [pending] = again.pending();
    expect(pending).toMatchObject({ route: 'charges', tries: 0 });
    expect(await again.receiptOf('charges', pending?.id ?? '')).toMatchObject({
      outcome: expect.stringMatching(/^(accepted|duplicate)$/),
    });
    expect(tries).toEqual([]);
    expect(await rowsOf('c-2')).toHaveLength(1);
  });
});
