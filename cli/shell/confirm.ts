/** Whoever changes something has to say so: on the command line, or as an answer. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from './usage.ts';

/**
 * Asks unless `yes` was given. Where nobody can answer, nothing is done.
 * @param what the sentence that is agreed to, without its question mark
 * @throws UsageError where nobody agreed
 */
export async function confirm(what: string, yes: boolean): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError(
      `${what}: this needs --yes where nobody can be asked; nothing was changed`,
    );
  }
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = (await line.question(`${what}? [y/N] `)).trim();
    if (/^y(es)?$/i.test(answer)) return;
  } finally {
    line.close();
  }
  throw new UsageError('not agreed to; nothing was changed');
}
