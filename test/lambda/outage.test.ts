/**
 * Goal: a store that is down for hours costs no charge. Method: the real handler behind the local
 * queue and event source mapping with the template's figures, on a clock that the test advances.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../core/base/errors.ts';
import {
  DEAD_LETTER_RETENTION_DAYS,
  QUEUE_RECEIVES_MAX,
  QUEUE_RETENTION_DAYS,
  QUEUE_VISIBILITY_SECONDS,
} from '../../core/base/limits.ts';
import { epochMillis } from '../../core/base/time.ts';
import { seededChance } from '../../local/chance.ts';
import { noFaults } from '../../local/contracts.ts';
import { createEventSource } from '../../local/lambda/event-source.ts';
import { createQueue, type Queue } from '../../local/sqs/queue.ts';
import { redrive } from '../../local/sqs/redrive.ts';
import { type ManualScheduler, manualScheduler } from '../../local/timers.ts';
import { envelopeOf, Ingest } from '../../tools/handlers/ingest.ts';
import { NOW, windowRouteOf } from '../../tools/handlers/samples.ts';

const HOUR_MILLIS = 3_600_000;
const VISIBILITY_MILLIS = QUEUE_VISIBILITY_SECONDS * 1_000;

let scheduler: ManualScheduler;
let ingest: Ingest;
let queue: Queue;
let deadLetters: Queue;

/** The queue's path as the template makes it, with this handler at its end. */
function deploy(handler: Ingest): void {
  ingest = handler;
  scheduler = manualScheduler(NOW);
  const make = (name: string, retentionDays: number, target?: Queue) =>
    createQueue({
      name,
      arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
      url: `https://sqs.us-east-1.amazonaws.com/000000000000/${name}`,
      visibilityMillis: VISIBILITY_MILLIS,
      retentionMillis: retentionDays * 24 * HOUR_MILLIS,
      maximumBytes: 1_048_576,
      redrive: target && { target: () => target, maxReceiveCount: QUEUE_RECEIVES_MAX },
      chance: seededChance(1),
      faults: () => noFaults,
      scheduler,
      observe: () => undefined,
      changed: () => undefined,
    });
  deadLetters = make('dead-letters', DEAD_LETTER_RETENTION_DAYS);
  queue = make('queue', QUEUE_RETENTION_DAYS, deadLetters);
  createEventSource({
    queue,
    functionName: 'ingest',
    batchSize: 10,
    windowMillis: 0,
    reportsItemFailures: true,
    maximumConcurrency: 2,
    region: 'us-east-1',
    scheduler,
    changed: () => undefined,
    invoke: async (_name, event) => {
      ingest.now = scheduler.now();
      return { kind: 'ok', result: await ingest.handle(event) };
    },
  });
}

/** Lets the time pass, redelivery by redelivery. */
async function pass(millis: number): Promise<void> {
  const end = epochMillis(scheduler.now() + millis);
  while (scheduler.now() < end) {
    scheduler.advance(Math.min(VISIBILITY_MILLIS, end - scheduler.now()));
    for (let turns = 0; turns < 20; turns++) await nextTurn();
  }
}

const down = async () => {
  throw new RetryableError('booking failed: ProvisionedThroughputExceededException');
};
const up = async () => {};

describe('an exactly-once route whose table is down', () => {
  beforeEach(() => deploy(new Ingest()));

  it('holds a charge for six hours and books it once when the table is back', async () => {
    ingest.beforeBook = down;
    queue.send(JSON.stringify(envelopeOf('d-1')));
    await pass(6 * HOUR_MILLIS);
    expect(ingest.published).toEqual([]);
    expect(deadLetters.depth()).toEqual({ visible: 0, inFlight: 0 });
    ingest.beforeBook = up;
    await pass(VISIBILITY_MILLIS);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual(['accepted']);
    expect(ingest.forwards).toHaveLength(1);
    expect(ingest.ledger.rows.size).toBe(1);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 0 });
  });

  it('keeps a charge as a dead letter after that, and books it when it is redriven days later', async () => {
    ingest.beforeBook = down;
    queue.send(JSON.stringify(envelopeOf('d-1')));
    await pass(7 * HOUR_MILLIS);
    expect(deadLetters.depth().visible).toBe(1);
    ingest.beforeBook = up;
    await pass(9 * 24 * HOUR_MILLIS);
    expect(redrive(deadLetters, [queue])).toBe(1);
    await pass(VISIBILITY_MILLIS);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual(['accepted']);
    expect(deadLetters.depth().visible).toBe(0);
  });
});

describe('a deduplicated route whose table is down', () => {
  it('holds deliveries like a ledger does unless it is told to forward', async () => {
    deploy(new Ingest({}, windowRouteOf({ onStoreDown: 'hold' })));
    ingest.beforeBook = down;
    queue.send(JSON.stringify(envelopeOf('d-1')));
    await pass(HOUR_MILLIS);
    expect(ingest.published).toEqual([]);
    ingest.beforeBook = up;
    await pass(VISIBILITY_MILLIS);
    expect(ingest.receiptsTo('dev-1').map(({ outcome }) => outcome)).toEqual(['accepted']);
  });

  it('tells a copy that waited in the queue past the window by when it was received', async () => {
    deploy(new Ingest({}, windowRouteOf()));
    queue.send(JSON.stringify(envelopeOf('d-1')));
    await pass(VISIBILITY_MILLIS);
    ingest.beforeBook = down;
    queue.send(JSON.stringify(envelopeOf('d-2', undefined, 'dev-1', { receivedAt: NOW + 1_000 })));
    await pass(5 * HOUR_MILLIS);
    ingest.beforeBook = up;
    await pass(VISIBILITY_MILLIS);
    const outcomes = ingest.receiptsTo('dev-1').map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['accepted', 'duplicate']);
    expect(ingest.forwards).toHaveLength(1);
  });
});
