import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../core/base/time.ts';
import { seededChance } from '../../../local/chance.ts';
import { type CloudEvent, noFaults } from '../../../local/contracts.ts';
import { createQueue, type Queue, type QueueOptions } from '../../../local/sqs/queue.ts';
import { type ManualScheduler, manualScheduler } from '../../../local/timers.ts';

const start = epochMillis(1_795_217_651_000);

interface Bench {
  readonly scheduler: ManualScheduler;
  readonly events: CloudEvent[];
  make(name: string, options?: Partial<QueueOptions>): Queue;
}

function bench(): Bench {
  const scheduler = manualScheduler(start);
  const events: CloudEvent[] = [];
  return {
    scheduler,
    events,
    make: (name, options = {}) =>
      createQueue({
        name,
        arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
        url: `https://sqs.us-east-1.amazonaws.com/000000000000/${name}`,
        visibilityMillis: 30_000,
        retentionMillis: 345_600_000,
        maximumBytes: 1_048_576,
        redrive: undefined,
        scheduler,
        chance: seededChance(1),
        faults: () => noFaults,
        observe: (event) => events.push(event),
        changed: () => undefined,
        ...options,
      }),
  };
}

const bodies = (received: readonly { readonly body: string }[]) => received.map((one) => one.body);

describe('a queue', () => {
  it('hands out the oldest messages first, each to one receiver at a time', () => {
    const queue = bench().make('q');
    for (const body of ['a', 'b', 'c']) queue.send(body);
    expect(bodies(queue.receive(2))).toEqual(['a', 'b']);
    expect(bodies(queue.receive(2))).toEqual(['c']);
    expect(queue.receive(2)).toEqual([]);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 3 });
  });

  it('shows a message again when its visibility time-out is over, with one receive more', () => {
    const { make, scheduler } = bench();
    const queue = make('q');
    let told = 0;
    queue.send('a');
    const [first] = queue.receive(1);
    queue.onVisible(() => {
      told += 1;
    });
    scheduler.advance(29_999);
    expect(queue.receive(1)).toEqual([]);
    scheduler.advance(1);
    expect(told).toBe(1);
    const [second] = queue.receive(1);
    expect(second).toMatchObject({ body: 'a', messageId: first?.messageId, receiveCount: 2 });
    expect(second).toMatchObject({ sentAt: start, firstReceivedAt: start });
    expect(second?.receiptHandle).not.toBe(first?.receiptHandle);
  });

  it('deletes a message only by the handle of its current receive', () => {
    const { make, scheduler } = bench();
    const queue = make('q');
    queue.send('a');
    const [first] = queue.receive(1);
    scheduler.advance(30_000);
    expect(queue.delete(first?.receiptHandle ?? '')).toBe(false);
    const [second] = queue.receive(1);
    expect(queue.delete(first?.receiptHandle ?? '')).toBe(false);
    expect(queue.delete(second?.receiptHandle ?? '')).toBe(true);
    scheduler.advance(60_000);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 0 });
    expect(scheduler.waiting()).toBe(0);
  });

  it('moves a message to the dead-letter queue when it was received often enough, unchanged', () => {
    const { make, scheduler, events } = bench();
    const dead = make('dead');
    const queue = make('q', { redrive: { target: () => dead, maxReceiveCount: 2 } });
    const messageId = queue.send('a', { kind: { dataType: 'String', stringValue: 'x' } });
    for (let receives = 0; receives < 2; receives += 1) {
      expect(bodies(queue.receive(10))).toEqual(['a']);
      scheduler.advance(30_000);
    }
    expect(queue.receive(10)).toEqual([]);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 0 });
    expect(dead.receive(10)).toMatchObject([
      {
        body: 'a',
        messageId,
        sentAt: start,
        receiveCount: 1,
        deadLetterSourceArn: queue.arn,
        messageAttributes: { kind: { stringValue: 'x' } },
      },
    ]);
    expect(events).toMatchObject([{ kind: 'dead-letter', queueName: 'dead' }]);
  });

  it('gives a redriven message all its receives again', () => {
    const { make, scheduler } = bench();
    const dead = make('dead');
    const queue = make('q', { redrive: { target: () => dead, maxReceiveCount: 1 } });
    queue.send('a');
    queue.receive(1);
    scheduler.advance(30_000);
    queue.receive(1);
    expect(dead.redriveTo(queue)).toBe(1);
    expect(queue.receive(1)).toMatchObject([{ body: 'a', receiveCount: 1 }]);
  });

  it('counts retention from the first send, also after a move, and tells of the loss', () => {
    const { make, scheduler, events } = bench();
    const dead = make('dead', { retentionMillis: 100_000 });
    const queue = make('q', { redrive: { target: () => dead, maxReceiveCount: 1 } });
    queue.send('a');
    queue.receive(1);
    scheduler.advance(30_000);
    queue.receive(1);
    scheduler.advance(69_999);
    expect(dead.depth().visible).toBe(1);
    scheduler.advance(1);
    expect(dead.depth().visible).toBe(0);
    expect(events.at(-1)).toMatchObject({ kind: 'lost', where: 'dead' });
  });

  it('refuses a message over its limit, attributes counted, and an empty one', () => {
    const queue = bench().make('q', { maximumBytes: 1024 });
    queue.send('x'.repeat(1024));
    expect(() => queue.send('x'.repeat(1025))).toThrow(/1025 bytes, allowed are 1024/);
    const attribute = { a: { dataType: 'String', stringValue: 'b' } } as const;
    expect(() => queue.send('x'.repeat(1020), attribute)).toThrow(/1028 bytes/);
    expect(() => queue.send('')).toThrow(/empty/);
    expect(queue.depth().visible).toBe(1);
  });

  it('hands out another message than the oldest under the fault reorder, and loses none', () => {
    const { make, events } = bench();
    const queue = make('q', { faults: () => ({ ...noFaults, reorder: 1 }) });
    for (const body of ['a', 'b', 'c', 'd']) queue.send(body);
    const received = bodies(queue.receive(4));
    expect(received[0]).not.toBe('a');
    expect([...received].sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(events).toContainEqual({ kind: 'fault', fault: 'reorder', where: 'q' });
  });

  it('shows its messages to an onlooker without receiving them', () => {
    const queue = bench().make('q');
    queue.send('a');
    queue.send('b');
    queue.receive(1);
    expect(queue.peek()).toMatchObject([
      { body: 'a', state: 'in-flight', receiveCount: 1 },
      { body: 'b', state: 'visible', receiveCount: 0 },
    ]);
  });
});
