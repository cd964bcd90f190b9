/** Who acts: what is written into rows beside the time. */
import { hostname, userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { AccessFlags } from '../access/options.ts';

const CHARS_MAX = 200;

export interface OperatorFlags extends AccessFlags {
  readonly operator?: string;
}

export function withOperator(command: Command): Command {
  return command.option(
    '--operator <name>',
    'who you are, as it is written into the row (default: user@host, and the profile on AWS)',
    (text: string) => {
      if (text.trim() !== '' && text.length <= CHARS_MAX) return text;
      throw new InvalidArgumentError(`allowed is a name of 1 to ${CHARS_MAX} characters.`);
    },
  );
}

/**
 * A statement, not a proof: whoever may write to the table can write any name. What AWS itself
 * knows of a caller is in CloudTrail.
 */
export function operatorOf({ operator, profile }: OperatorFlags): string {
  if (operator !== undefined) return operator;
  const name = `${userName()}@${hostname()}`;
  return profile === undefined ? name : `${name} (profile ${profile})`;
}

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? 'unknown';
  }
}
