/**
 * A device as a process of its own, to be killed: `crash-child.ts PORT NAME OUTBOX MODE`. It prints a
 * JSON line for each event. MODE says where it ends itself with SIGKILL, or what it does:
 * `at-kept`, `at-sent`, `at-forget`, `drain`, or `many` (it publishes serials until it is killed).
 */
import { ClassicLevel } from 'classic-level';
import { connect } from '../../device/index.ts';

const [port, name = '', outbox = '', mode = ''] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const die = () => process.kill(process.pid, 'SIGKILL');

if (mode === 'at-forget') {
  const { batch } = ClassicLevel.prototype;
  ClassicLevel.prototype.batch = function (this: ClassicLevel, ...args: unknown[]) {
    // The receipt has come, and the message is about to be forgotten.
    const [operations] = args;
    if (Array.isArray(operations) && operations.some(({ type }) => type === 'del')) die();
    return Reflect.apply(batch, this, args);
  } as typeof batch;
}

const device = await connect({
  url: `mqtt://127.0.0.1:${port}`,
  deviceId: name,
  outbox,
  routes: {
    charges: { topic: `billing/${name}/charges`, idField: 'id' },
    full: { topic: `full/${name}`, idField: 'id', handshake: 'full' },
  },
  reconnect: { firstMillis: 20, maxMillis: 100 },
  retry: { firstMillis: 1_000, maxMillis: 2_000 },
  releaseLingerMillis: 20,
  on: {
    enqueued: ({ id }) => (mode === 'at-kept' ? die() : say({ kept: id })),
    sent: () => mode === 'at-sent' && die(),
    receipt: ({ id }) => say({ booked: id }),
  },
});
say({ pending: device.pending().map(({ id, bodyHash }) => ({ id, bodyHash })) });
const charge = (fields: object) => ({
  account: 'acme',
  kWh: '1.25',
  at: new Date().toISOString(),
  ...fields,
});

switch (mode) {
  case 'drain':
    await device.drain();
    await device.close();
    break;
  case 'many': {
    const first = Date.now();
    for (let n = 0; n < 120; n++) {
      const route = n % 4 === 0 ? 'full' : 'charges';
      device.publish(route, charge({ serial: `${first}-${n}` })).catch(() => {});
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    break;
  }
  default:
    device.publish('charges', charge({ mode })).catch(() => {});
}
