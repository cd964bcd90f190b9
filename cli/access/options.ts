/**
 * Which bridge a command asks: the local cloud on this machine, or a bridge on AWS. Without an
 * option for AWS it is the local cloud, whatever the environment holds: a command that is tried
 * out must never reach a bridge that bills because a variable was left in the shell.
 */
import { type Command, Option } from 'commander';
import { httpUrl } from '../shell/options.ts';
import { UsageError } from '../shell/usage.ts';

const LOCAL_URL = 'http://127.0.0.1:8000';

/** What `withAccess` adds to a command's flags. */
export interface AccessFlags {
  readonly local?: string | true;
  readonly endpoint?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly stack?: string;
}

/** Where to ask. */
export type Choice =
  | { readonly kind: 'local'; readonly url: string; readonly stack: string | undefined }
  | {
      readonly kind: 'aws';
      readonly profile: string | undefined;
      readonly region: string | undefined;
      readonly stack: string | undefined;
    };

export function withAccess(command: Command): Command {
  return command
    .option(
      '--local [url]',
      `ask the local cloud (the default), at ${LOCAL_URL} unless said`,
      httpUrl,
    )
    .option('--profile <name>', 'ask AWS, with this profile of the shared configuration')
    .option('--region <region>', 'ask AWS, in this Region')
    .option('--stack <name>', 'ask AWS for the bridge of these stacks, e.g. Tollbridge')
    .addOption(
      new Option('--endpoint <url>', 'the same as --local <url>').argParser(httpUrl).hideHelp(),
    );
}

/** @throws UsageError for options that ask for both */
export function choiceOf(flags: AccessFlags): Choice {
  const { profile, region, stack } = flags;
  const isAws = profile !== undefined || region !== undefined;
  const isLocal = flags.local !== undefined || flags.endpoint !== undefined;
  if (isAws && isLocal) {
    throw new UsageError(
      '--local (or --endpoint) asks the local cloud, --profile and --region ask AWS; give one of them',
    );
  }
  if (isAws || (stack !== undefined && !isLocal)) return { kind: 'aws', profile, region, stack };
  const given = typeof flags.local === 'string' ? flags.local : flags.endpoint;
  return { kind: 'local', url: given ?? LOCAL_URL, stack };
}
