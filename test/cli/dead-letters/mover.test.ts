/** Goal: the mover loses no letter, whatever fails or ends it, and stops by itself. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DeadLetter,
  type MoveOptions,
  moveDeadLetters,
  type QueuePair,
} from '../../../cli/dead-letters/mover.ts';
import { epochMillis } from '../../../core/base/time.ts';

/** Two queues in memory; what is received is hidden until `reappear`. */
class Queues implements QueuePair<DeadLetter> {
  readonly dead = new Map<string, DeadLetter>();
  readonly queue: string[] = [];
  readonly hidden = new Set<string>();
  readonly batches: number[] = [];
  failSend: (id: string) => boolean = () => false;
  failRemove: (id: string) => boolean = () => false;
  /** Called before each step; throwing is the end of the process. */
  step: (name: string) => void = () => {};

  constructor(count: number, bytes = 10) {
    for (let n = 0; n < count; n++) {
      const messageId = `m-${n}`;
      const letter = {
        messageId,
        handle: messageId,
        body: 'x'.repeat(bytes),
        sentAt: epochMillis(n),
      };
      this.dead.set(messageId, letter);
    }
  }

  receive(max: number) {
    this.step('receive');
    const found = [...this.dead.values()].filter(({ messageId }) => !this.hidden.has(messageId));
    const given = found.slice(0, max);
    for (const { messageId } of given) this.hidden.add(messageId);
    return Promise.resolve(given);
  }

  send(letters: readonly DeadLetter[]) {
    this.step('send');
    this.batches.push(letters.reduce((sum, { body }) => sum + body.length, 0));
    const failed = letters.filter(({ messageId }) => this.failSend(messageId));
    for (const each of letters) if (!failed.includes(each)) this.queue.push(each.messageId);
    return Promise.resolve(new Map(failed.map((each) => [each, 'refused'])));
  }

  remove(letters: readonly DeadLetter[]) {
    this.step('remove');
    const failed = letters.filter(({ messageId }) => this.failRemove(messageId));
    for (const each of letters) if (!failed.includes(each)) this.dead.delete(each.messageId);
    return Promise.resolve(new Map(failed.map((each) => [each, 'refused'])));
  }

  reappear(): void {
    this.hidden.clear();
  }
}

function optionsOf(changes: Partial<MoveOptions> = {}): MoveOptions {
  return {
    max: Number.POSITIVE_INFINITY,
    rate: undefined,
    signal: new AbortController().signal,
    clock: () => epochMillis(0),
    wait: () => Promise.reject(new Error('nothing is waited for')),
    moved: () => {},
    ...changes,
  };
}

describe('the mover', () => {
  it('moves everything in batches, tells of each, and ends', async () => {
    const queues = new Queues(25);
    const told: number[] = [];
    const moved = await moveDeadLetters(queues, optionsOf({ moved: (n) => told.push(n) }));
    expect(moved).toMatchObject({ moved: 25, isInterrupted: false });
    expect([queues.dead.size, queues.queue.length, told]).toEqual([0, 25, [10, 10, 5]]);
  });

  it('takes no more than asked for', async () => {
    const queues = new Queues(25);
    expect((await moveDeadLetters(queues, optionsOf({ max: 12 }))).moved).toBe(12);
    expect([queues.dead.size, queues.hidden.size]).toEqual([13, 12]);
  });

  it('sends no batch that SQS would refuse for its size', async () => {
    const queues = new Queues(10, 100_000);
    expect((await moveDeadLetters(queues, optionsOf())).moved).toBe(10);
    expect(Math.max(...queues.batches)).toBeLessThan(262_144);
    expect(queues.batches.length).toBeLessThan(10);
  });

  it('leaves what the queue does not take where it is, says why, and does not try it for ever', async () => {
    const queues = new Queues(12);
    queues.failSend = (id) => id === 'm-3';
    queues.step = () => queues.reappear();
    const moved = await moveDeadLetters(queues, optionsOf());
    expect([moved.moved, [...moved.unsent]]).toEqual([11, [['m-3', 'refused']]]);
    expect([...queues.dead.keys()]).toEqual(['m-3']);
    expect(queues.queue).toHaveLength(11);
  });

  it('tries a delete that failed once more, and counts what stays', async () => {
    const queues = new Queues(3);
    let tries = 0;
    queues.failRemove = (id) => id === 'm-1' && ++tries < 2;
    expect((await moveDeadLetters(queues, optionsOf())).undeleted.size).toBe(0);
    const stubborn = new Queues(3);
    stubborn.failRemove = (id) => id === 'm-1';
    stubborn.step = () => stubborn.reappear();
    const moved = await moveDeadLetters(stubborn, optionsOf());
    expect([moved.moved, [...moved.undeleted.keys()]]).toEqual([3, ['m-1']]);
    expect(stubborn.queue).toHaveLength(3);
  });

  it('keeps to a rate, and takes no more at a time than that', async () => {
    const queues = new Queues(10);
    let now = 0;
    const waits: number[] = [];
    const wait = async (millis: number) => {
      waits.push(millis);
      now += millis;
    };
    const clock = () => epochMillis(now);
    expect((await moveDeadLetters(queues, optionsOf({ rate: 4, wait, clock }))).moved).toBe(10);
    expect([now, waits]).toEqual([2_500, [1_000, 1_000, 500]]);
  });

  it('ends after the batch in hand when it is interrupted, with nothing hidden', async () => {
    const queues = new Queues(30);
    const interrupt = new AbortController();
    const moved = await moveDeadLetters(
      queues,
      optionsOf({ signal: interrupt.signal, moved: () => interrupt.abort() }),
    );
    expect(moved).toMatchObject({ moved: 10, isInterrupted: true });
    expect([queues.dead.size, [...queues.dead.keys()].some((id) => queues.hidden.has(id))]).toEqual(
      [20, false],
    );
  });

  it('loses nothing wherever the process ends, and moves the rest when run again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(30), fc.nat(12), async (count, end) => {
        const queues = new Queues(count);
        let steps = 0;
        queues.step = () => {
          if (steps++ === end) throw new Error('the process is gone');
        };
        await moveDeadLetters(queues, optionsOf()).catch(() => undefined);
        const known = new Set([...queues.queue, ...queues.dead.keys()]);
        expect(known.size).toBe(count);
        queues.step = () => {};
        queues.reappear();
        await moveDeadLetters(queues, optionsOf());
        expect([queues.dead.size, new Set(queues.queue).size]).toEqual([0, count]);
        // No more than the one batch that was in hand goes twice.
        expect(queues.queue.length - count).toBeLessThanOrEqual(10);
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});
