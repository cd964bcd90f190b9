/**
 * Goal: a route that gathers answers a full batch with one publication. Method: a real client and
 * the deployed template; the wait is so long that only a full batch can end it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { startTestCloud, type TestCloud } from '../../tools/clouds/cloud.ts';
import { connectThing, type Thing } from '../../tools/mqtt/thing.ts';

const MESSAGES = 100;

let assembly: string;
let bridge: TestCloud;
let thing: Thing;
beforeAll(async () => {
  const { charges } = config.routes;
  if (charges === undefined) throw new Error('the default configuration has no route charges');
  const batch = { messages: MESSAGES, waitSeconds: 20 };
  assembly = await assemblyOf({ routes: { charges: { ...charges, batch } } });
  bridge = await startTestCloud(assembly);
  thing = await connectThing(bridge.port, 'meter-17');
});
afterAll(async () => {
  await thing.end();
  await bridge.cloud.close();
});

it('a batch of a hundred charges is one invocation and one publication of receipts', async () => {
  const ids = Array.from({ length: MESSAGES }, (_, n) => `c-${n}`);
  const at = new Date().toISOString();
  await Promise.all(
    ids.map((id) =>
      thing.publish(
        'billing/meter-17/charges',
        JSON.stringify({ id, account: 'acme', kWh: '1.25', at }),
      ),
    ),
  );
  const { receipts } = await thing.nextReceipts();
  expect(receipts.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect(new Set(receipts.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
  expect(await bridge.rows('Ledger')).toHaveLength(MESSAGES);
});
