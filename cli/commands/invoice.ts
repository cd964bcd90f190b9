/** `tollbridge invoice`: what an account is to be billed for a period, exact to the last digit. */

import { Command, Option } from 'commander';
import { INDEX_SHARDS_MAX } from '../../core/base/limits.ts';
import { systemClock, toIso } from '../../core/base/time.ts';
import { indexShardsOf } from '../../core/config/route.ts';
import { type Charge, Invoice, type Total } from '../../core/operations/invoice.ts';
import type { Period } from '../../core/operations/period.ts';
import type { BridgeClient } from '../access/access.ts';
import { agreeToScan, type ScanFlags, withScan } from '../access/confirm-scan.ts';
import { BY_ACCOUNT, byAccount, byScan, ledgerRoutes } from '../access/ledger-reads.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { moment, period } from '../access/periods.ts';
import { withBridge } from '../access/with-bridge.ts';
import { cellOf, type Item, plainOf } from '../output/items.ts';
import {
  type Column,
  countText,
  type Output,
  type OutputFlags,
  outputOf,
  withOutput,
} from '../output/output.ts';
import { printError } from '../output/print.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import { wholeNumber } from '../shell/options.ts';
import { EXIT, type ExitStatus } from '../shell/usage.ts';

interface Flags extends AccessFlags, OutputFlags, ScanFlags {
  readonly period: Period;
  readonly route?: string;
  readonly byRoute: boolean;
  readonly bookedBefore?: string;
  readonly shards?: number;
}

/** Late rows that are shown one by one; all of them are in the late totals. */
const LATE_ROWS_MAX = 1_000;

const HELP = `
A period is by when a charge occurred (UTC), whenever it was booked. Charges can arrive for as long
as the route takes them (maxAge), so a period is closed by a time: --booked-before counts what was
booked before it, and gives the same figures whenever it is run again. What was booked later is
listed apart, as late, and is in no total: bill it with the next period.

Amounts are added as decimals with all their digits, per account and unit, over all routes unless
--route or --by-route says otherwise, and over all index shards of the routes as configured; with
--shards N also those of a route that was taken out.
The index is eventually consistent: choose a time for --booked-before that is a minute ago or more.
Without an account all of them are totalled: that is a scan of the index, which says what it costs.
--csv and --json give one line per account, unit and status (booked, late); add up one status alone.

Exit status: 0, also where there is nothing to bill; 1 when it failed; 2 for a wrong command line.

Examples:
  tollbridge invoice acme --period 2026-11
  tollbridge invoice acme --period 2026-11 --booked-before 2026-12-03T00:00:00Z --csv > acme.csv
  tollbridge invoice --period 2026-Q4 --booked-before 2027-01-03 --region eu-central-1 --yes --csv`;

export function invoiceCommand(): Command {
  const command = new Command('invoice')
    .description('print totals per account and unit for a period')
    .argument('[account]', 'who pays; every account without it')
    .addOption(
      new Option('--period <period>', 'in UTC: 2026, 2026-Q4, 2026-11, 2026-11-20, or A..B')
        .argParser(period)
        .makeOptionMandatory(),
    )
    .option('--booked-before <time>', 'count what was booked before then; the rest is late', moment)
    .option('--route <name>', 'charges of this route alone')
    .option('--by-route', 'keep the routes apart', false)
    .option(
      '--shards <n>',
      'read this many index shards (default: the most that a route has)',
      wholeNumber(1, INDEX_SHARDS_MAX),
    );
  return withScan(withOutput(withAccess(command)))
    .addHelpText('after', HELP)
    .action(async (account: string | undefined, flags: Flags) => {
      await withBridge(flags, (access) => printInvoice(access, account, flags));
    });
}

async function printInvoice(
  access: BridgeClient,
  account: string | undefined,
  flags: Flags,
): Promise<ExitStatus> {
  ledgerRoutes(access, flags.route);
  warnOfOpenEnd(flags.bookedBefore);
  const invoice = new Invoice({ bookedBefore: flags.bookedBefore, byRoute: flags.byRoute });
  const lateRows: Item[] = [];
  const { read, total } = await source(access, account, flags);
  const progress = createProgress('invoice', total);
  try {
    for await (const item of read(progress)) {
      const isLate = invoice.add(chargeOf(item)) === 'late';
      if (isLate && lateRows.length < LATE_ROWS_MAX) lateRows.push(item);
    }
  } finally {
    progress.stop();
  }
  await report(outputOf(flags), invoice, lateRows, flags);
  return EXIT.ok;
}

