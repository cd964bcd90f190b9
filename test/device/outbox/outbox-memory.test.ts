/** Goal: a message that waits takes little memory, whatever its body measures. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { connect, type Device } from '../../../device/index.ts';
import { newOutbox } from '../folders.ts';

const MESSAGES = 2_000;
const TOGETHER = 500;
const NOTE = 'x'.repeat(4_000);
/** It is 770 in Node.js 20: its names, its record and state, and the promise of its receipt. */
const BYTES_MAX = 1_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What is reachable, with the memory of buffers; the second collection frees what those held. */
async function reachable(): Promise<number> {
  for (let n = 0; n < 2; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function keepAll(device: Device, from: number): Promise<void> {
  for (let n = from; n < from + MESSAGES; n += TOGETHER) {
    const some = Array.from({ length: TOGETHER }, () => device.enqueue('charges', { note: NOTE }));
    await Promise.all(some);
  }
}

describe('a message that waits', () => {
  it(`takes less than ${BYTES_MAX} bytes, though its body has more than ${NOTE.length}`, async () => {
    const device = await connect({
      // A port that nobody may listen on.
      url: 'mqtt://127.0.0.1:1',
      deviceId: 'm',
      outbox: newOutbox(),
      routes: { charges: { topic: 'billing/m/charges', idField: 'id' } },
      on: { disconnected: () => {} },
    });
    // So that what is made once is there: code, tables, buffers.
    await keepAll(device, 0);
    const before = await reachable();
    await keepAll(device, MESSAGES);
    const each = ((await reachable()) - before) / MESSAGES;
    expect(device.stats().messages).toBe(2 * MESSAGES);
    await device.close();
    expect(each).toBeLessThan(BYTES_MAX);
  });
});
