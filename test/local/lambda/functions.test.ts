import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../core/base/time.ts';
import type { FunctionPlan } from '../../../local/assembly/plan.ts';
import type { CloudEvent } from '../../../local/contracts.ts';
import {
  createFunctionPool,
  type FunctionPool,
  type FunctionPoolOptions,
} from '../../../local/lambda/function-pool.ts';

const folders: string[] = [];
const pools: FunctionPool[] = [];

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function bundle(code: string, file = 'index.mjs'): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-function-'));
  folders.push(folder);
  writeFileSync(join(folder, file), code);
  return folder;
}

function planOf(folder: string, over: Partial<FunctionPlan> = {}): FunctionPlan {
  return {
    stack: 'S',
    logicalId: 'F1234',
    name: 'S-F1234',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:S-F1234',
    roleArn: 'arn:aws:iam::000000000000:role/S-Role',
    folder,
    handler: 'index.handler',
    runtime: 'nodejs24.x',
    memoryMegabytes: 128,
    timeoutSeconds: 60,
    environment: {},
    logGroupName: '/aws/lambda/S-F1234',
    logFormat: 'Text',
    logLevel: undefined,
    reservedConcurrency: undefined,
    deadLetterArn: undefined,
    maximumRetryAttempts: 2,
    maximumEventAgeSeconds: 21_600,
    onFailureArn: undefined,
    ...over,
  };
}

function poolOf(
  code: string,
  over: Partial<FunctionPlan> = {},
  options: Partial<FunctionPoolOptions> = {},
) {
  const events: CloudEvent[] = [];
  const waiting = new Set<() => void>();
  const pool = createFunctionPool({
    functions: [planOf(bundle(code), over)],
    region: 'us-east-1',
    apiUrl: 'http://127.0.0.1:1',
    clock: systemClock,
    observe: (event) => {
      events.push(event);
      for (const look of waiting) look();
    },
    changed: () => undefined,
    ...options,
  });
  pools.push(pool);
  /** Resolves when so many lines have been logged. */
  const logged = (count: number): Promise<readonly string[]> =>
    new Promise((resolve) => {
      const look = (): void => {
        const lines = events.flatMap((event) => (event.kind === 'log' ? [event.line] : []));
        if (lines.length >= count) resolve(lines);
      };
      waiting.add(look);
      look();
    });
  return { pool, events, logged, run: (event: unknown = {}) => pool.invoke('S-F1234', event) };
}

const firstKey = 'LOCAL000000000000001';
const secondKey = 'LOCAL000000000000002';

