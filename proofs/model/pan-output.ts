/** Reads what Spin's verifier prints. Pure; the texts are those of Spin 6.5. */

/** A statement of a model: where it stands, and what it says. */
export interface Statement {
  readonly process: string;
  readonly state: number;
  /** `file:line`. */
  readonly place: string;
  readonly text: string;
}

export interface PanResult {
  readonly errors: number;
  /** The property that failed: `i1` to `i7`, `live`, or what the verifier calls it. */
  readonly failed: string | undefined;
  /** States stored, each once. */
  readonly states: number;
  /** The longest way that was followed; to an error, its length. */
  readonly depth: number;
  readonly seconds: number;
  readonly memoryMiB: number;
  /** Why this was no full search, though it found nothing. */
  readonly incomplete: string | undefined;
  readonly unreached: readonly Pick<Statement, 'process' | 'state'>[];
}

/** What makes a search less than exhaustive, however it ends. */
const SHORTCOMINGS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/max search depth too small/, 'the search was cut at its greatest depth'],
  [/MEMLIM bound|out of memory/, 'the memory did not suffice'],
  [/Bit statespace|hash-compact|HC\d/i, 'states were told apart by a hash alone'],
  [/too many processes|VECTORSZ/, 'the verifier was compiled for less'],
];

/** @throws Error when the text is no verifier's */
export function readPan(text: string): PanResult {
  const errors = numberIn(text, /errors: (\d+)/);
  const states = numberIn(text, /^\s*(\S+) states, stored/m);
  if (errors === undefined || states === undefined) {
    throw new Error(`the verifier did not end its search: ${text.trim().slice(-300)}`);
  }
  return {
    errors,
    failed: failedIn(text),
    states,
    depth: numberIn(text, /depth reached (\d+)/) ?? 0,
    seconds: numberIn(text, /elapsed time (\S+) seconds/) ?? 0,
    memoryMiB: Math.round(numberIn(text, /(\S+)\s+total actual memory usage/) ?? 0),
    incomplete: incompleteIn(text, errors),
    unreached: unreachedIn(text),
  };
}

function incompleteIn(text: string, errors: number): string | undefined {
  const found = SHORTCOMINGS.find(([pattern]) => pattern.test(text));
  if (found !== undefined) return found[1];
  // An error ends the search as well; without one, something else did.
  const isCut = errors === 0 && /Search not completed/.test(text);
  return isCut ? 'the search was not completed' : undefined;
}

function failedIn(text: string): string | undefined {
  const [, what] = /^pan:\d+: (.+?) \(at depth/m.exec(text) ?? [];
  if (what === undefined) return undefined;
  const [, name] = /^assertion violated .*\|\|(i\d)\)$/.exec(what) ?? [];
  if (name !== undefined) return name;
  return what === 'acceptance cycle' ? 'live' : what;
}

function unreachedIn(text: string): PanResult['unreached'] {
  let process = '';
  return text.split('\n').flatMap((line) => {
    const [, named] = /^unreached in (?:proctype |claim )?(\S+)/.exec(line) ?? [];
    if (named !== undefined) process = named;
    const [, state] = /^\t\S+:\d+, state (\d+), "/.exec(line) ?? [];
    return state === undefined ? [] : [{ process, state: Number(state) }];
  });
}

/** The statements of a verifier, out of what it prints with `-d`. */
export function readStatements(text: string): readonly Statement[] {
  let process = '';
  return text.split('\n').flatMap((line) => {
    const [, named] = /^(?:proctype |claim )?(\S+)$/.exec(line) ?? [];
    if (named !== undefined) process = named;
    const [, state, place, statement] = /^\tstate\s+(\d+) .*\] (\S+:\d+) => (.*)$/.exec(line) ?? [];
    if (state === undefined || place === undefined || statement === undefined) return [];
    return SILENT.has(statement) ? [] : [{ process, state: Number(state), place, text: statement }];
  });
}

/** What stands for no step of its own: a jump, the other branch of a choice, the end of a process. */
const SILENT: ReadonlySet<string> = new Set(['.(goto)', 'else', '(1)', '-end-', 'goto :b0']);

/** Where statements stand that a search has reached; one text at one place counts once. */
export function reachedIn(
  statements: readonly Statement[],
  unreached: PanResult['unreached'],
): ReadonlySet<string> {
  const missed = new Set(unreached.map(({ process, state }) => `${process} ${state}`));
  const reached = statements.filter(({ process, state }) => !missed.has(`${process} ${state}`));
  return new Set(reached.map(nameOf));
}

export function nameOf({ process, place, text }: Omit<Statement, 'state'>): string {
  return `${process} ${place} ${text}`;
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const [, found] = pattern.exec(text) ?? [];
  return found === undefined ? undefined : Number(found);
}
