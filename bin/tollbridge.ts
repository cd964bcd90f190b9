/** The command line. Each command stands in a file of its own under `cli/`. */
import { Command, CommanderError } from 'commander';
import { copiesCommand } from '../cli/commands/copies.ts';
import { deviceProfileCommand } from '../cli/commands/device-profile.ts';
import { forwardAgainCommand } from '../cli/commands/forward-again.ts';
import { gapsCommand } from '../cli/commands/gaps.ts';
import { invoiceCommand } from '../cli/commands/invoice.ts';
import { ledgerCommand } from '../cli/commands/ledger.ts';
import { sendCommand } from '../cli/commands/send.ts';
import { startCommand } from '../cli/commands/start.ts';
import { costCommand } from '../cli/cost/command.ts';
import { deadLettersCommand } from '../cli/dead-letters/command.ts';
import { demoCommand } from '../cli/demo/command.ts';
import { deviceCommand } from '../cli/device/command.ts';
import { doctorCommand } from '../cli/doctor/command.ts';
import { endWithReader, printError } from '../cli/output/print.ts';
import { quarantineCommand } from '../cli/quarantine/command.ts';
import { EXIT, throwing, UsageError } from '../cli/shell/usage.ts';
import { traceCommand } from '../cli/trace/command.ts';

// The functions run on Node 24 when deployed; here the SDK works on 20 as the tests show.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const program = new Command('tollbridge')
  .description('Exactly-once billing on AWS IoT Core.')
  .addHelpText(
    'after',
    `
Exit status: 0 asked and answered; 1 it failed, or found what a person has to look at (each command
says which); 2 the command line is wrong.`,
  )
  .addCommand(startCommand())
  .addCommand(sendCommand())
  .addCommand(ledgerCommand())
  .addCommand(invoiceCommand())
  .addCommand(traceCommand())
  .addCommand(copiesCommand())
  .addCommand(gapsCommand())
  .addCommand(quarantineCommand())
  .addCommand(deadLettersCommand())
  .addCommand(forwardAgainCommand())
  .addCommand(doctorCommand())
  .addCommand(costCommand())
  .addCommand(deviceCommand())
  .addCommand(deviceProfileCommand())
  .addCommand(demoCommand());

endWithReader();
try {
  await throwing(program).parseAsync();
} catch (error) {
  process.exitCode = exitStatusOf(error);
}

function exitStatusOf(error: unknown): number {
  // Commander has printed what it had to say; help and version are no faults.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  printError(`tollbridge: ${error instanceof Error ? error.message : String(error)}`);
  if (!(error instanceof UsageError)) return EXIT.finding;
  printError('(add --help for the options)');
  return EXIT.usage;
}
