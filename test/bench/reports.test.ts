/** What benches say of engines, profiles and bundles. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callsTable } from '../../bench/calls/index.ts';
import { onDynamoDbLocal } from '../../bench/dynamodb-local/index.ts';
import { cpuTable } from '../../bench/end-to-end/cpu-parts.ts';
import { selfTimes } from '../../bench/end-to-end/self-times.ts';
import { bundle } from '../../bench/harness/bundle.ts';
import { protocolTable } from '../../bench/start/protocols.ts';
import type { Charged } from '../../bench/units/charge.ts';
import type { Measured } from '../../bench/units/measure.ts';
import { reportedTable } from '../../bench/units/reported.ts';

const NO_LOCAL = { kind: 'not done', why: 'nobody asked' } as const;
const NO_WORK = {
  units: { tableWrites: 0, indexWrites: 0, reads: 0 },
  requests: 0,
  roundTrips: 0,
};

function charged(reported: Charged['reported'], rest: Partial<Charged> = {}): Charged {
  const units = { tableWrites: 2, indexWrites: 1, reads: 0 };
  return { operation: 'PutItem', outcome: 'written', units, reported, after: [], ...rest };
}

function measured(booker: string, ...all: readonly Charged[]): Measured {
  return {
    booker,
    bodyBytes: 300,
    occasions: { first: NO_WORK, copy: NO_WORK, conflict: NO_WORK },
    charged: { first: all, copy: [], conflict: [] },
    store: { first: NO_WORK, copy: NO_WORK, storedBytes: { table: 0, index: 0 } },
    itemBytes: 0,
  };
}

describe('the calculator beside the engines', () => {
  const goalsOf = (...all: readonly Charged[]) =>
    reportedTable([measured('us', ...all)], NO_LOCAL).goals.map(({ isMet }) => isMet);

  test('is held to each single-item request that an engine reports', () => {
    expect(goalsOf(charged({ table: 2, indexes: 1 }))).toEqual([true]);
    expect(goalsOf(charged({ table: 3, indexes: 1 }))).toEqual([false]);
    expect(goalsOf(charged({ table: 2, indexes: 2 }))).toEqual([false]);
  });

  test('is held to the reads of a read, not to its writes', () => {
    const read = { tableWrites: 0, indexWrites: 0, reads: 4 };
    const wrong = { ...read, reads: 5 };
    const of = (units: Charged['units']) =>
      charged({ table: 4, indexes: undefined }, { outcome: 'read', units });
    expect(goalsOf(of(read))).toEqual([true]);
    expect(goalsOf(of(wrong))).toEqual([false]);
  });

  test('an engine that reports indexes and leaves one out has reported none for it', () => {
    const full = charged({ table: 2, indexes: 1 });
    expect(goalsOf(full, charged({ table: 2, indexes: undefined }))).toEqual([false]);
    const copy = { tableWrites: 2, indexWrites: 0, reads: 0 };
    const bare = charged({ table: 2, indexes: undefined }, { units: copy });
    expect(goalsOf(full, bare)).toEqual([true]);
  });

  test('nothing reported is nothing shown', () => {
    expect(goalsOf(charged(undefined))).toEqual([false]);
  });

  test('transactions stand beside it and are no goal', () => {
    const transaction = charged({ table: 8, indexes: 4 }, { operation: 'TransactWriteItems' });
    const local = {
      kind: 'done',
      result: [measured('(b)', transaction), measured('us', charged({ table: 2, indexes: 1 }))],
    } as const;
    const { rows, goals } = reportedTable([], local);
    expect(rows[0]).toEqual(['DynamoDB Local', '(b)', '0', '–', '–', '2 + 1, 8 + 4']);
    expect(goals.map(({ got }) => got)).toEqual(['0 of 0', '1 of 1']);
  });

  test('a row says why DynamoDB Local was not asked', () => {
    const { rows } = reportedTable([], NO_LOCAL);
    expect(rows).toEqual([['DynamoDB Local', 'not measured: nobody asked', '–', '–', '–', '–']]);
  });
});

test('DynamoDB Local is not fetched by who has not asked for it', async () => {
  const options = { runs: 1, isQuick: true, withDynamoDbLocal: false, note: () => {} };
  expect(await onDynamoDbLocal({ kind: 'units', bodySizes: [] }, options)).toEqual({
    kind: 'not done',
    why: expect.stringContaining('--with-dynamodb-local'),
  });
});

describe('requests of a batch', () => {
  const row = { devices: 1, copies: 'none', devicesInBatch: 1, receipts: 1, forwards: 1 } as const;
  const noteOf = (...batches: readonly number[]) =>
    callsTable(batches.map((batch) => ({ ...row, batch, store: batch }))).notes[0];

  test('a quick run says that it leaves the thousand out, a whole run that it has them', () => {
    expect(noteOf(10, 100)).toContain('A quick run leaves 1,000 out');
    expect(noteOf(10, 100, 1_000)).toContain('Batches of 10, 100, 1,000,');
    expect(noteOf(10, 100, 1_000)).not.toContain('leaves');
  });
});

describe('a profile', () => {
  const frame = (functionName: string, url: string) => ({
    functionName,
    url,
    scriptId: '0',
    lineNumber: 0,
    columnNumber: 0,
  });
  const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
    id,
    callFrame: frame(functionName, url),
    children,
  });
  const profile: Profiler.Profile = {
    startTime: 0,
    endTime: 100,
    nodes: [
      node(1, '(root)', '', [2, 3, 4, 6]),
      node(2, '(idle)', ''),
      node(3, '(garbage collector)', ''),
      node(4, 'book', 'core/x.ts', [5]),
      node(5, 'stringify', ''),
      node(6, 'request', 'node:internal/http/x'),
    ],
    samples: [2, 4, 5, 3, 6, 2],
    timeDeltas: [0, 50, 10, 20, 5, 15],
  };
  const times = selfTimes([profile, profile], ({ url }) => (url === '' ? undefined : url));

  test('leaves waiting out and counts what is built in for its caller', () => {
    expect(times).toEqual([
      { name: 'core', micros: 60 },
      { name: 'node:http', micros: 30 },
      { name: '(garbage collector)', micros: 10 },
    ]);
  });

  test('is shared out among parts that add up to what the process was charged for', () => {
    const { rows } = cpuTable({ times, cpuMicros: 1_000 });
    expect(rows.map(([part, share, micros]) => [part, share, micros])).toEqual([
      ['Tollbridge: core and lambda', '60 %', '600'],
      ['Node.js: HTTP, sockets, streams, ticks', '30 %', '300'],
      ['garbage collector', '10 %', '100'],
    ]);
  });

  test('its own profiler is no part of the function', () => {
    const own = { name: 'node:inspector', micros: 900 };
    expect(cpuTable({ times: [own, ...times], cpuMicros: 1_000 }).rows[0]?.[1]).toBe('60 %');
  });

  test('each package of the SDK has a part, signing before the rest', () => {
    const partOf = (name: string) =>
      cpuTable({ times: [{ name, micros: 1 }], cpuMicros: 1 }).rows[0]?.[0];
    expect(partOf('@smithy/signature-v4')).toBe('AWS SDK: signing and credentials');
    expect(partOf('@aws-sdk/core/httpAuthSchemes')).toBe('AWS SDK: signing and credentials');
    expect(partOf('@smithy/core/schema')).toBe('AWS SDK: requests and answers to and from text');
    expect(partOf('@smithy/node-http-handler')).toBe('AWS SDK: its HTTP handler');
    expect(partOf('@aws-sdk/client-dynamodb')).toBe(
      'AWS SDK: middleware, endpoints, retries, clients',
    );
    expect(partOf('something-else')).toBe('all else');
  });
});

test.each(['lambda/ingest/exactly-once.ts', 'lambda/handshake/index.ts'])(
  '%s has no code of the SDK that streams events, and is not cut into modules for its sake',
  async (entry) => {
    const folder = mkdtempSync(join(tmpdir(), 'tollbridge-bundle-'));
    try {
      const { metafile } = await bundle(entry, join(folder, 'index.mjs'));
      const { rows } = protocolTable(metafile);
      const bytesOf = (title: string) => rows.find(([one]) => one === title)?.[1];
      expect(bytesOf('event streams')).toBe('0');
      expect(bytesOf('JSON RPC')).not.toBe('0');
      const [output] = Object.values(metafile.outputs);
      const isThere = (path: string) => (output?.inputs[path]?.bytesInOutput ?? 0) > 0;
      // What is imported on demand is a module of its own, and so is all that it shares with others.
      const onDemand = Object.values(metafile.inputs)
        .flatMap(({ imports }) => imports)
        .filter(({ kind, path }) => kind === 'dynamic-import' && isThere(path));
      expect(onDemand.map(({ path }) => path)).toEqual(['lambda/adapters/no-event-streams.ts']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
