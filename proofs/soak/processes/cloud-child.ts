/** The local cloud as a process, with its tables on disk. It counts what happens inside. */

import { type LocalCloud, startCloud } from '../../../local/cloud.ts';
import type { CloudEvent } from '../../../local/contracts.ts';
import type { Queue } from '../../../local/sqs/queue.ts';
import { JournalSize } from '../journal-size.ts';
import { type CloudOrders, type CloudState, DEAD_LETTER, type ToCloud } from '../words.ts';
import { memory, onParent, tellParent } from './inside.ts';

const NEWS_MILLIS = 200;

const journal = new JournalSize();
let counts: Record<string, number> = {};
let forwarded: string[] = [];
let droppedAt: string[] = [];
let cloud: LocalCloud | undefined;

function count(name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function observe(event: CloudEvent): void {
  switch (event.kind) {
    case 'log':
      journal.add(event.line.length);
      return;
    case 'fault':
      count(`fault ${event.fault}`);
      if (event.fault === 'drop') droppedAt.push(event.where);
      return;
    case 'invocation':
      count(`invocation ${event.outcome}`);
      return;
    case 'published':
      if (!event.topic.startsWith('tollbridge/')) forwarded.push(idOf(event.payload));
      return;
    case 'lost':
      // Requests of the handshake are not kept: what gets no answer is asked again (docs/adr/007).
      if (/handshake/i.test(event.where)) count('request without an answer');
      else count(`lost at ${event.where}: ${event.reason}`);
      return;
    case 'dead-letter':
      count(
        DEAD_LETTER[/RetriesExhausted|EventAgeExceeded/.test(event.reason) ? 'event' : 'queue'],
      );
      return;
    case 'delivery':
    case 'fallback':
    case 'disconnect':
    case 'rule-not-found':
      count(event.kind);
      return;
    case 'table':
  }
}

function idOf(payload: Buffer): string {
  return String(JSON.parse(payload.toString())['tollbridge-id']);
}

function tellNews(): void {
  tellParent({ kind: 'news', counts, forwarded, droppedAt });
  counts = {};
  forwarded = [];
  droppedAt = [];
}

async function start(options: CloudOrders): Promise<void> {
  cloud = await startCloud({ ...options, observe });
  const tables = Object.fromEntries(
    ['Ledger', 'DedupRecords', 'State', 'Quarantine'].map((name) => [name, cloud?.tableName(name)]),
  );
  tellParent({ kind: 'ready', mqttPort: cloud.mqttPort, apiUrl: cloud.apiUrl, tables });
  setInterval(tellNews, NEWS_MILLIS);
}

function state({ queues }: LocalCloud): CloudState {
  return { memory: memory(), journalBytes: journal.bytes(), queued: held([...queues.values()]) };
}

function held(queues: readonly Queue[]): number {
  const depths = queues.map((queue) => queue.depth());
  return depths.reduce((sum, { visible, inFlight }) => sum + visible + inFlight, 0);
}

function isDead(name: string): boolean {
  return /dead/i.test(name);
}

function redrive(running: LocalCloud): number {
  const dead = [...running.queues.keys()].filter(isDead);
  return dead.reduce((sum, name) => sum + running.redrive(name), 0);
}

async function carryOut(order: Exclude<ToCloud, { kind: 'start' }>): Promise<unknown> {
  if (cloud === undefined) throw new Error('the cloud has not been started');
  switch (order.kind) {
    case 'memory':
      return state(cloud);
    case 'waiting':
      return held([...cloud.queues.values()].filter(({ name }) => !isDead(name)));
    case 'idle':
      await cloud.idle();
      tellNews();
      return undefined;
    case 'redrive':
      return redrive(cloud);
    case 'faults':
      cloud.faults = order.faults;
      return undefined;
    case 'close':
      await cloud.close();
      tellNews();
      return undefined;
  }
}

onParent<ToCloud>((order) => {
  if (order.kind === 'start') {
    void start(order.options);
    return;
  }
  void carryOut(order).then((value) => {
    tellParent({ kind: 'answer', ask: order.ask, value });
    if (order.kind === 'close') setTimeout(() => process.exit(0), NEWS_MILLIS);
  });
});
