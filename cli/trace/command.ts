/** `tollbridge trace`: the life of one message. */
import { Command } from 'commander';
import type { BridgeClient } from '../access/access.ts';
import { type AccessFlags, withAccess } from '../access/options.ts';
import { withBridge } from '../access/with-bridge.ts';
import { deviceName } from '../device/name.ts';
import { plainOf } from '../output/items.ts';
import {
  type Column,
  countText,
  type Output,
  type OutputFlags,
  outputOf,
  withOutput,
} from '../output/output.ts';
import { printError } from '../output/print.ts';
import { forTerminal } from '../output/safe.ts';
import { EXIT, type ExitStatus } from '../shell/usage.ts';
import { type Fact, factsOfQuarantine, factsOfRow, inOrder } from './facts.ts';
import { type Findings, findMessage } from './find.ts';
import { factsOfLogs } from './log-facts.ts';

interface Flags extends AccessFlags, OutputFlags {
  readonly route?: string;
  readonly logs: boolean;
}

const HELP = `
ID is what a receipt, a log or the ledger calls it. A text alone does not say what it was, so every
reading is tried and named: as text (a-1), as integer (7), as a key (int:7, tim:…, sha:…, all:…), as
sequence (boot:7), as correlation data (base64); on a latest route ID is the topic.
What the rows do not hold is fetched from the logs of the functions, around the time of the
delivery (on AWS by CloudWatch Logs Insights, which is charged by the byte it scans), or is named as
not known. --no-logs leaves them out.
--json prints the rows whole, bodies included, and the facts; --csv prints the facts.
Exit status: 0 when something is known of the message, 1 when nothing is (or it failed), 2 for a
wrong command line. An id that begins with - goes after --.

Examples:
  tollbridge trace meter-17 a-1
  tollbridge trace meter-17 boot:7 --route charges --json
  tollbridge trace meter-17 --region eu-central-1 -- -5`;

export function traceCommand(): Command {
  const command = new Command('trace')
    .description('print what is known of one message')
    .argument('<device>', 'the thing', deviceName)
    .argument('<id>', 'the id, as told in receipts')
    .option('--route <name>', 'on this route alone')
    .option('--no-logs', 'ask the tables alone');
  return withOutput(withAccess(command))
    .addHelpText('after', HELP)
    .action(async (device: string, id: string, flags: Flags) => {
      await withBridge(flags, (access) => printTrace(access, device, id, flags));
    });
}

async function printTrace(
  access: BridgeClient,
  device: string,
  id: string,
  flags: Flags,
): Promise<ExitStatus> {
  const routes = flags.route === undefined ? access.bridge.routes : [access.route(flags.route)];
  const found = await findMessage(access, routes, device, id);
  const output = outputOf(flags);
  if (found.rows.length === 0 && found.quarantined.length === 0) {
    const tried = found.tried.map((key) => `  ${forTerminal(key)}`).join('\n');
    printError(
      `nothing is known of it at ${access.where}. Looked for, in tables and quarantine:\n${tried}`,
    );
    return EXIT.finding;
  }
  const logFacts = flags.logs ? await factsOfLogs(access, found) : [];
  const facts = inOrder([
    ...found.rows.flatMap(factsOfRow),
    ...found.quarantined.flatMap(factsOfQuarantine),
    ...logFacts,
  ]);
  if (output.format === 'json') await listRows(output, found);
  const json = (fact: Fact) => ({ kind: 'fact', ...fact });
  await output.list({ columns: COLUMNS, rows: facts, json });
  await output.printNote(
    `${countText(found.rows.length, ['row', 'rows'])}, ${countText(found.quarantined.length, ['quarantine row', 'quarantine rows'])}`,
  );
  return EXIT.ok;
}

async function listRows(output: Output, { rows, quarantined }: Findings): Promise<void> {
  await output.list({
    columns: [],
    rows,
    json: ({ table, reading, item }) => ({ kind: 'row', table, reading, ...plainOf(item) }),
  });
  await output.list({
    columns: [],
    rows: quarantined,
    json: ({ reading, item }) => ({ kind: 'quarantine', reading, ...plainOf(item) }),
  });
}

const COLUMNS: readonly Column<Fact>[] = [
  { name: 'when', text: ({ at }) => at ?? '' },
  { name: 'route', text: ({ route }) => route },
  { name: 'what', text: ({ what }) => what },
  { name: 'detail', text: ({ detail }) => detail },
];
