/** `tollbridge doctor`: looks at everything that has to be right, and says what to do if it is not. */
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { type Clock, systemClock } from '../../core/base/time.ts';
import type { BridgeClient } from '../access/access.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { withBridge } from '../access/with-bridge.ts';
import { type Column, type OutputFlags, outputOf, withOutput } from '../output/output.ts';
import { forTerminal } from '../output/safe.ts';
import { EXIT, type ExitStatus } from '../shell/usage.ts';
import { type Finding, inOrder } from './findings.ts';
import { iotFindings } from './iot.ts';
import { alarmFindings, queueFindings } from './queues.ts';
import { lockFindings, routeFindings, stackFindings } from './stacks.ts';
import { clockFindings, tableFindings } from './tables.ts';

interface Flags extends AccessFlags, OutputFlags {}

const HELP = `
Nothing is changed, and no message is taken out of a queue. Looked at: stacks, routes as configured and
as deployed, the lock, rules, policies, the data endpoint, queues, dead letters, alarms, tables, and
the clock of this machine. The state of a finding is fine; watch (right for now); wrong; unknown (it
could not be asked, mostly for a missing right, which is named); or none (the local cloud has no such
thing). Functions are not asked: what ails them shows in queues, dead letters and alarms.
Exit status: 0 when nothing is wrong or unknown; 1 otherwise; 2 for a wrong command line.

Examples:
  tollbridge doctor
  tollbridge doctor --profile operations --region eu-central-1
  tollbridge doctor --stack Tollbridge --json`;

export function doctorCommand(): Command {
  const command = new Command('doctor').description('look at everything that has to be right');
  return withOutput(withAccess(command))
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      await withBridge(flags, (access) => report(access, flags));
    });
}

const LOCK = fileURLToPath(new URL('../../tollbridge.lock.json', import.meta.url));

/** Every finding, what has to be looked at first standing first. */
export async function examine(
  access: BridgeClient,
  { lockPath = LOCK, clock = systemClock }: { lockPath?: string; clock?: Clock } = {},
): Promise<readonly Finding[]> {
  const found = await Promise.all([
    stackFindings(access),
    routeFindings(access),
    lockFindings(access.bridge, lockPath),
    iotFindings(access),
    queueFindings(access, clock()),
    alarmFindings(access),
    tableFindings(access),
    clockFindings(access, clock),
  ]);
  return inOrder(found.flat());
}

async function report(access: BridgeClient, flags: Flags): Promise<ExitStatus> {
  const output = outputOf(flags);
  const findings = await examine(access);
  const columns = output.format === 'csv' ? [...COLUMNS, FIX] : COLUMNS;
  await output.list({ columns, rows: findings, json: (finding) => finding });
  const fixes = findings.filter(({ fix }) => fix !== null);
  for (const { check, subject, fix } of fixes) {
    await output.printNote(forTerminal(`${check} ${subject}: ${fix}`));
  }
  const ails = findings.filter(({ state }) => state === 'wrong' || state === 'unknown');
  await output.printNote(ails.length === 0 ? 'nothing is wrong' : `${ails.length} to look at`);
  return ails.length === 0 ? EXIT.ok : EXIT.finding;
}

const COLUMNS: readonly Column<Finding>[] = [
  { name: 'state', text: ({ state }) => state },
  { name: 'check', text: ({ check }) => check },
  { name: 'subject', text: ({ subject }) => subject },
  { name: 'finding', text: ({ text }) => text },
];
const FIX: Column<Finding> = { name: 'fix', text: ({ fix }) => fix ?? '' };
