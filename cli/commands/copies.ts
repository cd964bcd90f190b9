/** `tollbridge copies`: which devices send the most copies. */
import { Command } from 'commander';
import { systemClock } from '../../core/base/time.ts';
import type { BridgeClient } from '../access/access.ts';
import { type CopyCount, openLogs } from '../access/logs.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { before, span } from '../access/periods.ts';
import { withBridge } from '../access/with-bridge.ts';
import { type Column, type OutputFlags, outputOf, withOutput } from '../output/output.ts';
import { wholeNumber } from '../shell/options.ts';
import { EXIT, type ExitStatus } from '../shell/usage.ts';

interface Flags extends AccessFlags, OutputFlags {
  readonly route?: string;
  readonly since: number;
  readonly limit: number;
}

const HELP = `
A copy is a delivery whose message another delivery had booked. Each is counted once, however often
queue and function tried it; the attribute tries of a row counts those tries as well, so it must not
be used to blame a device. A copy that AWS IoT itself made cannot be told from one of the device.
The figures come from what the functions log (a line per copy): on AWS by CloudWatch Logs Insights,
which is charged by the byte it scans and counts large numbers approximately; at the local cloud
from the lines that it has kept since it was started, the newest 50,000 at most.
Exit status: 0, also where there are no copies; 1 when it failed; 2 for a wrong command line.

Examples:
  tollbridge copies
  tollbridge copies --since 7d --limit 10 --route charges --json
  tollbridge copies --since 24h --profile operations --region eu-central-1`;

export function copiesCommand(): Command {
  const command = new Command('copies')
    .description('print the devices that send the most copies')
    .option('--route <name>', 'on this route alone')
    .option('--since <span>', 'how far back to look: 90m, 24h, 7d', span, span('24h'))
    .option('--limit <n>', 'so many devices at most', wholeNumber(1, 10_000), 20);
  return withOutput(withAccess(command))
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      await withBridge(flags, (access) => printCopies(access, flags));
    });
}

async function printCopies(access: BridgeClient, flags: Flags): Promise<ExitStatus> {
  const { routes } = access.bridge;
  const now = systemClock();
  const range = { from: before(now, flags.since), to: now };
  const counts = await openLogs(access).copies(
    flags.route === undefined ? routes : [access.route(flags.route)],
    range,
    flags.limit,
  );
  const output = outputOf(flags);
  const json = (count: CopyCount) => count;
  await output.list({ columns: COLUMNS, rows: counts, json, counted: ['device', 'devices'] });
  return EXIT.ok;
}

const COLUMNS: readonly Column<CopyCount>[] = [
  { name: 'route', text: ({ route }) => route },
  { name: 'device', text: ({ device }) => device },
  { name: 'copies', text: ({ copies }) => String(copies), align: 'right' },
  { name: 'of messages', text: ({ messages }) => String(messages), align: 'right' },
];
