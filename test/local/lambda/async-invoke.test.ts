import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/base/time.ts';
import {
  type AsyncInvokerOptions,
  createAsyncInvoker,
} from '../../../local/lambda/async-invoke.ts';
import { mayInvoke } from '../../../local/lambda/invoke-permission.ts';
import { manualScheduler, systemScheduler } from '../../../local/timers.ts';
import { bench, failed, ok, start, steered, turn } from '../sqs/queue-fixture.ts';

function invoker(over: Partial<AsyncInvokerOptions> = {}) {
  const { common, make, scheduler, events } = bench();
  const { calls, invoke } = steered();
  const dead = make('dead');
  const failures = make('failures');
  const async = createAsyncInvoker({
    ...common,
    functionName: 'f',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    maximumRetryAttempts: 2,
    maximumEventAgeMillis: 21_600_000,
    deadLetterQueue: dead,
    onFailure: undefined,
    invoke,
    ...over,
  });
  const fail = async (): Promise<void> => {
    calls.at(-1)?.end(failed);
    await turn();
  };
  return { async, calls, dead, failures, scheduler, events, fail };
}

describe('asynchronous invocation', () => {
  it('tries again after one minute and after two, under one request id, then gives up', async () => {
    const { async, calls, dead, scheduler, events, fail } = invoker();
    const requestId = async.accept('{"n":1}');
    await fail();
    scheduler.advance(59_999);
    expect(calls).toHaveLength(1);
    scheduler.advance(1);
    expect(calls).toHaveLength(2);
    await fail();
    scheduler.advance(119_999);
    expect(calls).toHaveLength(2);
    scheduler.advance(1);
    expect(calls.map((call) => call.requestId)).toEqual([requestId, requestId, requestId]);
    expect(async.pending()).toBe(1);
    await fail();
    expect(async.pending()).toBe(0);
    expect(dead.peek()).toMatchObject([
      {
        body: '{"n":1}',
        messageAttributes: {
          RequestID: { dataType: 'String', stringValue: requestId },
          ErrorCode: { dataType: 'Number', stringValue: '200' },
          ErrorMessage: { dataType: 'String', stringValue: 'boom' },
        },
      },
    ]);
    expect(events).toMatchObject([{ kind: 'dead-letter', queueName: 'dead' }]);
  });

  it('ends with the first success', async () => {
    const { async, calls, dead, scheduler } = invoker();
    async.accept('{"n":1}');
    calls[0]?.end(ok(null));
    await turn();
    scheduler.advance(1_000_000);
    expect(calls).toMatchObject([{ event: { n: 1 } }]);
    expect([async.pending(), dead.depth().visible]).toEqual([0, 0]);
  });

  it('follows the template for the number of tries and sends a record to the destination', async () => {
    const { common, make } = bench();
    const onFailure = make('failures');
    const { async, calls, fail } = invoker({
      ...common,
      maximumRetryAttempts: 0,
      onFailure,
      deadLetterQueue: undefined,
    });
    async.accept('{"n":1}');
    await fail();
    expect(calls).toHaveLength(1);
    expect(JSON.parse(onFailure.peek()[0]?.body ?? '')).toMatchObject({
      version: '1.0',
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 1 },
      requestPayload: { n: 1 },
      responsePayload: { errorType: 'Error', errorMessage: 'boom' },
    });
  });

  it('does not try an event again that is older than the template allows', async () => {
    const { async, calls, dead, scheduler, fail } = invoker({ maximumEventAgeMillis: 100_000 });
    async.accept('{}');
    await fail();
    scheduler.advance(60_000);
    await fail();
    scheduler.advance(120_000);
    expect(calls).toHaveLength(2);
    expect(dead.depth().visible).toBe(1);
  });

  it('tells of an event that nobody keeps', async () => {
    const { async, events, fail } = invoker({
      maximumRetryAttempts: 0,
      deadLetterQueue: undefined,
    });
    async.accept('{}');
    await fail();
    expect(events).toMatchObject([{ kind: 'lost', where: 'f' }]);
  });

  it('refuses what is no JSON and what is over the limit', () => {
    const { async } = invoker();
    expect(() => async.accept('no json')).toThrow(/not JSON/);
    expect(() => async.accept(JSON.stringify('x'.repeat(1_048_576)))).toThrow(/allows 1048576/);
    expect(async.pending()).toBe(0);
  });
});

describe('the permission to invoke a function', () => {
  const permission = {
    functionName: 'f',
    principal: 'iot.amazonaws.com',
    sourceArn: 'arn:aws:iot:us-east-1:000000000000:rule/charges',
    sourceAccount: '000000000000',
  };
  const request = { ...permission };
  it('is given by a permission that fits in every part, wildcards understood', () => {
    expect(mayInvoke([permission], request)).toBe(true);
    const wide = { ...permission, sourceArn: 'arn:aws:iot:us-east-1:000000000000:rule/*' };
    expect(mayInvoke([wide], request)).toBe(true);
  });
  it.each([
    ['another function', { functionName: 'g' }],
    ['another service', { principal: 'events.amazonaws.com' }],
    ['another rule', { sourceArn: 'arn:aws:iot:us-east-1:000000000000:rule/other' }],
    ['another account', { sourceAccount: '111111111111' }],
  ])('is not given for %s', (_name, other) => {
    expect(mayInvoke([{ ...permission, ...other }], request)).toBe(false);
    expect(mayInvoke([], request)).toBe(false);
  });
});

describe('the scheduler', () => {
  it('divides waiting times by its speed, and refuses a speed that is none', async () => {
    const scheduler = systemScheduler(systemClock, 1_000_000);
    // An hour of the cloud at a speed of a million is 3.6 ms; at no speed the test would time out.
    await new Promise<void>((resolve) => void scheduler.after(3_600_000, resolve));
    expect(() => systemScheduler(systemClock, 0)).toThrow(/speed is 0/);
  });

  it('calls what falls due in the order of time, each at its own time', () => {
    const scheduler = manualScheduler(start);
    const seen: [string, number][] = [];
    const note = (name: string) => () => void seen.push([name, scheduler.now() - start]);
    scheduler.after(20, note('b'));
    scheduler.after(10, () => {
      note('a')();
      scheduler.after(5, note('between'));
    });
    const cancel = scheduler.after(12, note('never'));
    cancel();
    scheduler.advance(30);
    expect(seen).toEqual([
      ['a', 10],
      ['between', 15],
      ['b', 20],
    ]);
    expect(scheduler.now()).toBe(start + 30);
  });
});
