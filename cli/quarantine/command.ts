/** `tollbridge quarantine`: look at what could not be booked, and decide what becomes of it. */
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/base/time.ts';
import type { QuarantineKey } from '../../core/tables/quarantine-row.ts';
import type { BridgeClient } from '../access/access.ts';
import { AccessError } from '../access/failures.ts';
import { withAccess } from '../access/options.ts';
import { publisherOf } from '../access/publishing.ts';
import { withBridge } from '../access/with-bridge.ts';
import { type Column, type OutputFlags, outputOf, withOutput } from '../output/output.ts';
import { printError } from '../output/print.ts';
import { forTerminal } from '../output/safe.ts';
import { confirm } from '../shell/confirm.ts';
import { type OperatorFlags, operatorOf, withOperator } from '../shell/operator.ts';
import { EXIT, type ExitStatus } from '../shell/usage.ts';
import { accept } from './accept.ts';
import { type Deciding, DISCARDED_DAYS, discard, restore } from './decisions.ts';
import { gatherKey, keyText } from './key.ts';
import { setUpList } from './list.ts';
import { decisionOf, readRow } from './rows.ts';
import { showRows } from './show.ts';

interface ActFlags extends OperatorFlags, OutputFlags {
  readonly yes: boolean;
}

const KEYS = 'keys as list prints them';

export function quarantineCommand(): Command {
  const command = new Command('quarantine').description(
    'list, show, accept or discard what could not be booked',
  );
  setUpList(command.command('list'));
  withOutput(withAccess(command.command('show')))
    .description('print whole rows, and both bodies of a conflict side by side')
    .argument('<key...>', KEYS, gatherKey)
    .addHelpText('after', SHOW_HELP)
    .action(async (keys: QuarantineKey[], flags: ActFlags) => {
      await withBridge(flags, async (access) => {
        await showRows(access, outputOf(flags), keys);
        return EXIT.ok;
      });
    });
  acting(command.command('accept'))
    .description('book deliveries by your word, and forward them')
    .addHelpText('after', ACCEPT_HELP)
    .action(async (keys: QuarantineKey[], flags: ActFlags) => {
      await withBridge(flags, (access) => acceptAll(access, keys, flags));
    });
  acting(command.command('discard'))
    .description(`have rows forgotten in ${DISCARDED_DAYS} days`)
    .requiredOption('--reason <text>', 'why, for whoever asks later', reasonText)
    .addHelpText('after', DISCARD_HELP)
    .action(async (keys: QuarantineKey[], flags: ActFlags & { readonly reason: string }) => {
      await withBridge(flags, (access) => discardAll(access, keys, flags));
    });
  acting(command.command('restore'))
    .description('take a discard back, while the row is still there')
    .addHelpText('after', RESTORE_HELP)
    .action(async (keys: QuarantineKey[], flags: ActFlags) => {
      await withBridge(flags, (access) => restoreAll(access, keys, flags));
    });
  return command;
}

const SHOW_HELP = `
Exit status: 0; 1 when a row is not there; 2 for a wrong command line.

Examples:
  tollbridge quarantine show 'charges#meter-17/a-1#6296…'
  tollbridge quarantine show KEY KEY --json --region eu-central-1`;

const ACCEPT_HELP = `
What is booked is what the device said: nothing in it can be changed here. It is booked under its own
id where that is free (of what came too late or too early, say), so that a copy that still comes is a
duplicate; where another body has used up the id, it is booked under ID~BODYHASH, and the used id
stays used. On a deduplicated route nothing is booked: a conflict or a late delivery is forwarded,
under ID~BODYHASH. What holds no message of its route is refused, with what to do instead.
The device is told nothing: it has set the message aside. Safe to repeat: one booking, and a forward
that receivers know by its id.
The route must be the one that is deployed; the stack's template is compared with tollbridge.config.ts.
Exit status: 0 when all of them are accepted, now or before; 1 when one is not; 2 for a wrong command
line, or without agreement.

Examples:
  tollbridge quarantine accept 'charges#meter-17/a-1#6296…'
  tollbridge quarantine accept KEY KEY --yes --operator ann --region eu-central-1`;

const DISCARD_HELP = `
The row stays for ${DISCARDED_DAYS} days, with who discarded it, when and why, and can be restored until then.
Safe to repeat; what is accepted cannot be discarded.
Exit status: 0 when all of them are discarded, now or before; 1 when one is not; 2 for a wrong
command line, or without agreement.

Examples:
  tollbridge quarantine discard 'charges#meter-17/-#6296…' --reason 'a test of the workshop'
  tollbridge quarantine discard KEY KEY --reason 'billed by hand, invoice 4711' --yes`;

