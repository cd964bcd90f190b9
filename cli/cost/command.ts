/** `tollbridge cost`: what a month costs, line by line, and which quotas of AWS it comes near. */
import Big from 'big.js';
import { Command, InvalidArgumentError, Option } from 'commander';
import { QUEUE_BATCH_MESSAGES } from '../../core/base/limits.ts';
import type { Feed, Receipts } from '../../core/config/route.ts';
import { outputOf } from '../output/output.ts';
import { print } from '../output/print.ts';
import { forJson } from '../output/safe.ts';
import { wholeNumber } from '../shell/options.ts';
import { UsageError } from '../shell/usage.ts';
import { REGION } from './prices.ts';
import { billJson, billOf, COLUMNS, type Load, summaryOf } from './report.ts';
import { SAMPLE_BODY_BYTES_MAX, SAMPLE_BODY_BYTES_MIN } from './sample.ts';
import { sizeColumns, sizeLimits, sizeRows } from './sizes.ts';

interface Flags {
  readonly eventsPerDay?: number;
  readonly devices?: number;
  readonly copies: Big;
  readonly feed: Feed;
  readonly batch: number;
  readonly receipts: Receipts;
  readonly gathered: number;
  readonly basicIngest: boolean;
  readonly bodyBytes: number;
  readonly forward: boolean;
  readonly subscribers: number;
  readonly connectedHours: Big;
  readonly connectsPerDay: number;
  readonly keptMonths: number;
  readonly peak: Big;
  readonly busiestAccount: Big;
  readonly sizes: boolean;
  readonly json?: true;
}

const HELP = `
Nothing is asked of AWS: quantities follow from the requests that a delivery makes, prices from a
dated list of others (docs/scale.md). Without flags the bridge is as delivered: queue, receipts one by
one at QoS 0, each booking forwarded. A batch is what arrives together, ${QUEUE_BATCH_MESSAGES} at most unless the template
has a batching window; receipts of a publication are those of one device in one batch.
Exit status: 0, also where a quota is too small for the load; 1 when it failed; 2 for a wrong command
line.

Examples:
  npm run -s cost -- --events-per-day 1000000 --devices 10000 --copies 0.02
  npm run -s cost -- --events-per-day 1000000 --devices 10000 --basic-ingest --batch 10 --gathered 10 --no-forward
  npm run -s cost -- --sizes --copies 0.02
  npm run -s cost -- --events-per-day 1000 --devices 10 --json`;

const EVENTS_MAX = 1_000_000_000_000;
const BATCH_MAX = 10_000;

export function costCommand(): Command {
  const command = new Command('cost')
    .description('compute what a month costs, by line, and which quotas it comes near')
    .option('--events-per-day <n>', 'messages meant, each booked once', wholeNumber(1, EVENTS_MAX))
    .option('--devices <n>', 'devices that are connected', wholeNumber(1, 1_000_000_000))
    .option('--copies <share>', 'of the deliveries', decimal('0', '0.9'), new Big(0));
  return messagingOptions(command)
    .option('--connected-hours <n>', 'of a day', decimal('0', '24'), new Big(24))
    .option('--connects-per-day <n>', 'of a device', wholeNumber(0, 86_400), 1)
    .option('--kept-months <n>', 'of events in the ledger', wholeNumber(1, 1_200), 1)
    .option('--peak <factor>', 'the busiest second, in averages', decimal('1', '1000'), new Big(4))
    .option('--busiest-account <share>', 'of the events', decimal('0', '1'), new Big(0))
    .addOption(
      new Option('--region <name>', 'the only one with a price list')
        .choices([REGION])
        .default(REGION),
    )
    .option('--sizes', 'the table of docs/scale.md instead: three sizes of a fleet', false)
    .addOption(
      new Option('--json', 'print one JSON object; decimals are strings').conflicts('sizes'),
    )
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      if (flags.sizes) await printSizes(flags);
      else await printBill(flags);
    });
}

function messagingOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--feed <kind>', 'the first path of the rule')
        .choices(['queue', 'direct'])
        .default('queue'),
    )
    .option('--batch <n>', 'deliveries of an invocation', wholeNumber(1, BATCH_MAX), 1)
    .addOption(
      new Option('--receipts <qos>', 'quality of service of receipts')
        .choices(['none', '0', '1'])
        .default(0, '0')
        .argParser(receiptsOf),
    )
    .option('--gathered <n>', 'receipts of a publication', wholeNumber(1, BATCH_MAX), 1)
    .option('--basic-ingest', 'devices publish on $aws/rules/…: no message charge', false)
    .option(
      '--body-bytes <n>',
      'of a message',
      wholeNumber(SAMPLE_BODY_BYTES_MIN, SAMPLE_BODY_BYTES_MAX),
      300,
    )
    .option('--no-forward', 'bookings are not forwarded')
    .option('--subscribers <n>', 'who receive each forward, at QoS 1', wholeNumber(0, 1_000), 0);
}

const RECEIPTS: Readonly<Record<string, Receipts>> = { none: 'none', '0': 0, '1': 1 };

/** Commander asks a parser of its own in place of the choices. */
function receiptsOf(text: string): Receipts {
  const receipts = RECEIPTS[text];
  if (receipts !== undefined) return receipts;
  throw new InvalidArgumentError('allowed is none, 0 or 1.');
}

/** Reads a decimal within bounds, without a float. */
function decimal(min: string, max: string): (text: string) => Big {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? new Big(text) : undefined;
    if (value?.gte(min) && value.lte(max)) return value;
    throw new InvalidArgumentError(`allowed is a decimal from ${min} to ${max}.`);
  };
}

/** @throws UsageError when flags contradict one another */
function loadOf(flags: Flags, eventsPerDay: number, devices: number): Load {
  const { feed, batch, gathered, forward, subscribers } = flags;
  if (feed === 'direct' && batch > 1) {
    throw new UsageError(
      `--batch is ${batch}, and --feed direct hands over one delivery at a time; leave --batch out`,
    );
  }
  if (gathered > batch) {
    throw new UsageError(
      `--gathered is ${gathered}, and a batch has ${batch}; allowed is 1 to --batch, for receipts are gathered in a batch`,
    );
  }
  if (!forward && subscribers > 0) {
    throw new UsageError(
      `--subscribers is ${subscribers}, and --no-forward leaves them nothing; leave one of the two out`,
    );
  }
  const { copies, connectedHours, connectsPerDay, keptMonths, peak, busiestAccount } = flags;
  return {
    month: {
      eventsPerDay: new Big(eventsPerDay),
      copies,
      devices,
      connectedHours,
      connectsPerDay,
      keptMonths,
    },
    messaging: {
      feed,
      batch,
      receipts: flags.receipts,
      gathered,
      basicIngest: flags.basicIngest,
      bodyBytes: flags.bodyBytes,
      subscribers: forward ? subscribers : undefined,
    },
    peak: { factor: peak, busiestAccount },
  };
}

async function printBill(flags: Flags): Promise<void> {
  const { eventsPerDay, devices, json } = flags;
  if (eventsPerDay === undefined || devices === undefined) {
    throw new UsageError(
      'a load is asked for: give --events-per-day and --devices, or --sizes for three of them',
    );
  }
  const bill = billOf(loadOf(flags, eventsPerDay, devices));
  if (json) return print(forJson(billJson(bill)));
  const output = outputOf({});
  await output.list({ columns: COLUMNS, rows: bill.lines, json: (line) => line });
  for (const sentence of summaryOf(bill)) await output.printNote(sentence);
}

async function printSizes(flags: Flags): Promise<void> {
  if (flags.eventsPerDay !== undefined || flags.devices !== undefined) {
    throw new UsageError(
      '--sizes has its own --events-per-day and --devices; leave them out, or leave out --sizes',
    );
  }
  const load = loadOf(flags, 1, 1);
  const output = outputOf({});
  await output.list({ columns: sizeColumns(), rows: sizeRows(load), json: (row) => row });
  for (const sentence of sizeLimits(load)) await output.printNote(sentence);
}
