/**
 * Publishes a charge and prints its receipt. Bring the local cloud up first (`npm start`), then
 *
 *     node --import tsx examples/1-publish.ts
 *
 * Outside this repository the import is `from 'tollbridge-device'`.
 */
import { connect } from '../device/index.ts';

const device = await connect({
  url: process.env.TOLLBRIDGE_URL ?? 'mqtt://127.0.0.1:1883',
  deviceId: 'meter-17',
  // One folder for this device alone. What is in it survives a crash.
  outbox: process.env.TOLLBRIDGE_OUTBOX ?? '.tollbridge/examples/meter-17',
  // As `npm run -s tollbridge -- device-profile meter-17` prints it.
  routes: { charges: { topic: 'billing/meter-17/charges', idField: 'id' } },
  on: { disconnected: ({ reason }) => process.stderr.write(`not connected: ${reason}\n`) },
});

// Resolves when the charge is booked, however often the line is cut before that.
const receipt = await device.publish('charges', {
  account: 'acme',
  kWh: '1.25',
  at: new Date().toISOString(),
});
process.stdout.write(`${JSON.stringify(receipt)}\n`);

await device.close();
