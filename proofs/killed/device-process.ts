/**
 * One device as a process: publishes what it is ordered to and says what becomes of it. It is ended
 * with SIGKILL at any moment, and started again with its outbox.
 */
import { writeSync } from 'node:fs';
import pLimit from 'p-limit';
import { connect } from '../../device/index.ts';
import { bodyOf, kindOf, type Orders, routesOf, type Said } from './plan.ts';

/** Straight into the pipe: what was said stays said when the process is killed right after. */
function say(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`);
}

const orders = JSON.parse(process.argv[2] ?? '') as Orders;
const kind = kindOf(orders.index);
const device = await connect({
  url: orders.url,
  deviceId: orders.device,
  outbox: orders.outbox,
  routes: routesOf(orders.device, kind),
  retry: { firstMillis: 4_000, maxMillis: 20_000 },
  reconnect: { firstMillis: 100, maxMillis: 1_000 },
});

// What the library names is told by its order: the n-th message that is kept is the n-th called.
const called: string[] = [];
device.on('enqueued', ({ id }) => {
  const serial = kind.namesIds ? id : called.shift();
  if (serial !== undefined) say({ kind: 'kept', serial });
});
device.on('receipt', ({ route, id, bookedAt }) => say({ kind: 'receipt', route, id, bookedAt }));

device.on('completed', ({ route, id }) => say({ kind: 'completed', route, id }));

async function publish(serial: string): Promise<void> {
  say({ kind: 'called', serial });
  called.push(serial);
  const options = kind.namesIds ? { id: serial } : {};
  try {
    const receipt = await device.publish(kind.route, bodyOf(serial, orders.at), options);
    const { route, id, bookedAt } = receipt;
    say({ kind: 'booked', serial, route, id, bookedAt });
  } catch (error) {
    say({ kind: 'failed', text: String(error) });
  }
}

const limit = pLimit(5);
await Promise.all(orders.serials.map((serial) => limit(publish, serial)));
await device.drain();
say({ kind: 'drained' });
await device.close();
