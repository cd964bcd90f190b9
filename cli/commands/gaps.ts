/** `tollbridge gaps`: numbers that a device counted and that never came. */
import { Command, InvalidArgumentError } from 'commander';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import { partsOf } from '../../core/config/sources.ts';
import { partitionOf } from '../../core/message/id.ts';
import {
  type EpochGaps,
  gapsOf,
  type SequenceRange,
  type SequenceRow,
} from '../../core/operations/gaps.ts';
import type { BridgeClient } from '../access/access.ts';
import { ledgerRoutes } from '../access/ledger-reads.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { query } from '../access/reads.ts';
import { withBridge } from '../access/with-bridge.ts';
import { deviceName } from '../device/name.ts';
import {
  type Column,
  countText,
  type OutputFlags,
  outputOf,
  withOutput,
} from '../output/output.ts';
import { createProgress, type Progress } from '../output/progress.ts';
import { EXIT, type ExitStatus, UsageError } from '../shell/usage.ts';

interface Flags extends AccessFlags, OutputFlags {
  readonly route?: string;
  readonly startsAt?: bigint;
}

interface Gap {
  readonly route: string;
  readonly epoch: string;
  readonly range: SequenceRange;
  /** Numbers of the range that came and stand in the quarantine. */
  readonly quarantined: number;
}

const HELP = `
For routes whose id is sequence(…). Within an epoch the numbers follow one another, so one that is
missing was never booked. That proves a loss only for a device that counts by one, and only when its
outbox is empty; until then it may still come. What follows the highest number cannot be known, nor
what precedes the lowest without --starts-at. Numbers that came and could not be booked are counted
as quarantined: trace tells more. Windowed routes are left out, for they forget their rows.
Exit status: 0 when there is no gap, 1 when there is one (or it failed), 2 for a wrong command line.

Examples:
  tollbridge gaps meter-17
  tollbridge gaps meter-17 --route charges --starts-at 1 --json
  tollbridge gaps meter-17 --profile operations --region eu-central-1 --csv`;

export function gapsCommand(): Command {
  const command = new Command('gaps')
    .description('print the sequence numbers of a device, per epoch, that never came')
    .argument('<device>', 'the thing', deviceName)
    .option('--route <name>', 'of this route alone')
    .option('--starts-at <n>', 'the number that every epoch begins with', startNumber);
  return withOutput(withAccess(command))
    .addHelpText('after', HELP)
    .action(async (device: string, flags: Flags) => {
      await withBridge(flags, (access) => printGaps(access, device, flags));
    });
}

