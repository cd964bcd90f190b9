/**
 * Goal: nothing is lost, doubled or wrongly promised while devices, connections and the cloud are
 * ended at random moments. Method: processes and SIGKILL, outboxes and tables on disk, every fault
 * of the local cloud on; compared by the serials in the bodies. `npm run killed` runs it longer.
 */
import { expect, it } from 'vitest';
import { runKilled } from './run.ts';

it('what devices keep is booked once, and every receipt is true, whatever is killed', {
  timeout: 240_000,
}, async () => {
  const { faults, ...figures } = await runKilled({
    devices: 20,
    messages: 100,
    deviceKills: 3,
    cloudKills: 3,
    seed: 7,
    tell: () => {},
  });
  expect(faults).toEqual({
    lost: [],
    doubled: [],
    strange: [],
    untrue: [],
    failed: [],
    unreleased: [],
  });
  expect(figures.meant).toBe(2_000);
  expect(figures.rows).toBeGreaterThanOrEqual(figures.kept);
  expect(figures.promises).toBeGreaterThanOrEqual(figures.kept);
  expect(figures.deviceKills).toBeGreaterThan(20);
  expect(figures.cloudKills).toBeGreaterThan(0);
  expect(figures.cuts).toBeGreaterThan(0);
});
