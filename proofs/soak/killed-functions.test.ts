/** Goal: functions are killed by the hundred in a soak, and nothing of them stays in the cloud. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queryObjects } from 'node:v8';
import { expect, it } from 'vitest';
import { systemClock } from '../../core/base/time.ts';
import { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts';
import { createFunctionPool } from '../../local/lambda/function-pool.ts';

const KILLS = 4;
const CODE = 'export const handler = async () => process.env.AWS_ACCESS_KEY_ID;';

it('a function that was killed is known by its key, and nothing else of it is kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-killed-function-'));
  writeFileSync(join(folder, 'index.mjs'), CODE);
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:one';
  const pool = createFunctionPool({
    functions: [
      {
        stack: 'S',
        logicalId: 'One',
        name: 'one',
        arn,
        roleArn: 'role',
        folder,
        handler: 'index.handler',
        runtime: 'nodejs24.x',
        memoryMegabytes: 128,
        timeoutSeconds: 60,
        environment: {},
        logGroupName: '/aws/lambda/one',
        logFormat: 'Text',
        logLevel: undefined,
        reservedConcurrency: undefined,
        deadLetterArn: undefined,
        maximumRetryAttempts: 2,
        maximumEventAgeSeconds: 21_600,
        onFailureArn: undefined,
      },
    ],
    region: 'us-east-1',
    apiUrl: 'http://127.0.0.1:1',
    clock: systemClock,
    observe: () => {},
    changed: () => {},
  });
  try {
    const keys: string[] = [];
    for (let n = 0; n < KILLS; n++) {
      const outcome = await pool.invoke('one', {});
      const key = outcome.kind === 'ok' ? String(outcome.result) : '';
      keys.push(key);
      expect(pool.callerOf(key)).toEqual({ functionName: 'one', roleArn: 'role' });
      expect(await pool.kill(key)).toBe(true);
      expect(pool.callerOf(key)).toEqual({ functionName: 'one', roleArn: 'role' });
      expect(await pool.kill(key)).toBe(false);
    }
    expect(new Set(keys).size).toBe(KILLS);
    // The last may still be held by what ended it.
    expect(queryObjects(ExecutionEnvironment, { format: 'count' })).toBeLessThanOrEqual(1);
  } finally {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
