/** The command line. Each command stands in a file of its own under `cli/`. */
import { Command } from 'commander';
import { demoCommand } from '../cli/demo/command.ts';
import { ledgerCommand } from '../cli/ledger.ts';
import { tell } from '../cli/print.ts';
import { sendCommand } from '../cli/send.ts';
import { startCommand } from '../cli/start.ts';

// The functions run on Node 24 when deployed; here the SDK works on 20 as the tests show.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const program = new Command('tollbridge')
  .description('Exactly-once billing on AWS IoT Core.')
  .showHelpAfterError('(add --help for the options)')
  .addCommand(startCommand())
  .addCommand(sendCommand())
  .addCommand(ledgerCommand())
  .addCommand(demoCommand());

try {
  await program.parseAsync();
} catch (error) {
  tell(`tollbridge: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