describe('a function', () => {
  it('runs its real bundle, and keeps its module state while it is warm', async () => {
    const { run } = poolOf(
      'let calls = 0; export const handler = async (event) => ({ event, calls: ++calls });',
    );
    expect(await run({ a: 1 })).toEqual({ kind: 'ok', result: { event: { a: 1 }, calls: 1 } });
    expect(await run({ a: 2 })).toEqual({ kind: 'ok', result: { event: { a: 2 }, calls: 2 } });
  });

  it("sees the template's variables and those of Lambda, and nothing of this process", async () => {
    process.env.TOLLBRIDGE_TEST_LEAK = 'leaked';
    const { run } = poolOf('export const handler = async () => process.env;', {
      environment: { TABLE: 't', AWS_ENDPOINT_URL_IOT_DATA_PLANE: 'https://cloud.example' },
      logFormat: 'JSON',
    });
    const outcome = await run();
    delete process.env.TOLLBRIDGE_TEST_LEAK;
    expect(outcome).toEqual({
      kind: 'ok',
      result: {
        LANG: 'en_US.UTF-8',
        TZ: 'UTC',
        PATH: '/usr/local/bin:/usr/bin:/bin',
        TABLE: 't',
        _HANDLER: 'index.handler',
        LAMBDA_TASK_ROOT: folders[0],
        AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
        AWS_LAMBDA_FUNCTION_NAME: 'S-F1234',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
        AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/S-F1234',
        AWS_LAMBDA_LOG_STREAM_NAME: firstKey,
        AWS_LAMBDA_LOG_FORMAT: 'JSON',
        AWS_LAMBDA_LOG_LEVEL: 'INFO',
        AWS_REGION: 'us-east-1',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: firstKey,
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_SESSION_TOKEN: 'local',
        AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
        AWS_ENDPOINT_URL_IOT_DATA_PLANE: 'http://127.0.0.1:1',
      },
    });
  });

  it('finds what Lambda gives in its context', async () => {
    const { pool } = poolOf(
      'export const handler = async (_event, context) => ({ ...context, left: context.getRemainingTimeInMillis() });',
    );
    const outcome = await pool.invoke('S-F1234', {}, 'request-1');
    expect(outcome).toMatchObject({
      kind: 'ok',
      result: {
        functionName: 'S-F1234',
        awsRequestId: 'request-1',
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:S-F1234',
        memoryLimitInMB: '128',
        logGroupName: '/aws/lambda/S-F1234',
        logStreamName: firstKey,
        callbackWaitsForEmptyEventLoop: true,
      },
    });
    const { left } = (outcome as { result: { left: number } }).result;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  it('ends in an error when it throws, and stays warm', async () => {
    const { run, events } = poolOf(
      'let calls = 0; export const handler = async () => { calls += 1; if (calls === 1) throw new RangeError("boom"); return calls; };',
    );
    expect(await run()).toEqual({ kind: 'error', errorType: 'RangeError', message: 'boom' });
    expect(await run()).toEqual({ kind: 'ok', result: 2 });
    expect(events.filter((event) => event.kind === 'invocation')).toMatchObject([
      { outcome: 'error', error: 'RangeError: boom' },
      { outcome: 'ok', error: undefined },
    ]);
  });

  it('ends in a crash when its process ends in the middle, and the next event gets a new one', async () => {
    const { run } = poolOf(
      'let calls = 0; export const handler = async (event) => { calls += 1; if (event.exit) process.exit(3); return calls; };',
    );
    expect(await run()).toMatchObject({ result: 1 });
    expect(await run({ exit: true })).toEqual({ kind: 'crash' });
    expect(await run()).toMatchObject({ result: 1 });
  });

  it('is ended at its time-out, even when it never lets go of the processor', async () => {
    const code =
      'export const handler = async (event) => { while (event.spin); return process.env.AWS_ACCESS_KEY_ID; };';
    const { run } = poolOf(code, { timeoutSeconds: 1 });
    expect(await run()).toMatchObject({ result: firstKey });
    expect(await run({ spin: true })).toEqual({ kind: 'time-out' });
    expect(await run()).toMatchObject({ result: secondKey });
  });

  it.each([
    [
      'does not load',
      'throw new TypeError("broken");',
      { errorType: 'TypeError', message: 'broken' },
    ],
    ['exports no handler', 'export const other = 1;', { errorType: 'Runtime.HandlerNotFound' }],
    [
      'takes a callback',
      'export const handler = (event, context, callback) => callback(null, 1);',
      { errorType: 'Runtime.CallbackHandlerDeprecated' },
    ],
    [
      'answers what is no JSON',
      'export const handler = async () => 1n;',
      { errorType: 'TypeError' },
    ],
  ])('ends in an error when its bundle %s', async (_name, code, expected) => {
    expect(await poolOf(code).run()).toMatchObject({ kind: 'error', ...expected });
  });

  it('logs each line of both its outputs', async () => {
    const { run, logged } = poolOf(
      'export const handler = async () => { console.log("one\\ntwo"); console.error("three"); };',
    );
    await run();
    expect([...(await logged(3))].sort()).toEqual(['one', 'three', 'two']);
  });

  it('runs at most so many environments at once as its bound, and events wait in order', async () => {
    const code = `
      export const handler = async (event) => {
        console.log(process.env.AWS_ACCESS_KEY_ID + ' ' + event.n);
        if (event.hold) await new Promise(() => setInterval(() => {}, 1000));
        return event.n;
      };`;
    const { run, logged, pool } = poolOf(code, { reservedConcurrency: 1 });
    const held = run({ n: 1, hold: true });
    const others = [run({ n: 2 }), run({ n: 3 })];
    expect(await logged(1)).toEqual([`${firstKey} 1`]);
    expect(pool.busy()).toBe(3);
    await pool.kill(firstKey);
    expect(await held).toEqual({ kind: 'crash' });
    expect(await Promise.all(others)).toMatchObject([{ result: 2 }, { result: 3 }]);
    expect(await logged(3)).toEqual([`${firstKey} 1`, `${secondKey} 2`, `${secondKey} 3`]);
  });

  it('is known by the key of its child, also after the child has ended', async () => {
    const { run, pool } = poolOf('export const handler = async () => 1;');
    await run();
    expect(await pool.kill(firstKey)).toBe(true);
    expect(await pool.kill(firstKey)).toBe(false);
    expect(pool.callerOf(firstKey)).toMatchObject({
      functionName: 'S-F1234',
      roleArn: 'arn:aws:iam::000000000000:role/S-Role',
    });
    expect(pool.callerOf(secondKey)).toBeUndefined();
  });

  it('runs an override in place of its asset, named by the beginning of its logical id', async () => {
    const folder = bundle('export const handler = async () => "broken on purpose";');
    const { run } = poolOf(
      'export const handler = async () => "asset";',
      {},
      { overrides: { F1: folder } },
    );
    expect(await run()).toMatchObject({ result: 'broken on purpose' });
  });

  it('must be known by name, and an override must fit one function', async () => {
    const { pool } = poolOf('export const handler = async () => 1;');
    await expect(pool.invoke('nobody', {})).rejects.toThrow(/no function "nobody".*S-F1234/);
    expect(() => poolOf('', {}, { overrides: { Nope: tmpdir() } })).toThrow(
      /fits 0 functions.*F1234/,
    );
    expect(() => poolOf('', { environment: { AWS_REGION: 'x' } })).toThrow(/AWS_REGION.*reserves/);
  });

  it('leaves no child behind when the pool is closed', async () => {
    const { run, pool, logged } = poolOf(
      'export const handler = async () => { console.log(process.pid); await new Promise(() => setInterval(() => {}, 1000)); };',
    );
    const outcome = run();
    const [pid] = await logged(1);
    await pool.close();
    expect(await outcome).toEqual({ kind: 'crash' });
    expect(() => process.kill(Number(pid), 0)).toThrow(/ESRCH/);
    expect(await run()).toEqual({ kind: 'crash' });
  });
});
