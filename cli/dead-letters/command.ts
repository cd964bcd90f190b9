/** `tollbridge dead-letters`: what failed for good, and its way back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { systemClock } from '../../core/base/time.ts';
import type { BridgeClient } from '../access/access.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { withBridge } from '../access/with-bridge.ts';
import { type Column, type OutputFlags, outputOf, withOutput } from '../output/output.ts';
import { printError } from '../output/print.ts';
import { createProgress } from '../output/progress.ts';
import { forTerminal } from '../output/safe.ts';
import { wholeNumber } from '../shell/options.ts';
import { EXIT, type ExitStatus } from '../shell/usage.ts';
import { deadLettersOf, printDeadLetters } from './list.ts';
import { type Moved, moveDeadLetters } from './mover.ts';
import { depthOf, sqsOf, waysOf } from './queues.ts';

interface ListFlags extends AccessFlags, OutputFlags {
  readonly route?: string;
  readonly sample: number;
}

interface RedriveFlags extends AccessFlags, OutputFlags {
  readonly max?: number;
  readonly rate?: number;
}

const LIST_HELP = `
Some letters are looked at, and shown as the route would read them now. To SQS that is a receive: it
hides none of them, and raises their count of receives, which nothing hangs on here.
Exit status: 0 when none wait; 1 when some do (or it failed); 2 for a wrong command line.

Examples:
  tollbridge dead-letters list
  tollbridge dead-letters list --route charges --sample 10 --json
  tollbridge dead-letters list --sample 0 --profile operations --region eu-central-1`;

const REDRIVE_HELP = `
First mend what made them fail, or they come back. Each letter goes to the queue of its route with its
body and the time of its first arrival, and is deleted only after the queue has taken it. Ctrl-C ends
the run after the batch in hand. Moved twice, a letter is the same delivery: it books nothing twice.
Exit status: 0 when all that was there is moved; 1 when some is left, or it failed; 2 for a wrong
command line.

Examples:
  tollbridge dead-letters redrive charges --max 10
  tollbridge dead-letters redrive charges --rate 50 --region eu-central-1`;

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description('list or redrive what failed for good');
  withOutput(withAccess(command.command('list')))
    .description('print how many dead letters each route has, and some of them')
    .option('--route <name>', 'of this route alone')
    .option('--sample <n>', 'how many of each route to look at', wholeNumber(0, 10), 3)
    .addHelpText('after', LIST_HELP)
    .action(async (flags: ListFlags) => {
      await withBridge(flags, (access) => list(access, flags));
    });
  withOutput(withAccess(command.command('redrive')))
    .description('bring the dead letters of a route back to its queue')
    .argument('<route>', 'its name')
    .option('--max <n>', 'no more than so many', wholeNumber(1, 1_000_000_000))
    .option('--rate <n>', 'so many a second', wholeNumber(1, 10_000))
    .addHelpText('after', REDRIVE_HELP)
    .action(async (route: string, flags: RedriveFlags) => {
      await withBridge(flags, (access) => redrive(access, route, flags));
    });
  return command;
}

async function list(access: BridgeClient, flags: ListFlags): Promise<ExitStatus> {
  const routes = flags.route === undefined ? access.bridge.routes : [access.route(flags.route)];
  const found = await deadLettersOf(access, routes, flags.sample);
  await printDeadLetters(outputOf(flags), found);
  const isEmpty = found.every(({ visible, inFlight }) => visible + inFlight === 0);
  return isEmpty ? EXIT.ok : EXIT.finding;
}

async function redrive(
  access: BridgeClient,
  name: string,
  flags: RedriveFlags,
): Promise<ExitStatus> {
  const route = access.route(name);
  const [from, to] = [
    access.routeOutput(route, 'DeadLettersUrl'),
    access.routeOutput(route, 'QueueUrl'),
  ];
  const sqs = sqsOf(access);
  const { visible, inFlight } = await depthOf(sqs, from);
  const progress = createProgress(`redriving ${name}`, Math.min(visible, flags.max ?? visible));
  const interrupt = new AbortController();
  const stop = () => {
    printError(
      'ending after the batch in hand; press Ctrl-C again to end at once, which loses nothing',
    );
    interrupt.abort();
  };
  // Once: a second signal ends the process as it would any other.
  process.once('SIGINT', stop);
  try {
    const moved = await moveDeadLetters(waysOf(sqs, from, to), {
      max: flags.max ?? Number.POSITIVE_INFINITY,
      rate: flags.rate,
      signal: interrupt.signal,
      clock: systemClock,
      wait: (millis, signal) => sleep(millis, undefined, { signal }).catch(() => undefined),
      moved: (letters) => progress.add(letters),
    });
    progress.stop();
    return await report(moved, { route: name, inFlight }, flags);
  } finally {
    process.off('SIGINT', stop);
    progress.stop();
  }
}

interface Redriven {
  readonly route: string;
  readonly moved: number;
  readonly unsent: number;
  readonly undeleted: number;
  readonly interrupted: boolean;
}

const COLUMNS: readonly Column<Redriven>[] = [
  { name: 'route', text: ({ route }) => route },
  { name: 'moved', text: ({ moved }) => String(moved), align: 'right' },
  { name: 'not taken', text: ({ unsent }) => String(unsent), align: 'right' },
  { name: 'not deleted', text: ({ undeleted }) => String(undeleted), align: 'right' },
  { name: 'interrupted', text: ({ interrupted }) => String(interrupted) },
];

async function report(
  { moved, unsent, undeleted, isInterrupted }: Moved,
  { route, inFlight }: { readonly route: string; readonly inFlight: number },
  flags: RedriveFlags,
): Promise<ExitStatus> {
  const redriven: Redriven = {
    route,
    moved,
    unsent: unsent.size,
    undeleted: undeleted.size,
    interrupted: isInterrupted,
  };
  await outputOf(flags).list({ columns: COLUMNS, rows: [redriven], json: (one) => one });
  for (const [messageId, why] of unsent)
    printError(`${messageId} was not taken: ${forTerminal(why)}`);
  if (undeleted.size > 0) {
    printError(`${undeleted.size} stay as dead letters too; moved again, they book nothing twice`);
  }
  if (inFlight > 0) {
    printError(
      `${inFlight} were in somebody else's hands when it began; look again in two minutes`,
    );
  }
  const isWhole = unsent.size + undeleted.size === 0 && !isInterrupted;
  return isWhole ? EXIT.ok : EXIT.finding;
}
