/**
 * The full handshake: after the receipt the device releases its ids, and forgets each when the
 * bridge has confirmed it. The ledger then says of every booking that its device knows of it.
 *
 *     node --import tsx examples/3-full-handshake.ts
 */
import { connect } from '../device/index.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

const device = await connect({
  url: process.env.TOLLBRIDGE_URL ?? 'mqtt://127.0.0.1:1883',
  deviceId: 'meter-19',
  outbox: process.env.TOLLBRIDGE_OUTBOX ?? '.tollbridge/examples/meter-19',
  routes: {
    charges: { topic: 'billing/meter-19/charges', idField: 'id', handshake: 'full' },
  },
  on: {
    sent: ({ id }) => say(`PUBLISH    ${id}`),
    receipt: ({ id, outcome }) => say(`receipt    ${id} ${outcome}`),
    completed: ({ id }) => say(`completed  ${id}`),
  },
});

for (const kWh of ['1.25', '0.75', '2']) {
  // Not awaited one by one: up to 100 may be on the way.
  const receipt = device.publish('charges', { account: 'acme', kWh, at: new Date().toISOString() });
  receipt.catch((error: Error) => say(error.message));
}

// Ends when every message has its receipt and every id is completed.
await device.drain({ timeoutMillis: 60_000 });
say(`held: ${JSON.stringify(device.stats())}`);
await device.close();
