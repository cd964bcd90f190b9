/** Goal: without a network a device takes messages, keeps them, and says what it cannot take. */
import { describe, expect, it } from 'vitest';
import { Device } from '../../device/device.ts';
import type { ConnectOptions } from '../../device/index.ts';
import { checkOptions, systemTimers } from '../../device/options.ts';
import { openStore } from '../../device/store/store.ts';
import { startFakeBroker } from '../local/iot/fake-mqtt5-broker.ts';
import { connectTo, receiptOf, startBroker, TOPIC } from './connection/scripted-fixture.ts';
import { startWorld } from './fake-world.ts';
import { newOutbox } from './folders.ts';

describe('without a network', () => {
  it('a drain that is given up leaves nothing behind', async () => {
    let late = 0;
    const after = (millis: number, task: () => void) => {
      let isOver = false;
      const run = () => {
        isOver = true;
        task();
      };
      const cancel = systemTimers.after(millis, run);
      return () => {
        if (isOver && millis === 7) late += 1;
        cancel();
      };
    };
    const device = await nowhere({ timers: { now: systemTimers.now, after } });
    await device.enqueue('charges', {});
    for (let n = 0; n < 3; n++) {
      await expect(device.drain({ timeoutMillis: 7 })).rejects.toThrow(/1 messages are unfinished/);
    }
    await device.close();
    expect(late).toBe(0);
  });

  it('nobody is left waiting, though the outbox cannot be closed', async () => {
    const settings = await checkOptions({
      ...{ url: 'mqtt://127.0.0.1:1', deviceId: 'm', outbox: 'memory' },
      routes: { charges: { topic: TOPIC, idField: 'id' } },
    });
    const { outbox, store } = await startWorld();
    store.close = () => Promise.reject(new Error('told to fail'));
    const device = new Device({ settings, store, outbox, setAside: undefined });
    const { receipt } = await device.enqueue('charges', {});
    const drained = device.drain();
    drained.catch(() => {});
    await expect(device.close()).rejects.toThrow('told to fail');
    await expect(receipt).rejects.toMatchObject({ code: 'closed', kept: true });
    await expect(drained).rejects.toMatchObject({ code: 'closed' });
  });

  it('close frees the store and its lock, though a step before that fails', async () => {
    const folder = newOutbox();
    const settings = await checkOptions({
      ...{ url: 'mqtt://127.0.0.1:1', deviceId: 'm', outbox: folder },
      routes: { charges: { topic: TOPIC, idField: 'id' } },
    });
    const { store } = await openStore(folder);
    const { outbox } = await startWorld();
    outbox.flushed = () => Promise.reject(new Error('told to fail'));
    const device = new Device({ settings, store, outbox, setAside: undefined });
    await expect(device.close()).rejects.toThrow('told to fail');
    const again = await openStore(folder);
    await again.store.close();
  });

  const nowhere = async (options: Partial<ConnectOptions> = {}) => {
    const broker = await startFakeBroker();
    await broker.close();
    return connectTo(broker.port, options);
  };

  it('connect resolves and messages are kept, listed, and sent by the next start', async () => {
    const outbox = newOutbox();
    const device = await nowhere({ outbox, waitMillis: 10 });
    expect(device.connected).toBe(false);
    const { id, bodyHash } = await device.enqueue('charges', { a: 1 });
    expect(device.pending()).toMatchObject([
      { route: 'charges', id, bodyHash, tries: 0, bytes: 51 },
    ]);
    await expect(device.drain({ timeoutMillis: 5 })).rejects.toMatchObject({
      code: 'drain-timeout',
      pending: 1,
    });
    await device.close();
    const broker = await startBroker();
    const receipts: string[] = [];
    const again = await connectTo(broker.port, {
      outbox,
      on: { receipt: ({ id: booked }) => receipts.push(booked) },
    });
    const receipt = again.receiptOf('charges', id);
    expect(await broker.received('publish')).toMatchObject({
      payload: Buffer.from(`{"a":1,"id":"${id}"}`),
    });
    broker.send(receiptOf(id, bodyHash));
    expect(await receipt).toMatchObject({ id, outcome: 'accepted' });
    await again.drain();
    expect(receipts).toEqual([id]);
    expect(again.receiptOf('charges', id)).toBeUndefined();
  });

  it('a full outbox refuses more, drops nothing, and says what to do', async () => {
    const device = await nowhere({ limits: { messages: 2 } });
    await device.enqueue('charges', {});
    await device.enqueue('charges', {});
    await expect(device.publish('charges', {})).rejects.toMatchObject({
      code: 'outbox-full',
      message: expect.stringContaining('Nothing was dropped'),
    });
    expect(device.pending()).toHaveLength(2);
  });

  it('one outbox is open once', async () => {
    const outbox = newOutbox();
    await nowhere({ outbox });
    await expect(nowhere({ outbox })).rejects.toMatchObject({ code: 'store-locked' });
  });

  it('a listener that throws does not disturb the sender', async () => {
    const device = await nowhere({});
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    device.on('enqueued', () => {
      throw new Error('mine');
    });
    const listeners = process.listeners('uncaughtException');
    for (const listener of listeners.slice(0, -1)) process.off('uncaughtException', listener);
    await device.enqueue('charges', {});
    expect(await thrown).toMatchObject({ message: 'mine' });
    for (const listener of listeners.slice(0, -1)) process.on('uncaughtException', listener);
    expect(device.pending()).toHaveLength(1);
  });
});
