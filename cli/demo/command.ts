import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { systemClock } from '../../core/base/time.ts';
import { print, printError } from '../output/print.ts';
import { chanceUpTo, wholeNumber } from '../shell/options.ts';
import { synthesize } from '../shell/synthesize.ts';
import { conclusion, exampleRow, figuresTable } from './report.ts';
import { runDemo } from './run.ts';

interface Flags {
  readonly devices: number;
  readonly messages: number;
  readonly seed: number;
  readonly loss: number;
  readonly broken: boolean;
  readonly json: boolean;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('run a fleet through cut connections and crashes, then compare ledger and truth')
    .option('--devices <n>', 'devices in the fleet', wholeNumber(1, 500), 20)
    .option('--messages <n>', 'charges of each device', wholeNumber(1, 10_000), 50)
    .option('--seed <n>', 'seed of everything that is drawn', wholeNumber(0, 2_147_483_646), 1)
    .option(
      '--loss <chance>',
      'chance that a connection is cut or a receipt lost, up to 0.9',
      // With 1 no receipt would ever arrive, and no device could end.
      chanceUpTo(0.9),
      0.05,
    )
    .option('--broken', 'use a key that differs for each delivery, to see the check fail', false)
    .option('--json', 'print the figures as one JSON object and nothing else', false)
    .action(async (flags: Flags) => {
      process.exitCode = await demo(flags);
    });
}

/** The exit status: 0 when every charge is booked exactly once. */
async function demo(flags: Flags): Promise<number> {
  const bar = new SingleBar({
    format: 'receipts [{bar}] {value}/{total} · {duration_formatted}',
    stream: process.stderr,
    hideCursor: true,
  });
  const folder = await mkdtemp(join(tmpdir(), 'tollbridge-demo-'));
  const assembly = join(folder, 'cdk.out');
  const forget = removeOnSignal(folder);
  try {
    printError('making the template that would be deployed …');
    await synthesize(assembly);
    bar.start(flags.devices * flags.messages, 0);
    const result = await runDemo({
      ...flags,
      assembly,
      scratch: join(folder, 'bundle'),
      clock: systemClock,
      onProgress: (receipted) => bar.update(receipted),
    });
    bar.stop();
    const { isExact } = result.reconciliation;
    if (flags.json) print(JSON.stringify(result.figures));
    else {
      print(figuresTable(result.figures, result.injectedFaults, result.unit));
      print(conclusion(result.reconciliation));
      if (result.example !== undefined) {
        print('\nOne row of the ledger:');
        print(exampleRow(result.example));
      }
    }
    return isExact ? 0 : 1;
  } finally {
    bar.stop();
    forget();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ctrl-C leaves nothing behind; the functions end with this process. Returns how to stop that. */
function removeOnSignal(folder: string): () => void {
  const end = (signal: NodeJS.Signals) => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  return () => {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  };
}
