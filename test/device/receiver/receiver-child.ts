/**
 * A process that receives, and kills itself at a given place. Its effects are lines of a file, each
 * flushed. Arguments: port, folder, order, and the place: `before` the effect, `after` it, or
 * `never`. With the order `with-effect` the effect holds the id, and is looked for there.
 */
import { appendFileSync, existsSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../../device/device.ts';
import type { EffectOrder, Handler } from '../../../device/receiver/types.ts';

const [port = '', folder = '', order = 'effect-first', place = 'never'] = process.argv.slice(2);
const effects = join(folder, 'effects.txt');

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

const handler: Handler = ({ id }) => {
  if (place === 'before') die();
  appendFileSync(effects, `${id}\n`, { flush: true });
  if (place === 'after') die();
};

const has = async (id: string) =>
  existsSync(effects) && readFileSync(effects, 'utf8').split('\n').includes(id);
const how: EffectOrder =
  order === 'with-effect'
    ? { order, seen: { has } }
    : { order: order === 'mark-first' ? 'mark-first' : 'effect-first' };

const device = await connect({
  url: `mqtt://127.0.0.1:${port}`,
  deviceId: 'consumer',
  outbox: join(folder, 'store'),
  routes: {},
  persistentSession: true,
});
const receiver = device.receive('booked/+/charges', handler, {
  ...how,
  onEvent: ({ kind }) => writeSync(1, `${kind}\n`),
});
await receiver.ready;
// Its input ends when the test has seen enough.
process.stdin.on('end', () => void device.close()).resume();
