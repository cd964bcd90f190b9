/** The console's headline can fail: with a key that differs for each delivery, it says so. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleVariant } from '../../cli/demo/variant.ts';
import type { Reconciliation } from '../../local/fleet/stats.ts';
import config from '../../tollbridge.config.ts';
import { type ConsoleBench, startConsoleBench } from './console-fixture.ts';

let bench: ConsoleBench;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-console-'));
  await bundleVariant('core/guarantees/exactly-once/row.ts', 'cli/demo/broken-key.ts', folder);
  bench = await startConsoleBench(config, { RoutesChargesIngestFunction: folder });
});
afterAll(() => bench.close());

it('shows charges that are billed twice, from the writes and from the ledger', async () => {
  // Copies that arrive together are folded even then; these come when their receipt is missed.
  await bench.post('/api/faults', { drop: 0.9 });
  await bench.post('/api/fleet', { action: 'start', devices: 2, perSecond: 50, cuts: 0 });
  const twice = async () => (await bench.hello()).desk.headline?.billedTwice ?? 0;
  await expect.poll(twice, { timeout: 30_000 }).toBeGreaterThan(3);
  await bench.post('/api/fleet', { action: 'stop' });
  const { body } = await bench.get<Reconciliation>('/api/reconciliation');
  expect(body.isExact).toBe(false);
  expect(body.billedTwice).toBeGreaterThan(3);
}, 60_000);
