/** What the tests of `tollbridge quarantine` share: devices with conflicts, and operators. */
import { expect } from 'vitest';
import { openAccess } from '../../../cli/access/access.ts';
import { publisherOf } from '../../../cli/access/publishing.ts';
import type { AcceptDeps } from '../../../cli/quarantine/accept.ts';
import { quarantineCommand } from '../../../cli/quarantine/command.ts';
import { bodyHashOf } from '../../../core/base/hash.ts';
import { systemClock } from '../../../core/base/time.ts';
import { checkConfig } from '../../../core/config/check.ts';
import type { QuarantineKey } from '../../../core/tables/quarantine-row.ts';
import { runHere } from '../../../tools/clouds/asking-ground.ts';
import { charge, REPAIR_CONFIG, startRepairBench, told } from '../repair-fixture.ts';

export const yes = ['--yes', '--operator', 'ann'];

export function keyIn(device: string, id: string, bodyHash: string): QuarantineKey {
  return { pk: `charges#${device}`, sk: `${id}#${bodyHash}` };
}

export type QuarantineBench = Awaited<ReturnType<typeof startQuarantineBench>>;

export async function startQuarantineBench() {
  const bench = await startRepairBench();
  let devices = 0;
  const rows = bench.bridge.rows;
  return {
    ...bench,
    run: (...args: readonly string[]) => runHere(quarantineCommand(), [...args, ...bench.local]),
    newDevice: () => `meter-${++devices}`,
    rowOf: async ({ pk, sk }: QuarantineKey) =>
      (await rows('Quarantine')).find((row) => row.pk?.S === pk && row.sk?.S === sk),
    ledgerOf: async (device: string) =>
      (await rows('Ledger')).filter((row) => row.device?.S === device),
    forwardsOf: (device: string) =>
      bench.forwards().filter(({ payload }) => payload.device === device),
    /** A device that has used its id twice. */
    async conflict(id = 'a-1', changes: Readonly<Record<string, unknown>> = {}) {
      const device = `meter-${++devices}`;
      const thing = await bench.thing(device);
      const topic = `billing/${device}/charges`;
      expect((await told(thing, topic, charge(id)))?.outcome).toBe('accepted');
      const body = charge(id, { kWh: 99, ...changes });
      expect((await told(thing, topic, body))?.reason).toBe('conflict');
      const bodyHash = bodyHashOf(topic, Buffer.from(body));
      return { device, body, bodyHash, thing, topic, key: keyIn(device, id, bodyHash) };
    },
    /** With clients of its own, so that what fails here fails nowhere else. */
    async operator(by = 'ann', clock = systemClock) {
      const flags = { local: bench.bridge.cloud.apiUrl };
      const access = await openAccess(flags, checkConfig(REPAIR_CONFIG));
      return { access, by, clock, publisher: publisherOf(access) } satisfies AcceptDeps;
    },
  };
}
