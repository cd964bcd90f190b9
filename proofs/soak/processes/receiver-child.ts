/**
 * Receives the bridge's forwards. An effect is a count under the forward's id, in a database of its
 * own and flushed, so a second effect shows as 2. It may be ended with SIGKILL at any moment.
 */
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { connect } from '../../../device/index.ts';
import { FORWARD_FILTERS } from '../plan.ts';
import type { ReceiverOrders } from '../words.ts';
import { farewell, memory, onParent, tellParent } from './inside.ts';

const orders = JSON.parse(process.argv[2] ?? '') as ReceiverOrders;
const effects = new ClassicLevel<string, string>(join(orders.folder, 'effects'));
await effects.open();
// An earlier life may have been ended between an effect and the word of it.
for await (const id of effects.keys()) tellParent({ kind: 'effect', id });
const device = await connect({
  url: orders.url,
  deviceId: 'receiver',
  outbox: join(orders.folder, 'store'),
  routes: {},
  persistentSession: true,
  reconnect: { firstMillis: 100, maxMillis: 500 },
});
let granted = 0;
for (const filter of FORWARD_FILTERS) {
  device.receive(
    filter,
    async ({ id }) => {
      if (id === undefined) throw new TypeError('a forward without an id');
      const count = Number((await effects.get(id)) ?? 0);
      await effects.put(id, String(count + 1), { sync: true });
      tellParent({ kind: 'effect', id });
    },
    {
      order: 'with-effect',
      seen: { has: async (id) => (await effects.get(id)) !== undefined },
      onEvent: (event) => {
        if (event.kind === 'failed' || event.kind === 'handler-failed') {
          tellParent({ kind: 'trouble', what: JSON.stringify(event).slice(0, 500) });
        }
        if (event.kind !== 'subscribed') return;
        granted += 1;
        if (granted % FORWARD_FILTERS.length === 0) tellParent({ kind: 'subscribed' });
      },
    },
  );
}

onParent<{ readonly kind: 'memory' | 'close'; readonly ask: number }>(({ kind, ask }) => {
  if (kind === 'memory') {
    tellParent({ kind: 'answer', ask, value: memory() });
    return;
  }
  void device
    .close()
    .then(() => effects.close())
    .then(() => {
      tellParent({ kind: 'answer', ask, value: undefined });
      farewell();
    });
});
