/** `tollbridge device-profile`: what a device has to know of the routes, for `connect`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { deviceProfile, ProfileError } from '../../core/operations/device-profile.ts';
import { readBridge } from '../access/routes.ts';
import { checkName } from '../device/add.ts';
import { print, printError } from '../output/print.ts';
import { EXIT, UsageError } from '../shell/usage.ts';

interface Flags {
  readonly topic: ReadonlyMap<string, string>;
  readonly basicIngest: boolean;
  readonly handshake: 'short' | 'full';
}

export function deviceProfileCommand(): Command {
  return new Command('device-profile')
    .description('print what a device has to know of the routes, as JSON for connect')
    .argument('<name>', 'the thing; also the client id')
    .option(
      '--topic <route=topic>',
      'the whole topic, where the filter has more wildcards than the device; may be repeated',
      addTopic,
      new Map<string, string>(),
    )
    .option(
      '--basic-ingest',
      'publish through $aws/rules/RULE/, which has no message charge',
      false,
    )
    .addOption(
      new Option('--handshake <kind>', 'how much both ends say about a message')
        .choices(['short', 'full'])
        .default('short'),
    )
    .option('--json', 'print JSON, which is all that it prints', false)
    .addHelpText(
      'after',
      `
The JSON goes to standard output; what a person should know of it to standard error. The exit status
is 1 when a topic has a wildcard left, for connect refuses it.

Examples:
  tollbridge device-profile meter-17 > routes.json
  tollbridge device-profile meter-17 --basic-ingest --topic events=events/meter-17/door`,
    )
    .action(async (name: string, { topic, basicIngest, handshake }: Flags) => {
      checkName(name);
      const bridge = await readBridge();
      const profile = asUsage(() => {
        return deviceProfile(bridge, name, { topics: topic, basicIngest, handshake });
      });
      print(JSON.stringify(profile.routes, undefined, 2));
      for (const line of [...profile.notes, ...profile.unsupported, ...profile.unfilled])
        printError(line);
      if (profile.unfilled.length > 0) process.exitCode = EXIT.finding;
    });
}

function asUsage<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof ProfileError ? new UsageError(error.message) : error;
  }
}

function addTopic(text: string, topics: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, route, topic] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (route === undefined || topic === undefined) {
    throw new InvalidArgumentError('allowed is ROUTE=TOPIC, e.g. events=events/meter-17/door.');
  }
  return new Map([...topics, [route, topic]]);
}
