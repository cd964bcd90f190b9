/** What a command line means wrongly, and the exit statuses that every command shares. */
import type { Command } from 'commander';

/** The command line itself has to change. Exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The exit status of a process. */
export const EXIT = {
  /** Asked and answered. */
  ok: 0,
  /** It failed, or it found what a person has to look at; each command says which. */
  finding: 1,
  /** The command line is wrong; nothing was asked. */
  usage: 2,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Has commander throw where it would end the process, in this command and all below it. */
export function throwing(command: Command): Command {
  command.exitOverride().showHelpAfterError('(add --help for the options)');
  for (const below of command.commands) throwing(below);
  return command;
}
