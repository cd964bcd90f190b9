/**
 * What the tests of the commands that ask share: a local cloud with routes of every guarantee, rows
 * written by the real adapters, and commands run in this process or as one of their own.
 */
import { execFile } from 'node:child_process';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Command } from 'commander';
import { vi } from 'vitest';
import { localDynamoDB } from '../../cli/access/local-tables.ts';
import { EXIT, throwing, UsageError } from '../../cli/shell/usage.ts';
import { type EpochMillis, epochMillis } from '../../core/base/time.ts';
import { checkConfig } from '../../core/config/check.ts';
import type { Config, Route } from '../../core/config/route.ts';
import { payload, sequence, timestamp, topicLevel } from '../../core/config/sources.ts';
import { deduplicatedWriteOf } from '../../core/guarantees/deduplicated/row.ts';
import { exactlyOnceWriteOf } from '../../core/guarantees/exactly-once/row.ts';
import { latestWriteOf } from '../../core/guarantees/latest/row.ts';
import { readMessage } from '../../core/message/message.ts';
import { quarantineRowOf } from '../../core/tables/quarantine-row.ts';
import { createDedupRecordsTable } from '../../lambda/adapters/deduplicated.ts';
import { createLedgerTable } from '../../lambda/adapters/exactly-once.ts';
import { createStateTable } from '../../lambda/adapters/latest.ts';
import { createQuarantineTable } from '../../lambda/adapters/quarantine-table.ts';
import { assemblyOf } from './assembly.ts';
import { startTestCloud, type TestCloud } from './cloud.ts';

const entry = {
  account: payload('account'),
  amount: payload('amount'),
  unit: 'kWh',
  occurredAt: payload('at'),
};
const common = { device: topicLevel(2) };

/** Routes of every guarantee; two of them bill, with different units and shards. */
export const BENCH_CONFIG: Config = {
  routes: {
    charges: {
      ...common,
      guarantee: 'exactly-once',
      topic: 'billing/+/charges',
      id: payload('id'),
      entry,
      forward: 'booked/{device}/charges',
    },
    parking: {
      ...common,
      guarantee: 'exactly-once',
      topic: 'parking/+/stays',
      id: sequence('seq', { epoch: 'boot' }),
      entry: { ...entry, unit: 'EUR' },
      indexShards: 4,
    },
    events: {
      ...common,
      guarantee: 'deduplicated',
      topic: 'events/+/all',
      id: payload('id'),
      window: { hours: 1 },
      receipts: 'none',
    },
    status: {
      ...common,
      guarantee: 'latest',
      topic: 'status/+',
      version: timestamp('at'),
    },
    position: {
      ...common,
      guarantee: 'latest',
      topic: 'position/+',
      version: timestamp('at'),
    },
  },
};

interface Seed {
  readonly device: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** RFC 3339; the cloud's clock at the booking. */
  readonly bookedAt?: string;
  readonly deliveryId?: string;
}

export interface Bench {
  readonly bridge: TestCloud;
  readonly client: DynamoDBClient;
  readonly tables: Readonly<Record<'Ledger' | 'DedupRecords' | 'State' | 'Quarantine', string>>;
  readonly local: readonly string[];
  /** Books, or counts a copy, by the real write; false where that refused. */
  seed(route: string, seed: Seed): Promise<boolean>;
  /** Quarantines the body as a conflict with `booked`. */
  conflict(route: string, seed: Seed, booked: string): Promise<void>;
  close(): Promise<void>;
}

const TOPICS = {
  charges: 'billing/{}/charges',
  parking: 'parking/{}/stays',
  events: 'events/{}/all',
  status: 'status/{}',
  position: 'position/{}',
} as const;