const RESTORE_HELP = `
Exit status: 0 when all of them are undecided now; 1 when one is not; 2 for a wrong command line, or
without agreement.

Examples:
  tollbridge quarantine restore 'charges#meter-17/-#6296…'
  tollbridge quarantine restore KEY KEY --yes --operator ann`;

function acting(command: Command): Command {
  return withOperator(withOutput(withAccess(command)))
    .argument('<key...>', KEYS, gatherKey)
    .option('--yes', 'agree without being asked', false);
}

const REASON_CHARS_MAX = 1_000;

function reasonText(text: string): string {
  if (text.trim() !== '' && text.length <= REASON_CHARS_MAX && text.isWellFormed()) return text;
  throw new InvalidArgumentError(`allowed is a text of 1 to ${REASON_CHARS_MAX} characters.`);
}

/** What was done with one row. */
interface Done {
  readonly key: string;
  readonly outcome: string;
  readonly bookedAs: string;
  readonly forwardedAs: string;
}

const DONE: readonly Column<Done>[] = [
  { name: 'outcome', text: ({ outcome }) => outcome },
  { name: 'bookedAs', text: ({ bookedAs }) => bookedAs },
  { name: 'forwardedAs', text: ({ forwardedAs }) => forwardedAs },
  { name: 'key', text: ({ key }) => key },
];

async function acceptAll(
  access: BridgeClient,
  keys: readonly QuarantineKey[],
  flags: ActFlags,
): Promise<ExitStatus> {
  const by = operatorOf(flags);
  await confirm(
    `Book and forward ${rows(keys)} at ${access.where} as ${forTerminal(by)}`,
    flags.yes,
  );
  const deps = { access, by, clock: systemClock, publisher: publisherOf(access) };
  return each(keys, flags, async (key) => {
    const { isNew, by: who, bookedAs = '', forwardedAs = '' } = await accept(deps, key);
    const outcome = isNew ? 'accepted' : `accepted before, by ${who}`;
    return { key: keyText(key), outcome, bookedAs, forwardedAs };
  });
}

async function discardAll(
  access: BridgeClient,
  keys: readonly QuarantineKey[],
  flags: ActFlags & { readonly reason: string },
): Promise<ExitStatus> {
  const by = operatorOf(flags);
  await confirm(`Discard ${rows(keys)} at ${access.where} as ${forTerminal(by)}`, flags.yes);
  return each(keys, flags, async (key) => {
    await readRow(access, key);
    const isNew = await discard(access, key, deciding(by), flags.reason);
    if (isNew) return plainly(key, `discarded, restorable for ${DISCARDED_DAYS} days`);
    const decision = decisionOf(await readRow(access, key));
    if (decision.kind === 'discarded') {
      return plainly(key, `discarded before, by ${decision.by} at ${decision.at}`);
    }
    throw new AccessError(
      decision.kind === 'none'
        ? 'it changed meanwhile; run this again'
        : `${decision.by} has ${decision.kind === 'accepted' ? 'accepted it' : 'begun to accept it'} at ${decision.at}; what is booked is not discarded`,
    );
  });
}

async function restoreAll(
  access: BridgeClient,
  keys: readonly QuarantineKey[],
  flags: ActFlags,
): Promise<ExitStatus> {
  const by = operatorOf(flags);
  await confirm(`Restore ${rows(keys)} at ${access.where} as ${forTerminal(by)}`, flags.yes);
  return each(keys, flags, async (key) => {
    await readRow(access, key);
    if (await restore(access, key, deciding(by))) return plainly(key, 'restored');
    const decision = decisionOf(await readRow(access, key));
    if (decision.kind === 'none') return plainly(key, 'nothing was decided on it');
    throw new AccessError(`${decision.by} accepted it at ${decision.at}; a booking stays`);
  });
}

function deciding(by: string): Deciding {
  return { by, now: systemClock() };
}

function plainly(key: QuarantineKey, outcome: string): Done {
  return { key: keyText(key), outcome, bookedAs: '', forwardedAs: '' };
}

/** One that cannot be done keeps no other from being done. */
async function each(
  keys: readonly QuarantineKey[],
  flags: ActFlags,
  act: (key: QuarantineKey) => Promise<Done>,
): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.ok;
  const results = async function* () {
    for (const key of keys) {
      try {
        yield await act(key);
      } catch (error) {
        if (!(error instanceof AccessError)) throw error;
        printError(`${keyText(key)}: ${error.message}`);
        status = EXIT.finding;
      }
    }
  };
  await outputOf(flags).list({ columns: DONE, rows: results(), json: (done) => done });
  return status;
}

function rows(keys: readonly QuarantineKey[]): string {
  return keys.length === 1 ? 'the row' : `${keys.length} rows`;
}