function startNumber(text: string): bigint {
  if (/^\d{1,100}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('allowed is a non-negative integer.');
}

async function printGaps(access: BridgeClient, device: string, flags: Flags): Promise<ExitStatus> {
  const output = outputOf(flags);
  const routes = countingRoutes(access, flags.route);
  const progress = createProgress('sequence numbers', undefined);
  const found: { readonly route: string; readonly epochs: readonly EpochGaps[] }[] = [];
  const gaps: Gap[] = [];
  try {
    for (const { name: route } of routes) {
      const epochs = await epochsOf(access, route, device, flags.startsAt, progress);
      found.push({ route, epochs });
      if (epochs.every(({ missing }) => missing.length === 0)) continue;
      const kept = await quarantinedNumbers(access, route, device);
      for (const { epoch, missing } of epochs) {
        for (const range of missing) {
          gaps.push({ route, epoch, range, quarantined: countIn(kept.get(epoch), range) });
        }
      }
    }
  } finally {
    progress.stop();
  }
  await output.list({ columns: COLUMNS, rows: gaps, json: gapJson, counted: ['gap', 'gaps'] });
  const all = found.flatMap(({ epochs }) => epochs);
  const received = all.reduce((sum, epoch) => sum + epoch.received, 0);
  await output.printNote(
    `${countText(received, ['number', 'numbers'])} came in ${countText(all.length, ['epoch', 'epochs'])}`,
  );
  return gaps.length === 0 ? EXIT.ok : EXIT.finding;
}

function countingRoutes(
  access: BridgeClient,
  route: string | undefined,
): readonly ExactlyOnceRoute[] {
  const counting = ledgerRoutes(access, route).filter(({ id }) =>
    partsOf(id).some(({ from }) => from === 'sequence'),
  );
  if (counting.length > 0) return counting;
  throw new UsageError(
    `${route === undefined ? 'no exactly-once route of tollbridge.config.ts' : `routes.${route}`} takes its id from sequence(…), so nothing says which numbers there should be`,
  );
}

async function epochsOf(
  access: BridgeClient,
  route: string,
  device: string,
  startsAt: bigint | undefined,
  progress: Progress,
): Promise<readonly EpochGaps[]> {
  const numbers: SequenceRow[] = [];
  const rows = query(
    access.dynamodb,
    {
      TableName: access.tables.ledger,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ProjectionExpression: 'epoch, #sequence',
      ExpressionAttributeNames: { '#sequence': 'sequence' },
      ExpressionAttributeValues: { ':pk': { S: partitionOf(route, device) } },
    },
    progress,
  );
  for await (const { epoch, sequence } of rows) {
    if (epoch?.S === undefined || sequence?.S === undefined) continue;
    numbers.push({ epoch: epoch.S, sequence: BigInt(sequence.S) });
  }
  return gapsOf(numbers, startsAt === undefined ? {} : { startsAt });
}

/** By epoch: numbers that the quarantine has. Ids of joined parts hold theirs among others. */
async function quarantinedNumbers(
  access: BridgeClient,
  route: string,
  device: string,
): Promise<ReadonlyMap<string, ReadonlySet<bigint>>> {
  const numbers = new Map<string, Set<bigint>>();
  const rows = query(access.dynamodb, {
    TableName: access.tables.quarantine,
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :pk',
    ProjectionExpression: 'id',
    ExpressionAttributeValues: { ':pk': { S: partitionOf(route, device) } },
  });
  for await (const { id } of rows) {
    for (const key of partKeys(id?.S ?? '')) {
      const [, epoch, digits] = /^seq:([\s\S]+):(\d+)$/.exec(key) ?? [];
      if (epoch === undefined || digits === undefined) continue;
      const known = numbers.get(epoch) ?? new Set();
      numbers.set(epoch, known.add(BigInt(digits)));
    }
  }
  return numbers;
}

function partKeys(key: string): readonly string[] {
  if (!key.startsWith('all:')) return [key];
  try {
    const parts: unknown = JSON.parse(key.slice('all:'.length));
    return Array.isArray(parts) ? parts.map(String) : [];
  } catch {
    return [];
  }
}

function countIn(numbers: ReadonlySet<bigint> | undefined, { from, to }: SequenceRange): number {
  return [...(numbers ?? [])].filter((number) => number >= from && number <= to).length;
}

const COLUMNS: readonly Column<Gap>[] = [
  { name: 'route', text: ({ route }) => route },
  { name: 'epoch', text: ({ epoch }) => epoch },
  { name: 'from', text: ({ range }) => String(range.from), align: 'right' },
  { name: 'to', text: ({ range }) => String(range.to), align: 'right' },
  { name: 'missing', text: ({ range }) => String(sizeOf(range)), align: 'right' },
  { name: 'quarantined', text: ({ quarantined }) => String(quarantined), align: 'right' },
];

/** Numbers as texts: a device may count beyond what a float holds. */
function gapJson({ route, epoch, range, quarantined }: Gap): object {
  const { from, to } = range;
  return {
    route,
    epoch,
    from: String(from),
    to: String(to),
    missing: String(sizeOf(range)),
    quarantined,
  };
}

function sizeOf({ from, to }: SequenceRange): bigint {
  return to - from + 1n;
}
