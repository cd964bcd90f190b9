/**
 * A power cut between publish and receipt: the process kills itself, and its next start sends what
 * was left, the same bytes under the same id.
 *
 *     node --import tsx examples/2-restart.ts
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect } from '../device/index.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const isFirstLife = process.argv[2] === 'first-life';

if (!isFirstLife) {
  const self = fileURLToPath(import.meta.url);
  const options = { stdio: 'inherit' as const };
  const { signal } = spawnSync(process.execPath, ['--import', 'tsx', self, 'first-life'], options);
  say(`the first process ended with ${signal}`);
}

const device = await connect({
  url: process.env.TOLLBRIDGE_URL ?? 'mqtt://127.0.0.1:1883',
  deviceId: 'meter-18',
  outbox: process.env.TOLLBRIDGE_OUTBOX ?? '.tollbridge/examples/meter-18',
  routes: { charges: { topic: 'billing/meter-18/charges', idField: 'id' } },
  // Listeners that are given here miss nothing.
  on: { receipt: ({ id, outcome }) => say(`${id} is booked (${outcome})`) },
});

if (isFirstLife) {
  // `enqueue` resolves when the message is on disk, `publish` when it is booked.
  const { id } = await device.enqueue('charges', {
    account: 'acme',
    kWh: '0.5',
    at: new Date().toISOString(),
  });
  say(`${id} is on disk; the power goes out`);
  process.kill(process.pid, 'SIGKILL');
}

for (const { id, since } of device.pending()) {
  say(`${id} was left, published at ${new Date(since).toISOString()}`);
}
await device.drain();
say('nothing is left');
await device.close();
