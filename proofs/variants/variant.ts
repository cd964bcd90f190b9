/**
 * A broken variant: the real code with a deliberate fault, to show that what checks the code can
 * fail. A fault is a small edit of the text of a source, so that everything else in the variant is
 * the code as it stands.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Invariant } from '../simulation/run.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type { Invariant };

/** Puts `to` in the place of `from`, which stands exactly once in the file. */
export interface Edit {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** What has to object to a variant. */
export type Check =
  /** The simulation, from the common seed on, within so many schedules. */
  | { readonly by: 'simulation'; readonly within: number }
  /** A test of the suite: its whole title, those of the suites around it first. */
  | { readonly by: 'test'; readonly file: string; readonly title: string };

/** So many schedules may a variant meet before it has to be found out. */
export const SIMULATED: Check = { by: 'simulation', within: 1_000 };

export interface Variant {
  readonly name: string;
  /** Where somebody got this wrong; `ours` where nobody is known to. */
  readonly after: string;
  /** What the fault is, in a clause. */
  readonly fault: string;
  /** The invariants it breaks. The simulation stops at the first that it sees broken. */
  readonly breaks: readonly Invariant[];
  readonly edits: readonly Edit[];
  readonly checks: readonly Check[];
}

export class EditMissedError extends Error {
  override readonly name = 'EditMissedError';
}

/**
 * The sources that a variant changes, by their absolute paths.
 * @throws EditMissedError when a text that is to be replaced does not stand exactly once: the code
 * has moved on, and the variant would be the code without a fault
 */
export function sourcesOf(
  { name, edits }: Pick<Variant, 'name' | 'edits'>,
  read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const path = join(ROOT, file);
    const parts = (sources.get(path) ?? read(path)).split(from);
    if (parts.length !== 2) {
      throw new EditMissedError(
        `variant ${name}: a text stands ${parts.length - 1} times in ${file}, and has to stand ` +
          `there once; bring the variant up to the code. The text: ${from}`,
      );
    }
    sources.set(path, parts.join(to));
  }
  return sources;
}
