/**
 * One device as a process: says what it is told to and tells what becomes of it. It may be ended
 * with SIGKILL at any moment, and is started again with its outbox.
 */
import { connect, type Device } from '../../../device/index.ts';
import { routesOf } from '../plan.ts';
import type { DeviceOrders, ToDevice } from '../words.ts';
import { farewell, memory, onParent, tellParent } from './inside.ts';

const orders = JSON.parse(process.argv[2] ?? '') as DeviceOrders;
const device: Device = await connect({
  url: orders.url,
  deviceId: orders.device,
  outbox: orders.outbox,
  routes: routesOf(orders.device, orders.index),
  // Longer than a busy machine takes to answer: what is handled should not be copies alone.
  retry: { firstMillis: 8_000, maxMillis: 20_000 },
  reconnect: { firstMillis: 100, maxMillis: 1_000 },
  on: {
    receipt: ({ route, id, bookedAt }) => tellParent({ kind: 'receipt', route, id, bookedAt }),
    completed: ({ route, id }) => tellParent({ kind: 'completed', route, id }),
    rejected: ({ route, id, reason }) => {
      tellParent({ kind: 'rejected', route, reason });
      // A person has looked at it: what the bridge refused lies in its quarantine as well.
      void device.rejected.discard(route, id);
    },
  },
});

async function say({ serial, route, id, body }: Extract<ToDevice, { kind: 'say' }>): Promise<void> {
  try {
    const { receipt } = await device.enqueue(route, body, id === undefined ? {} : { id });
    // What becomes of it is told by events, also of what an earlier life has kept.
    receipt.catch(() => {});
    tellParent({ kind: 'kept', serial });
  } catch (error) {
    tellParent({ kind: 'untaken', serial, why: String(error) });
  }
}

async function carryOut(order: Exclude<ToDevice, { kind: 'say' }>): Promise<unknown> {
  switch (order.kind) {
    case 'state':
      return memory();
    case 'pending':
      return device.pending().length;
    case 'drain':
      return device.drain();
    case 'close':
      return device.close();
  }
}

onParent<ToDevice>((order) => {
  if (order.kind === 'say') {
    void say(order);
    return;
  }
  void carryOut(order).then((value) => {
    tellParent({ kind: 'answer', ask: order.ask, value });
    if (order.kind === 'close') farewell();
  });
});
tellParent({ kind: 'open' });
