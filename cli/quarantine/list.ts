/** `tollbridge quarantine list`: what could not be booked, and what has been decided of it. */
import type { Command } from 'commander';
import { systemClock, toIso } from '../../core/base/time.ts';
import { type Period, readPeriod } from '../../core/operations/period.ts';
import type { BridgeClient } from '../access/access.ts';
import { agreeToScan, type ScanFlags, withScan } from '../access/confirm-scan.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { period } from '../access/periods.ts';
import { firstOf } from '../access/reads.ts';
import { withBridge } from '../access/with-bridge.ts';
import { deviceName } from '../device/name.ts';
import { cellOf, type Item, plainOf } from '../output/items.ts';
import { type Column, type OutputFlags, outputOf, withOutput } from '../output/output.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import { wholeNumber } from '../shell/options.ts';
import { EXIT, type ExitStatus, UsageError } from '../shell/usage.ts';
import { keyText } from './key.ts';
import { byDay, byDevice, byScan, keyOfItem, withDecisions } from './rows.ts';

interface Flags extends AccessFlags, OutputFlags, ScanFlags {
  readonly route?: string;
  readonly period?: Period;
  readonly device?: string;
  readonly allDays?: true;
  readonly reason?: string;
  readonly open?: true;
  readonly counts?: true;
  readonly limit?: number;
}

const HELP = `
Today's rows unless said, by the index by-day: eventually consistent, so a row of the last seconds
may be missing. What was decided of each is read from its row, which costs a read unit for every
8 KB of it. --all-days is a scan, which says what it costs first.
Exit status: 0, also where there are no rows; 1 when it failed; 2 for a wrong command line.

Examples:
  tollbridge quarantine list
  tollbridge quarantine list --period 2026-11 --route charges --open
  tollbridge quarantine list --period 2026-11-01..2026-11-20 --counts --region eu-central-1
  tollbridge quarantine list --device meter-17 --reason conflict --json`;

export function setUpList(command: Command): Command {
  command
    .description('print what could not be booked, with reasons')
    .option('--route <name>', 'of this route alone')
    .option('--period <period>', 'when it arrived, in UTC: 2026-11, 2026-11-20, A..B', period)
    .option('--device <name>', 'of this device, whenever it arrived', deviceName)
    .option('--all-days', 'of all time, also of routes that are no more: a scan')
    .option('--reason <reason>', 'for this reason alone, e.g. conflict')
    .option('--open', 'only what nobody has decided on')
    .option('--counts', 'print how many there are for each reason')
    .option('--limit <n>', 'no more rows than this', wholeNumber(1, 1_000_000_000));
  return withScan(withOutput(withAccess(command)))
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const ways = [flags.period, flags.device, flags.allDays];
      if (ways.filter((way) => way !== undefined).length > 1) {
        throw new UsageError('--period, --device and --all-days are three questions; give one');
      }
      await withBridge(flags, (access) => list(access, flags));
    });
}

async function list(access: BridgeClient, flags: Flags): Promise<ExitStatus> {
  const output = outputOf(flags);
  const { read, total } = await question(access, flags);
  const progress = createProgress('quarantine', total);
  const counts = new Map<string, number>();
  const wanted = counting(filtered(read(progress), flags), counts);
  const rows = flags.limit === undefined ? wanted : firstOf(wanted, flags.limit);
  try {
    if (flags.counts) {
      for await (const _ of rows);
      await output.list({ columns: COUNTS, rows: countsOf(counts), json: (count) => count });
      return EXIT.ok;
    }
    await output.list({
      columns: COLUMNS,
      rows,
      json: (row) => ({ key: keyText(keyOfItem(row)), ...plainOf(row) }),
      counted: ['row', 'rows'],
    });
  } finally {
    progress.stop();
  }
  const each = countsOf(counts).map(({ route, reason, count }) => `${route} ${reason}: ${count}`);
  if (each.length > 0) await output.printNote(each.join(', '));
  return EXIT.ok;
}

interface Question {
  readonly read: (progress: Progress) => AsyncIterable<Item>;
  readonly total: number | undefined;
}

async function question(access: BridgeClient, flags: Flags): Promise<Question> {
  const { route, device } = flags;
  if (flags.allDays) {
    const { quarantine: table } = access.tables;
    const because = 'the index is by route and day, and neither is given.';
    const { rows: total } = await agreeToScan(access, { table, because }, flags);
    return { total, read: (progress) => byScan(access, progress) };
  }
  const names = route === undefined ? access.bridge.routes.map(({ name }) => name) : [route];
  if (route !== undefined) access.route(route);
  const total = undefined;
  if (device !== undefined) {
    return { total, read: (progress) => byDevice(access, names, device, progress) };
  }
  const span = flags.period ?? today();
  return { total, read: (progress) => withDecisions(access, byDay(access, names, span, progress)) };
}

function today(): Period {
  const reading = readPeriod(toIso(systemClock()).slice(0, 10));
  if (!reading.ok) throw new TypeError(reading.detail);
  return reading.period;
}

async function* filtered(
  rows: AsyncIterable<Item>,
  { reason, open, route }: Flags,
): AsyncGenerator<Item> {
  for await (const row of rows) {
    if (reason !== undefined && cellOf(row, 'reason') !== reason) continue;
    if (open && cellOf(row, 'decision') !== '') continue;
    if (route !== undefined && routeOf(row) !== route) continue;
    yield row;
  }
}

async function* counting(
  rows: AsyncIterable<Item>,
  counts: Map<string, number>,
): AsyncGenerator<Item> {
  for await (const row of rows) {
    const name = `${routeOf(row)}#${cellOf(row, 'reason')}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    yield row;
  }
}

/** The index holds it in its key alone. */
function routeOf(row: Item): string {
  const { pk } = keyOfItem(row);
  return pk.slice(0, pk.indexOf('#'));
}

interface Count {
  readonly route: string;
  readonly reason: string;
  readonly count: number;
}

function countsOf(counts: ReadonlyMap<string, number>): readonly Count[] {
  return [...counts]
    .map(([name, count]) => {
      const [route = '', reason = ''] = name.split('#');
      return { route, reason, count };
    })
    .sort((one, other) => other.count - one.count);
}

const COUNTS: readonly Column<Count>[] = [
  { name: 'route', text: ({ route }) => route },
  { name: 'reason', text: ({ reason }) => reason },
  { name: 'count', text: ({ count }) => String(count), align: 'right' },
];

const COLUMNS: readonly Column<Item>[] = [
  ...['receivedAt', 'reason', 'device', 'id', 'decision'].map((name) => ({
    name,
    text: (row: Item) => cellOf(row, name),
  })),
  { name: 'key', text: (row) => keyText(keyOfItem(row)) },
];
