/** `tollbridge ledger`: booked messages, by device, by account and period, or all of them. */

import { Command } from 'commander';
import { indexShardsOf } from '../../core/config/route.ts';
import type { Period } from '../../core/operations/period.ts';
import type { BridgeClient } from '../access/access.ts';
import { agreeToScan, type ScanFlags, withScan } from '../access/confirm-scan.ts';
import { BY_ACCOUNT, byAccount, byDevice, byScan, ledgerRoutes } from '../access/ledger-reads.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { moment, period } from '../access/periods.ts';
import { chained, firstOf } from '../access/reads.ts';
import { withBridge } from '../access/with-bridge.ts';
import { deviceName } from '../device/name.ts';
import { cellOf, type Item, plainOf } from '../output/items.ts';
import { type Column, type OutputFlags, outputOf, withOutput } from '../output/output.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import { wholeNumber } from '../shell/options.ts';
import { EXIT, type ExitStatus, UsageError } from '../shell/usage.ts';

interface Flags extends AccessFlags, OutputFlags, ScanFlags {
  readonly route?: string;
  readonly account?: string;
  readonly period?: Period;
  readonly bookedFrom?: string;
  readonly bookedBefore?: string;
  readonly limit?: number;
}

const HELP = `
By device: in the order of ids, with a consistent read. By account: in the order of time, from the
index by-account, which is eventually consistent (a row booked in the last seconds may be missing)
and holds neither bodies nor tries; with several index shards, shard after shard.
Without a device or an account there is no key for it: it is a scan, which says what it costs.
Exit status: 0, also where there are no rows; 1 when it failed; 2 for a wrong command line.

Examples:
  tollbridge ledger meter-17
  tollbridge ledger meter-17 --route charges --period 2026-11 --json
  tollbridge ledger --account acme --period 2026-Q4 --csv
  tollbridge ledger --account acme --period 2026-11 --booked-from 2026-12-03 --region eu-central-1
  tollbridge ledger --period 2026-11-20 --yes --limit 100`;

export function ledgerCommand(): Command {
  const command = new Command('ledger')
    .description('print booked messages, by device or by account and period')
    .argument('[device]', 'the thing', deviceName)
    .option('--route <name>', 'of this route alone')
    .option('--account <account>', 'who pays; needs --period')
    .option(
      '--period <period>',
      'when it occurred, in UTC: 2026, 2026-Q4, 2026-11, 2026-11-20, A..B',
      period,
    )
    .option('--booked-from <time>', 'booked then or later', moment)
    .option('--booked-before <time>', 'booked before then', moment)
    .option('--limit <n>', 'no more rows than this', wholeNumber(1, 1_000_000_000));
  return withScan(withOutput(withAccess(command)))
    .addHelpText('after', HELP)
    .action(async (device: string | undefined, flags: Flags) => {
      assertQuestion(device, flags);
      await withBridge(flags, (access) => printLedger(access, device, flags));
    });
}

function assertQuestion(device: string | undefined, { account, period: span }: Flags): void {
  if (device !== undefined && account !== undefined) {
    throw new UsageError('a device and --account are two questions; give one of them');
  }
  if (account !== undefined && span === undefined) {
    throw new UsageError(
      '--account needs --period, e.g. --period 2026-11: the index is by account and month',
    );
  }
}

async function printLedger(
  access: BridgeClient,
  device: string | undefined,
  flags: Flags,
): Promise<ExitStatus> {
  const output = outputOf(flags);
  const { read, total } = await question(access, device, flags);
  const progress = createProgress('ledger', total);
  const rows = read(progress);
  try {
    await output.list({
      columns: columnsOf(device === undefined, ledgerRoutes(access, flags.route).length),
      rows: flags.limit === undefined ? rows : firstOf(rows, flags.limit),
      json: plainOf,
      counted: ['row', 'rows'],
    });
  } finally {
    progress.stop();
  }
  return EXIT.ok;
}

interface Question {
  readonly read: (progress: Progress) => AsyncIterable<Item>;
  /** Rows to be read, about, where somebody knows. */
  readonly total: number | undefined;
}

async function question(
  access: BridgeClient,
  device: string | undefined,
  flags: Flags,
): Promise<Question> {
  const { account, route, period: span } = flags;
  const routes = ledgerRoutes(access, route);
  if (device !== undefined) {
    return {
      total: undefined,
      read: (progress) =>
        chained(routes.map(({ name }) => byDevice(access, name, device, flags, span, progress))),
    };
  }
  if (account !== undefined && span !== undefined) {
    const shards = indexShardsOf(access.bridge.routes);
    return {
      total: undefined,
      read: (progress) =>
        byAccount(access, { account, period: span, shards, filter: flags }, progress),
    };
  }
  const { ledger: table } = access.tables;
  const because = 'no device and no account is given, so there is no key to read by.';
  const index = span === undefined ? undefined : BY_ACCOUNT;
  const { rows: total } = await agreeToScan(
    access,
    { table, because, ...(index && { index }) },
    flags,
  );
  return { total, read: (progress) => byScan(access, index, flags, span, progress) };
}

/** The index by-account holds no `tries`. */
function columnsOf(isOfManyDevices: boolean, routes: number): readonly Column<Item>[] {
  const column = (name: string): Column<Item> => ({ name, text: (row) => cellOf(row, name) });
  return [
    ...(isOfManyDevices || routes > 1 ? [column('route')] : []),
    ...(isOfManyDevices ? [column('device')] : []),
    ...['id', 'account', 'amount', 'unit', 'occurredAt', 'bookedAt'].map(column),
    ...(isOfManyDevices ? [] : [column('tries')]),
  ];
}