/** Rows that are booked while the index is read would make the next run differ. */
function warnOfOpenEnd(bookedBefore: string | undefined): void {
  if (bookedBefore === undefined || bookedBefore <= toIso(systemClock())) return;
  printError(
    `--booked-before ${bookedBefore} lies ahead: rows will still be booked before it, and the totals will grow.`,
  );
}

async function source(
  access: BridgeClient,
  account: string | undefined,
  { period: span, route, shards, yes }: Flags,
): Promise<{ read: (progress: Progress) => AsyncIterable<Item>; total: number | undefined }> {
  const filter = { route };
  if (account !== undefined) {
    const read = {
      account,
      period: span,
      filter,
      shards: shards ?? indexShardsOf(access.bridge.routes),
    };
    return { read: (progress) => byAccount(access, read, progress), total: undefined };
  }
  const { rows } = await agreeToScan(
    access,
    {
      table: access.tables.ledger,
      index: BY_ACCOUNT,
      because: 'no account is given, and the index is keyed by account.',
    },
    { yes },
  );
  return { read: (progress) => byScan(access, BY_ACCOUNT, filter, span, progress), total: rows };
}

/** @throws Error for a row that no version of the bridge has written: a sum must not pass over it */
function chargeOf(item: Item): Charge {
  const [account, unit, route, bookedAt] = ['account', 'unit', 'route', 'bookedAt'].map(
    (name) => item[name]?.S,
  );
  const amount = item.amount?.N;
  if (
    account !== undefined &&
    unit !== undefined &&
    route !== undefined &&
    bookedAt !== undefined &&
    amount !== undefined
  ) {
    return { account, unit, route, bookedAt, amount };
  }
  const where = JSON.stringify([cellOf(item, 'pk'), cellOf(item, 'id')]);
  throw new Error(
    `the ledger row ${where} lacks one of account, unit, route, bookedAt or amount, so there is no true total; look at it with: tollbridge trace`,
  );
}

interface Line extends Total {
  readonly status: 'booked' | 'late';
}

async function report(
  output: Output,
  invoice: Invoice,
  lateRows: readonly Item[],
  flags: Flags,
): Promise<void> {
  const booked = invoice.totals().map((total): Line => ({ ...total, status: 'booked' }));
  const late = invoice.late().map((total): Line => ({ ...total, status: 'late' }));
  const columns = columnsOf(flags);
  const json = ({ route, ...line }: Line) => ({
    kind: 'total',
    period: flags.period.text,
    ...line,
    ...(flags.byRoute && { route }),
  });
  if (output.format !== 'table') {
    await output.list({ columns, rows: [...booked, ...late], json });
    if (output.format === 'json')
      await output.list({ columns: [], rows: lateRows, json: lateRowJson });
    return;
  }
  await output.list({ columns, rows: booked, json });
  await output.printNote(summary(booked));
  if (late.length === 0) return;
  await output.printNote(
    `\nLate: booked at ${flags.bookedBefore} or after it, and in no total above.`,
  );
  await output.list({ columns, rows: late, json });
  await output.list({ columns: LATE_COLUMNS, rows: lateRows, json: lateRowJson });
  const count = late.reduce((sum, { rows }) => sum + rows, 0);
  await output.printNote(
    count > lateRows.length
      ? `the first ${lateRows.length} of ${count} late rows; all of them: tollbridge ledger --account … --booked-from ${flags.bookedBefore}`
      : countText(count, ['late row', 'late rows']),
  );
}

function columnsOf({ byRoute, period: span }: Flags): readonly Column<Line>[] {
  return [
    { name: 'account', text: ({ account }) => account },
    { name: 'period', text: () => span.text },
    ...(byRoute ? [{ name: 'route', text: ({ route }: Line) => route ?? '' }] : []),
    { name: 'status', text: ({ status }) => status },
    { name: 'rows', text: ({ rows }) => String(rows), align: 'right' },
    { name: 'amount', text: ({ amount }) => amount, align: 'right' },
    { name: 'unit', text: ({ unit }) => unit },
  ];
}

const LATE_COLUMNS: readonly Column<Item>[] = [
  'account',
  'device',
  'id',
  'amount',
  'unit',
  'occurredAt',
  'bookedAt',
].map((name) => ({ name, text: (row) => cellOf(row, name) }));

function lateRowJson(item: Item): object {
  return { kind: 'late-row', ...plainOf(item) };
}

function summary(lines: readonly Line[]): string {
  const rows = lines.reduce((sum, line) => sum + line.rows, 0);
  const accounts = new Set(lines.map(({ account }) => account)).size;
  return `${countText(rows, ['row', 'rows'])} of ${countText(accounts, ['account', 'accounts'])}`;
}
