/** Goal: without a network a device takes messages, keeps them, and says what it cannot take. */
import { describe, expect, it } from 'vitest';
import type { ConnectOptions } from '../../device/index.ts';
import { startFakeBroker } from '../local/fake-mqtt5-broker.ts';
import { newOutbox } from './folders.ts';
import { connectTo, receiptOf, startBroker } from './scripted.ts';

describe('without a network', () => {
  const nowhere = async (options: Partial<ConnectOptions> = {}) => {
    const broker = await startFakeBroker();
    await broker.close();
    return connectTo(broker.port, options);
  };

  it('connect resolves and messages are kept, listed, and sent by the next start', async () => {
    const outbox = newOutbox();
    const device = await nowhere({ outbox, waitMillis: 10 });
    expect(device.connected).toBe(false);
    const { id, bodyHash } = await device.keep('charges', { a: 1 });
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
    await device.keep('charges', {});
    await device.keep('charges', {});
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
    device.on('kept', () => {
      throw new Error('mine');
    });
    const listeners = process.listeners('uncaughtException');
    for (const listener of listeners.slice(0, -1)) process.off('uncaughtException', listener);
    await device.keep('charges', {});
    expect(await thrown).toMatchObject({ message: 'mine' });
    for (const listener of listeners.slice(0, -1)) process.on('uncaughtException', listener);
    expect(device.pending()).toHaveLength(1);
  });
});
