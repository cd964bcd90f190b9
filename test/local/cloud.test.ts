import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { epochMillis } from '../../core/base/time.ts';
import { type CloudOptions, type LocalCloud, startCloud } from '../../local/cloud.ts';
import { type CloudEvent, noFaults } from '../../local/contracts.ts';
import { type ManualScheduler, manualScheduler } from '../../local/timers.ts';
import { handlerCode, synthesizeSample } from './cloud-app-fixture.ts';

let root: string;
let assembly: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tollbridge-cloud-'));
  const code = join(root, 'code');
  mkdirSync(code);
  writeFileSync(join(code, 'index.mjs'), handlerCode);
  assembly = join(root, 'cdk.out');
  synthesizeSample(assembly, code);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

interface Bench {
  readonly cloud: LocalCloud;
  readonly client: MqttClient;
  readonly scheduler: ManualScheduler;
  readonly events: readonly CloudEvent[];
  /** Resolves with the first event that fits, past or to come. */
  until<Kind extends CloudEvent['kind']>(
    kind: Kind,
    fits?: (event: Extract<CloudEvent, { kind: Kind }>) => boolean,
  ): Promise<Extract<CloudEvent, { kind: Kind }>>;
  publish(topic: string, id: string): Promise<unknown>;
  rows(): Promise<Record<string, number>>;
}

async function start(over: Partial<CloudOptions> = {}): Promise<Bench> {
  const events: CloudEvent[] = [];
  const lookers = new Set<() => void>();
  const scheduler = manualScheduler(epochMillis(1_795_217_651_000));
  const cloud = await startCloud({
    assembly,
    mqttPort: 0,
    apiPort: 0,
    seed: 1,
    faults: noFaults,
    speed: 1,
    observe: (event) => {
      events.push(event);
      for (const look of [...lookers]) look();
    },
    scheduler,
    ...over,
  });
  cleanUp.push(() => cloud.close());
  const client = await connectAsync({
    host: '127.0.0.1',
    port: cloud.mqttPort,
    clientId: 'd1',
    reconnectPeriod: 0,
  });
  cleanUp.push(() => client.endAsync(true));
  const until: Bench['until'] = (kind, fits = () => true) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = events.find(
          (event): event is Extract<CloudEvent, { kind: typeof kind }> =>
            event.kind === kind && fits(event as never),
        );
        if (found === undefined) return;
        lookers.delete(look);
        resolve(found);
      };
      lookers.add(look);
      look();
    });
  return {
    cloud,
    client,
    scheduler,
    events,
    until,
    publish: (topic, id) => client.publishAsync(topic, JSON.stringify({ id }), { qos: 1 }),
    rows: () => rowsOf(cloud),
  };
}

async function rowsOf(cloud: LocalCloud): Promise<Record<string, number>> {
  const credentials = { accessKeyId: 'operator', secretAccessKey: 'x' };
  const client = new DynamoDBClient({ endpoint: cloud.apiUrl, region: cloud.region, credentials });
  try {
    const { Items = [] } = await client.send(
      new ScanCommand({ TableName: cloud.tableName('Ledger'), ConsistentRead: true }),
    );
    return Object.fromEntries(Items.map((item) => [item.pk?.S ?? '', Number(item.tries?.N)]));
  } finally {
    client.destroy();
  }
}

const depthOf = (cloud: LocalCloud, name: string): unknown =>
  [...cloud.queues.values()].find((queue) => queue.name.startsWith(`Ingest-${name}`))?.depth();
const empty = { visible: 0, inFlight: 0 };

