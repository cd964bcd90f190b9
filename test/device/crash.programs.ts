/**
 * Goal: SIGKILL at any moment loses nothing that was taken and books nothing twice. Method: the
 * device as a process, killed at three chosen points and at many others, started again with its
 * outbox; bytes compared as the broker saw them, rows read from the tables.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyHashOf } from '../../core/base/hash.ts';
import type { Config } from '../../core/config/route.ts';
import { payload, topicLevel } from '../../core/config/sources.ts';
import { seededChance } from '../../local/chance.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { newOutbox } from './folders.ts';

const CHILD = fileURLToPath(new URL('crash-child.ts', import.meta.url));

interface Line {
  readonly kept?: string;
  readonly booked?: string;
  readonly pending?: readonly { readonly id: string; readonly bodyHash: string }[];
}

const charges = {
  guarantee: 'exactly-once',
  device: topicLevel(2),
  id: payload('id'),
  entry: {
    account: payload('account'),
    amount: payload('kWh'),
    unit: 'kWh',
    occurredAt: payload('at'),
  },
} as const;
const config: Config = {
  routes: {
    charges: { ...charges, topic: 'billing/+/charges' },
    full: { ...charges, topic: 'full/+' },
  },
};

let assembly: string;
let bridge: TestCloud;
const children = new Set<ChildProcess>();
beforeAll(async () => {
  assembly = await assemblyOf(config);
  bridge = await startTestCloud(assembly);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await bridge.cloud.idle();
  await bridge.cloud.close();
});

/** Runs the child to its end, or until `enough` says so. */
async function run(
  name: string,
  outbox: string,
  mode: string,
  enough: (line: Line) => boolean = () => false,
): Promise<{ readonly lines: readonly Line[]; readonly signal: string | null }> {
  const args = ['--import', 'tsx', CHILD, String(bridge.port), name, outbox, mode];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  const ended = once(child, 'close') as Promise<[number | null, string | null]>;
  const lines: Line[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (enough(line)) child.kill('SIGKILL');
  }
  const [, signal] = await ended;
  children.delete(child);
  return { lines, signal };
}

const rowsOf = async (name: string) =>
  (await bridge.rows('Ledger')).filter((row) => row.device?.S === name);

/** The bodies that passed a rule, one for each delivery. */
function bodiesOf(topic: string): readonly string[] {
  return bridge.events.flatMap((event) =>
    event.kind === 'delivery' && event.topic === topic ? [event.payload.toString()] : [],
  );
}

describe('a device killed', () => {
  it.each([
    ['after the flush and before the send', 'at-kept', 1],
    ['after the send and before the receipt', 'at-sent', 1],
    ['after the receipt and before it has forgotten the message', 'at-forget', 2],
  ])('%s sends the same bytes under the same id at its next start', async (_, mode, deliveries) => {
    const outbox = newOutbox();
    const killed = await run(mode, outbox, mode);
    expect(killed.signal).toBe('SIGKILL');
    const { lines, signal } = await run(mode, outbox, 'drain');
    expect(signal).toBeNull();
    const pending = lines.flatMap((line) => line.pending ?? []);
    expect(pending).toHaveLength(1);
    expect(lines.flatMap(({ booked }) => booked ?? [])).toEqual(pending.map(({ id }) => id));
    const topic = `billing/${mode}/charges`;
    const bodies = bodiesOf(topic);
    expect(bodies.length).toBeGreaterThanOrEqual(deliveries);
    const hashes = new Set(bodies.map((body) => bodyHashOf(topic, Buffer.from(body))));
    expect([...hashes]).toEqual(pending.map(({ bodyHash }) => bodyHash));
    const rows = await rowsOf(mode);
    expect(rows.map(({ id }) => id?.S)).toEqual(pending.map(({ id }) => id));
  });

  it('at random moments, again and again, books each message it took exactly once', async () => {
    const outbox = newOutbox();
    const chance = seededChance(4);
    const lines: Line[] = [];
    for (let round = 0; round < 4; round++) {
      let left = 1 + chance.below(150);
      const killed = await run('random', outbox, 'many', () => --left <= 0);
      expect(killed.signal).toBe('SIGKILL');
      lines.push(...killed.lines);
      const booked = killed.lines.flatMap((line) => line.booked ?? []);
      const rows = new Set((await rowsOf('random')).map(({ id }) => id?.S));
      // Each receipt was true when it was told.
      expect(booked.filter((id) => !rows.has(id))).toEqual([]);
    }
    const drained = await run('random', outbox, 'drain');
    expect(drained.signal).toBeNull();
    lines.push(...drained.lines);
    const kept = new Set(lines.flatMap((line) => line.kept ?? []));
    const rows = await rowsOf('random');
    const ids = rows.map(({ id }) => id?.S ?? '');
    expect([...kept].filter((id) => !ids.includes(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    const serials = rows.map(({ body }) => {
      const text = body?.B === undefined ? (body?.S ?? '') : Buffer.from(body.B).toString();
      return (JSON.parse(text) as { serial: string }).serial;
    });
    expect(new Set(serials).size).toBe(serials.length);
    // Every id of the full handshake is released in the end.
    const full = rows.filter(({ pk }) => pk?.S?.startsWith('full#'));
    expect(full.length).toBeGreaterThan(0);
    expect(full.filter(({ releasedAt }) => releasedAt === undefined)).toEqual([]);
  });
});
