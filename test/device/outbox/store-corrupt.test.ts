/**
 * Goal: an outbox that cannot be read costs neither the device nor the messages in it. Method: the
 * files of a real outbox are spoiled between two starts.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect, type Device, readSetAside } from '../../../device/index.ts';
import { newOutbox } from '../folders.ts';

const open = (outbox: string, on = {}): Promise<Device> =>
  connect({
    url: 'mqtt://127.0.0.1:1',
    deviceId: 'm',
    outbox,
    routes: {
      charges: { topic: 't/m', idField: 'id' },
      counted: { topic: 'c/m', epochField: 'boot', seqField: 'seq' },
    },
    on,
  });

/** Overwrites what LevelDB begins with. */
function spoil(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /MANIFEST-\d+$/.test(name))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  for (const path of files) writeFileSync(path, 'spoiled');
  return files.length;
}

describe('an outbox that cannot be read', () => {
  it('is set aside whole and told, a new one begins, and counters begin a new epoch', async () => {
    const outbox = newOutbox();
    const before = await open(outbox);
    await before.enqueue('charges', { n: 1 }, { id: 'a' });
    const counted = await before.enqueue('counted', {});
    await before.close();
    expect(spoil(outbox)).toBeGreaterThan(0);
    const told: unknown[] = [];
    const device = await open(outbox, { 'store-corrupt': (error: unknown) => told.push(error) });
    expect(told).toEqual([device.setAside]);
    expect(device.setAside).toMatchObject({
      code: 'store-unreadable',
      folder: outbox,
      message: expect.stringContaining('may hold messages that were never booked'),
    });
    expect(device.pending()).toEqual([]);
    const again = await device.enqueue('counted', {});
    const [epoch, number] = again.id.split(':');
    expect(number).toBe('1');
    expect(counted.id).toMatch(/:1$/);
    expect(counted.id).not.toBe(`${epoch}:1`);
    await device.close();
    const bodies = [];
    for await (const { area, value } of readSetAside(device.setAside?.setAside ?? '')) {
      if (area === 'body') bodies.push(value.toString());
    }
    expect(bodies).toContain('{"n":1,"id":"a"}');
  });
});