describe('the local cloud', () => {
  it('takes a message from the device through rule, queue, function and table, and back', async () => {
    const { cloud, client, publish, rows } = await start();
    await client.subscribeAsync('answers/+', { qos: 1 });
    const answered = new Promise<readonly [string, string]>((resolve) => {
      client.once('message', (topic, payload) => resolve([topic, String(payload)]));
    });
    await publish('queued/d1', 'a');
    await cloud.idle();
    expect(await rows()).toEqual({ a: 1 });
    expect(await answered).toEqual(['answers/a', 'done']);
    expect(depthOf(cloud, 'Queue')).toEqual(empty);
    expect(cloud.outputs.Ingest?.EndpointAddress).toBe(new URL(cloud.apiUrl).host);
  });

  it('takes a message through a function that the rule invokes directly', async () => {
    const { cloud, publish, rows } = await start();
    await publish('$aws/rules/direct/direct/d1', 'a');
    await cloud.idle();
    expect(await rows()).toEqual({ a: 1 });
  });

  it.each([
    ['invoke a function without the permission', 'forbidden/d1', /no AWS::Lambda::Permission/],
    ['send to a queue without the right', 'powerless/d1', /does not allow sqs:SendMessage/],
  ])('does not let a rule %s', async (_name, topic, reason) => {
    const { cloud, publish, rows, until, scheduler } = await start();
    await publish(topic, 'a');
    const waiting = until('lost');
    // The rules engine tries an action again, in the cloud's own time.
    const advance = setInterval(() => scheduler.advance(1000), 5);
    const lost = await waiting.finally(() => clearInterval(advance));
    expect(lost.reason).toMatch(reason);
    await cloud.idle();
    expect(await rows()).toEqual({});
  });

  it.each([
    ['crashAfterWrite', 2],
    ['crashBeforeWrite', 1],
  ] as const)('brings a message again after %s, in %i writes altogether', async (fault, tries) => {
    const { cloud, publish, rows, until, scheduler } = await start({
      faults: { ...noFaults, [fault]: 1 },
    });
    await publish('queued/d1', 'a');
    await until('invocation', ({ outcome }) => outcome === 'crash');
    expect(depthOf(cloud, 'Queue')).toEqual({ visible: 0, inFlight: 1 });
    cloud.faults = noFaults;
    scheduler.advance(180_000);
    await cloud.idle();
    expect(await rows()).toEqual({ a: tries });
    expect(depthOf(cloud, 'Queue')).toEqual(empty);
  });

  it('keeps in the dead-letter queue what a function cannot do, from the queue and from the rule', async () => {
    const broken = join(root, 'broken');
    mkdirSync(broken, { recursive: true });
    writeFileSync(
      join(broken, 'index.mjs'),
      'export const handler = async () => { throw new Error("boom"); };',
    );
    const { cloud, events, publish, scheduler, until } = await start({
      functionOverrides: { Handler: broken },
    });
    const failures = async (count: number): Promise<void> => {
      await until(
        'invocation',
        () => events.filter((event) => event.kind === 'invocation').length >= count,
      );
      // Who invoked the function learns of it a little later than the observer.
      await turn();
    };
    await publish('queued/d1', 'a');
    await failures(1);
    scheduler.advance(180_000);
    await failures(2);
    scheduler.advance(180_000);
    await until('dead-letter');
    await publish('direct/d1', 'b');
    await failures(3);
    scheduler.advance(60_000);
    await failures(4);
    scheduler.advance(120_000);
    await failures(5);
    await cloud.idle();
    expect(depthOf(cloud, 'Dead')).toEqual({ visible: 2, inFlight: 0 });
    expect(depthOf(cloud, 'Queue')).toEqual(empty);
  });

  it('moves dead letters back to the queue they belong to, and their messages are booked', async () => {
    const { cloud, publish, rows, scheduler, events, until } = await start({
      faults: { ...noFaults, crashBeforeWrite: 1 },
    });
    await publish('queued/d1', 'a');
    for (const crashes of [1, 2]) {
      await until(
        'invocation',
        () => events.filter(({ kind }) => kind === 'invocation').length >= crashes,
      );
      await turn();
      scheduler.advance(180_000);
    }
    await until('dead-letter');
    cloud.faults = noFaults;
    const names = [...cloud.queues.keys()];
    const dead = names.find((name) => name.startsWith('Ingest-Dead')) ?? '';
    expect(cloud.redrive(dead)).toBe(1);
    await cloud.idle();
    expect(await rows()).toEqual({ a: 1 });
    expect(depthOf(cloud, 'Dead')).toEqual(empty);
    expect(cloud.redrive(dead)).toBe(0);
    const others = names.filter((name) => name !== dead);
    for (const name of others) expect(() => cloud.redrive(name)).toThrow(/There are: Ingest-Dead/);
  });

  it('keeps its tables in a data folder over a restart', async () => {
    const dataDir = join(root, 'data');
    const first = await start({ dataDir });
    await first.publish('queued/d1', 'a');
    await first.cloud.idle();
    await first.cloud.close();
    const second = await start({ dataDir });
    expect(await second.rows()).toEqual({ a: 1 });
  });

  it('ends what it had started when it cannot start, and gives its ports back when it is closed', async () => {
    const { cloud } = await start();
    const apiPort = Number(new URL(cloud.apiUrl).port);
    await expect(start({ mqttPort: cloud.mqttPort })).rejects.toThrow(`Port ${cloud.mqttPort}`);
    await expect(start({ apiPort })).rejects.toThrow(`Port ${apiPort}`);
    await cloud.close();
    const again = await start({ mqttPort: cloud.mqttPort, apiPort });
    expect(again.cloud.mqttPort).toBe(cloud.mqttPort);
  });

  it('knows its tables by the beginning of their logical ids only', async () => {
    const { cloud } = await start();
    expect(cloud.tableName('Led')).toMatch(/^State-Ledger[0-9A-F]+$/);
    expect(() => cloud.tableName('Nobody')).toThrow(/0 tables.*Ledger/);
  });
});
