import { describe, expect, it } from 'vitest';
import {
  createEventSource,
  type EventSourceOptions,
  failedIds,
} from '../../../local/lambda/event-source.ts';
import { bench, failed, ok, start, steered, turn } from '../sqs/queue-fixture.ts';

function source(over: Partial<EventSourceOptions> = {}) {
  const { common, make, scheduler } = bench();
  const { calls, invoke } = steered();
  const queue = make('q');
  const mapping = createEventSource({
    ...common,
    queue,
    functionName: 'f',
    batchSize: 10,
    windowMillis: 0,
    reportsItemFailures: true,
    maximumConcurrency: 2,
    region: 'us-east-1',
    invoke,
    ...over,
  });
  return { queue, mapping, calls, scheduler };
}

const recordsOf = (event: unknown) =>
  (event as { Records: { body: string; messageId: string }[] }).Records;

describe('an event source mapping', () => {
  it('invokes the function with records in the documented shape', async () => {
    const { queue, calls } = source();
    queue.send('hello');
    await turn();
    expect(calls[0]?.event).toEqual({
      Records: [
        {
          messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          receiptHandle: expect.any(String),
          body: 'hello',
          attributes: {
            ApproximateReceiveCount: '1',
            SentTimestamp: String(start),
            SenderId: expect.any(String),
            ApproximateFirstReceiveTimestamp: String(start),
          },
          messageAttributes: {},
          md5OfBody: '5d41402abc4b2a76b9719d911017c592',
          eventSource: 'aws:sqs',
          eventSourceARN: queue.arn,
          awsRegion: 'us-east-1',
        },
      ],
    });
  });

  it('puts what arrives together into one batch and never exceeds the batch size', async () => {
    const { queue, calls } = source();
    for (let n = 0; n < 14; n += 1) queue.send(String(n));
    await turn();
    expect(calls.map(({ event }) => recordsOf(event).length)).toEqual([10, 4]);
  });

  it('runs no more batches at once than allowed, and goes on when one ends', async () => {
    const { queue, calls } = source({ batchSize: 1 });
    for (const body of ['a', 'b', 'c']) queue.send(body);
    await turn();
    expect(calls).toHaveLength(2);
    calls[0]?.end(ok(null));
    await turn();
    expect(calls).toHaveLength(3);
  });

  it('deletes what succeeded and leaves what failed to the visibility time-out', async () => {
    const { queue, calls, scheduler } = source();
    queue.send('good');
    queue.send('bad');
    await turn();
    const bad = recordsOf(calls[0]?.event)[1]?.messageId;
    calls[0]?.end(ok({ batchItemFailures: [{ itemIdentifier: bad }] }));
    await turn();
    expect(queue.peek().map(({ body }) => body)).toEqual(['bad']);
    expect(calls).toHaveLength(1);
    scheduler.advance(30_000);
    await turn();
    expect(recordsOf(calls[1]?.event).map(({ body }) => body)).toEqual(['bad']);
  });

  it.each([
    ['a function error', failed],
    ['a crash', { kind: 'crash' }],
    ['a time-out', { kind: 'time-out' }],
  ] as const)('keeps the whole batch after %s', async (_name, outcome) => {
    const { queue, calls } = source();
    queue.send('a');
    queue.send('b');
    await turn();
    calls[0]?.end(outcome);
    await turn();
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 2 });
  });

  it('waits for a full batch no longer than its window', async () => {
    const { queue, calls, scheduler } = source({ batchSize: 2, windowMillis: 5000 });
    queue.send('a');
    await turn();
    scheduler.advance(4999);
    await turn();
    expect(calls).toHaveLength(0);
    scheduler.advance(1);
    await turn();
    expect(calls).toHaveLength(1);
    queue.send('b');
    queue.send('c');
    await turn();
    expect(calls.map(({ event }) => recordsOf(event).length)).toEqual([1, 2]);
  });

  it('takes nothing more once it is closed, and waits for what runs', async () => {
    const { queue, calls, mapping } = source();
    queue.send('a');
    await turn();
    const closing = mapping.close();
    queue.send('b');
    calls[0]?.end(ok(null));
    await closing;
    await turn();
    expect(calls).toHaveLength(1);
    expect(queue.depth()).toEqual({ visible: 1, inFlight: 0 });
  });
});

describe('ReportBatchItemFailures', () => {
  const batch = [{ messageId: 'm1' }, { messageId: 'm2' }];
  it.each([
    ['no answer', null, []],
    ['an absent answer', undefined, []],
    ['an empty answer', {}, []],
    ['an empty list', { batchItemFailures: [] }, []],
    ['a null list', { batchItemFailures: null }, []],
    ['one id', { batchItemFailures: [{ itemIdentifier: 'm2' }] }, ['m2']],
    ['an unknown id', { batchItemFailures: [{ itemIdentifier: 'm3' }] }, ['m1', 'm2']],
    ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }, ['m1', 'm2']],
    ['a null id', { batchItemFailures: [{ itemIdentifier: null }] }, ['m1', 'm2']],
    ['a wrong key', { batchItemFailures: [{ id: 'm1' }] }, ['m1', 'm2']],
    ['a list of text', { batchItemFailures: ['m1'] }, ['m1', 'm2']],
    ['a list that is none', { batchItemFailures: 'm1' }, ['m1', 'm2']],
    ['text', 'm1', ['m1', 'm2']],
  ])('reads %s as AWS does', (_name, result, expected) => {
    expect([...failedIds(ok(result), batch, true)]).toEqual(expected);
  });

  it('is not looked at when the mapping does not ask for it', () => {
    const result = { batchItemFailures: [{ itemIdentifier: 'm1' }] };
    expect(failedIds(ok(result), batch, false).size).toBe(0);
  });
});
