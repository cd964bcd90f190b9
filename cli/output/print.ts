/**
 * Everything a command says goes through here: results to standard output, the rest to error.
 *
 * Owns both streams. Keeps this invariant: when whoever reads standard output has gone (`| head`),
 * the process ends in silence, for nobody is left to hear it.
 */
import { once } from 'node:events';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Prints as is, and waits until the reader has room again: a long read must not pile up here. */
export async function printed(text: string): Promise<void> {
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** The status of a process that ended because its output was no longer read (128 + SIGPIPE). */
const READER_GONE = 141;

/** Call once, before anything is printed. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(READER_GONE);
      throw error;
    });
  }
}