export async function startBench(
  config: Config = BENCH_CONFIG,
  options: Parameters<typeof startTestCloud>[2] = {},
): Promise<Bench> {
  const assembly = await assemblyOf(config);
  const bridge = await startTestCloud(assembly, {}, options);
  const { routes } = checkConfig(config);
  const { cloud } = bridge;
  const client = localDynamoDB(cloud.apiUrl);
  const tables = {
    Ledger: cloud.tableName('Ledger'),
    DedupRecords: cloud.tableName('DedupRecords'),
    State: cloud.tableName('State'),
    Quarantine: cloud.tableName('Quarantine'),
  };
  return {
    bridge,
    client,
    tables,
    local: ['--local', cloud.apiUrl],
    seed: (name, seed) => write(client, tables, routeNamed(routes, name), seed),
    conflict: (name, seed, booked) =>
      quarantine(client, tables.Quarantine, routeNamed(routes, name), seed, booked),
    async close() {
      client.destroy();
      await cloud.close();
    },
  };
}

function routeNamed(routes: readonly Route[], name: string): Route {
  const route = routes.find((each) => each.name === name);
  if (route === undefined) throw new Error(`the bench has no route ${name}`);
  return route;
}

let deliveries = 0;

function readSeed<R extends Route>(route: R, seed: Seed) {
  const now = epochMillis(Date.parse(seed.bookedAt ?? '2026-11-20T09:00:51.000Z'));
  const delivery = {
    deliveryId: seed.deliveryId ?? `delivery-${++deliveries}`,
    topic: TOPICS[route.name as keyof typeof TOPICS].replace('{}', seed.device),
    body: Buffer.from(JSON.stringify(seed.body)),
    receivedAt: now,
    clientId: seed.device,
    principal: 'principal-1',
  };
  const reading = readMessage(route, delivery);
  if (reading.kind === 'rejected') throw new Error(reading.rejection.detail);
  return { now, delivery, message: reading.message };
}

async function write(
  client: DynamoDBClient,
  tables: Bench['tables'],
  route: Route,
  seed: Seed,
): Promise<boolean> {
  switch (route.guarantee) {
    case 'exactly-once': {
      const { now, delivery, message } = readSeed(route, seed);
      const row = exactlyOnceWriteOf(route, delivery, message, 1, now);
      return (await createLedgerTable(client, tables.Ledger).book(row)).kind !== 'refused';
    }
    case 'deduplicated': {
      const { now, delivery, message } = readSeed(route, seed);
      const row = deduplicatedWriteOf(route, delivery, message, 1, now);
      return (
        (await createDedupRecordsTable(client, tables.DedupRecords).admit(row)).kind !== 'refused'
      );
    }
    case 'latest': {
      const { now, delivery, message } = readSeed(route, seed);
      const row = latestWriteOf(route, delivery, message, 1, now);
      return (await createStateTable(client, tables.State).put(row)).kind !== 'refused';
    }
  }
}

async function quarantine(
  client: DynamoDBClient,
  table: string,
  route: Route,
  seed: Seed,
  bookedBody: string,
): Promise<void> {
  const { now, delivery, message } = readSeed(route, seed);
  const rejection = {
    reason: 'conflict',
    detail: 'the id is booked with another body; they differ in amount',
    bodyHash: message.bodyHash,
    device: message.device,
    id: message.id,
    answerTo: message.device,
  } as const;
  const evidence = { fields: ['amount'], bookedBody, bookedAt: new Date(now).toISOString() };
  const clock = (): EpochMillis => now;
  await createQuarantineTable(client, table, clock).put(
    quarantineRowOf(route.name, delivery, rejection, evidence),
  );
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** Runs a command in this process, as `bin/tollbridge.ts` does. */
export async function runHere(command: Command, args: readonly string[]): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      printed[name] += String(text);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  let status = 0;
  try {
    await throwing(command).parseAsync([...args], { from: 'user' });
    status = Number(process.exitCode ?? 0);
  } catch (error) {
    const isUsage = error instanceof UsageError || (error instanceof Error && 'exitCode' in error);
    printed.stderr += error instanceof Error ? error.message : String(error);
    status = isUsage ? EXIT.usage : EXIT.finding;
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
  return { ...printed, status };
}

/** Runs the command line as a process of its own, with nobody at its terminal. */
export function runProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'bin/tollbridge.ts', ...args],
      { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({
          stdout,
          stderr,
          status: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
        });
      },
    ).stdin?.end();
  });
}

/** JSON lines, read. */
export function linesOf(stdout: string): readonly Readonly<Record<string, unknown>>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
