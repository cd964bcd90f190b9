/**
 * Goal: whichever client a device uses, its charges are booked once although its connections are cut
 * between PUBLISH and PUBACK. Method: each client sends through a proxy that cuts; what the ledger
 * then holds is compared with what was meant. `TOLLBRIDGE_WRITE_DOCS=1` writes docs/interop.md.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import mqtt, { type IConnackPacket } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed } from '../../../tools/programs.ts';
import {
  type ClientRun,
  cellsOf,
  clientsTable,
  DOCUMENT,
  steadyColumns,
  type TableName,
  WRITE,
  withTable,
} from '../document.ts';
import { REFUSED_DEVICE } from '../logged-mosquitto.ts';
import type { Closing } from '../python-station.ts';
import { messagesOf, reconcile } from '../reconcile.ts';
import { type ClientCase, cases, missingFor, probes } from './clients.ts';
import { probeMqttJs } from './drivers.ts';
import { type Ground, startCuts, startGround } from './ground.ts';

const MESSAGES = 100;
const IS_WRITING = process.env[WRITE] === '1';

const able = cases.filter((each) => missingFor(each) === undefined);
const absent = [...new Set(cases.flatMap((each) => missingFor(each) ?? []))];
for (const what of absent) process.stderr.write(`skipped: not installed: ${what}\n`);

const titleOf = ({ client, mqtt: version, broker, transport }: ClientCase) =>
  `${client.name} on MQTT ${version} to ${broker} over ${transport}`;

const closing: Closing = [];
let ground: Ground;
beforeAll(async () => {
  ground = await startGround(closing, installed('mosquitto') !== undefined);
});
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function sideOf(broker: ClientCase['broker']) {
  const side = ground.sides.get(broker);
  if (side === undefined) throw new Error(`${broker} is not there`);
  return side;
}

async function runOf(each: ClientCase, index: number): Promise<ClientRun> {
  const { client, mqtt: version, broker, transport } = each;
  const { bridge, ports, credentials } = sideOf(broker);
  const proxy = await startCuts(transport, ports[transport], index + 1);
  const devices = Array.from({ length: client.devices }, (_, n) =>
    messagesOf(`meter-${index}-${n}`, MESSAGES / client.devices),
  );
  try {
    const heard = await Promise.all(
      devices.map(async (messages) => {
        const tls = transport === 'TLS' ? { tls: await credentials(messages.device) } : {};
        return client.drive({ ...messages, mqtt: version, port: proxy.port, ...tls });
      }),
    );
    const tally = await reconcile(bridge, devices, heard);
    expect(proxy.lostPubacks()).toBeGreaterThan(0);
    const marked =
      broker === 'Mosquitto'
        ? devices.reduce((sum, one) => sum + (ground.mosquitto?.marked(one.device) ?? 0), 0)
        : undefined;
    const how = { mqtt: version, broker, transport: proxy.transport() };
    return { client: client.name, ...how, ...tally, cuts: proxy.cuts(), marked };
  } finally {
    await proxy.close();
  }
}

const runs = new Map<ClientCase, ClientRun>();
const reasons = new Map<ClientCase, string>();

describe('a client whose connections are cut before the PUBACK', () => {
  // Most of their time is a wait before a reconnection.
  it.concurrent.each(able.map((each) => [titleOf(each), each] as const))(
    '%s: booked is what was meant, once each, and every receipt is true',
    async (_title, each) => {
      const run = await runOf(each, cases.indexOf(each));
      runs.set(each, run);
      expect(run).toMatchObject({
        meant: MESSAGES,
        booked: MESSAGES,
        lost: 0,
        doubled: 0,
        conflicts: 0,
        receipts: MESSAGES,
        untrue: 0,
      });
      // The cuts were there, and what they took came again.
      expect(run.cuts).toBeGreaterThanOrEqual(3);
      expect(run.deliveries).toBeGreaterThan(MESSAGES);
      if (each.client.name.includes('mosquitto_sub')) expect(run.forwarded).toBe(MESSAGES);
      if (run.marked !== undefined) expect(run.marked > 0).toBe(each.client.marks);
    },
  );
});

describe.skipIf(installed('mosquitto') === undefined)('Mosquitto', () => {
  it.each(['TCP', 'TLS'] as const)('is held to QoS 1, as AWS IoT Core is, over %s', async (way) => {
    const { ports, credentials } = sideOf('Mosquitto');
    const { cert, key, ca } = await credentials('meter-asks');
    const pem = (path: string) => readFileSync(path, 'utf8');
    const options = { protocolVersion: 5, reconnectPeriod: 0 } as const;
    const client =
      way === 'TLS'
        ? mqtt.connect(`mqtts://localhost:${ports.TLS}`, {
            ...options,
            ...{ cert: pem(cert), key: pem(key), ca: pem(ca) },
          })
        : mqtt.connect(`mqtt://localhost:${ports.TCP}`, options);
    const connack = await new Promise<IConnackPacket>((resolve, reject) => {
      client.once('connect', resolve);
      client.once('error', reject);
    });
    await client.endAsync(true);
    expect(connack.properties?.maximumQoS).toBe(1);
  });

  it('acknowledges what it drops, where MQTT 3.1.1 has no words for it', async () => {
    const { ports } = sideOf('Mosquitto');
    const link = { ...messagesOf(REFUSED_DEVICE, 1), mqtt: '3.1.1', port: ports.TCP } as const;
    expect(await probeMqttJs(link)).toBe('the promise resolves');
  });

  const asked = probes.filter((each) => able.includes(each));
  it.each(asked.map((each) => [each.client.name, each] as const))(
    'refuses a message with reason 0x87, of which %s says what docs/interop.md says',
    async (name, each) => {
      const { bridge, ports, credentials } = sideOf('Mosquitto');
      const { transport, client } = each;
      const link = { ...messagesOf(REFUSED_DEVICE, 1), mqtt: '5', port: ports[transport] } as const;
      const tls = transport === 'TLS' ? { tls: await credentials(REFUSED_DEVICE) } : {};
      const said = (await client.probe?.({ ...link, ...tls })) ?? '';
      reasons.set(each, said);
      const isThere = bridge.events.some(
        (event) => event.kind === 'delivery' && event.topic.includes(REFUSED_DEVICE),
      );
      expect(isThere).toBe(false);
      if (!IS_WRITING) expect(cellsOf(textOf(), 'reasons')).toContainEqual([name, said]);
    },
  );
});

const textOf = () => readFileSync(DOCUMENT, 'utf8');

function tables(): Readonly<Record<TableName, ReturnType<typeof clientsTable>>> {
  const clients = [...new Set(able.map(({ client }) => client))];
  return {
    clients: clientsTable(able.flatMap((each) => runs.get(each) ?? [])),
    reasons: {
      head: ['client', 'after a PUBACK with 0x87'],
      rows: probes.map((each) => [each.client.name, reasons.get(each) ?? '']),
    },
    versions: {
      head: ['program', 'version'],
      rows: [
        ...clients.map((client) => [client.name, client.version()]),
        ['Mosquitto', ground.mosquitto?.version ?? ''],
        ['aedes (broker of the local cloud)', aedesVersion()],
        ['Node.js', process.versions.node],
      ],
    },
  };
}

const aedesVersion = (): string =>
  JSON.parse(readFileSync('node_modules/aedes/package.json', 'utf8')).version;

describe('docs/interop.md', () => {
  it.runIf(process.env.CI === 'true' || IS_WRITING)('has every client at hand', () => {
    expect(absent).toEqual([]);
  });

  it.runIf(IS_WRITING)('is written by this run', () => {
    expect(runs.size).toBe(cases.length);
    let text = textOf();
    for (const [name, table] of Object.entries(tables())) {
      text = withTable(text, name as TableName, table);
    }
    writeFileSync(DOCUMENT, text);
  });

  it('has the rows of this run, but for the figures of one run and versions', () => {
    const { clients, versions } = tables();
    const steady = (row: readonly string[]) => row.slice(0, steadyColumns).join(' | ');
    const documented = cellsOf(textOf(), 'clients').map(steady);
    expect(clients.rows.map(steady).filter((row) => !documented.includes(row))).toEqual([]);
    const named = cellsOf(textOf(), 'versions').map(([name]) => name);
    expect(versions.rows.map(([name]) => name).filter((name) => !named.includes(name))).toEqual([]);
  });
});
