/**
 * What is fuzzed: inputs that are drawn, and a check that says how each of them ended. A check
 * throws where an input has no clean end; fast-check then looks for a smaller input that has none.
 */
import fc from 'fast-check';

export interface Opened<Input> {
  /**
   * How the input ended, in the words of `reaches`.
   * @throws where it did not end in a verdict or a clean refusal
   */
  check(input: Input): readonly string[] | Promise<readonly string[]>;
  close?(): Promise<void>;
}

export interface Definition<Input> {
  readonly name: string;
  /** Inputs in a run of a hundred thousand; other runs have as many in proportion. */
  readonly share: number;
  /** Every end that there is; a run of many inputs must reach each of them. */
  readonly reaches: readonly string[];
  readonly inputs: fc.Arbitrary<Input>;
  open(): Opened<Input> | Promise<Opened<Input>>;
}

interface RunOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Where fast-check is to begin, as a failure has printed it. */
  readonly path?: string;
  /** Told after each input. */
  readonly onInput?: () => void;
}

interface Failure {
  readonly seed: number;
  readonly path: string;
  /** The smallest input that fails, as source text. */
  readonly input: string;
  readonly shrunk: number;
  readonly error: string;
}

export interface Report {
  readonly name: string;
  readonly inputs: number;
  readonly seconds: number;
  readonly ends: ReadonlyMap<string, number>;
  /** Ends that there are and that no input has reached. */
  readonly unreached: readonly string[];
  /** Ends that an input has reached and that there are not. */
  readonly unknown: readonly string[];
  readonly failure: Failure | undefined;
}

export interface Target {
  readonly name: string;
  readonly share: number;
  readonly reaches: readonly string[];
  run(options: RunOptions): Promise<Report>;
}

/** An input that takes longer than this, twice, has cost too much. */
const MILLIS_MAX = 2_000;
/** An input without an end by then has none. */
const HANG_MILLIS = 20_000;

export function targetOf<Input>(definition: Definition<Input>): Target {
  const { name, share, reaches } = definition;
  return { name, share, reaches, run: (options) => run(definition, options) };
}

async function run<Input>(definition: Definition<Input>, options: RunOptions): Promise<Report> {
  const opened = await definition.open();
  const ends = new Map<string, number>();
  let inputs = 0;
  let hasFailed = false;
  const startedAt = performance.now();
  const property = fc.asyncProperty(definition.inputs, async (input) => {
    let reached: readonly string[];
    try {
      reached = await ended(opened, input);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
    // What is tried while a failure is made smaller says nothing of the rest.
    if (hasFailed) return;
    inputs += 1;
    for (const end of reached) ends.set(end, (ends.get(end) ?? 0) + 1);
    options.onInput?.();
  });
  try {
    const { seed, path } = options;
    const place = path === undefined ? {} : { path };
    const details = await fc.check(property, { seed, numRuns: options.inputs, ...place });
    const { reaches, name } = definition;
    return {
      name,
      inputs,
      seconds: (performance.now() - startedAt) / 1_000,
      ends,
      unreached: reaches.filter((end) => !ends.has(end)),
      unknown: [...ends.keys()].filter((end) => !reaches.includes(end)),
      failure: details.failed ? failureOf(details) : undefined,
    };
  } finally {
    await opened.close?.();
  }
}

/** The ends of one input, held to what holds for every target. */
async function ended<Input>(opened: Opened<Input>, input: Input): Promise<readonly string[]> {
  const first = await timed(opened, input);
  // A machine that is busy may stall once; an input that costs too much does so again.
  const { millis, ends } = first.millis > MILLIS_MAX ? await timed(opened, input) : first;
  if (millis > MILLIS_MAX) throw new Error(`it took ${Math.round(millis)} ms, twice`);
  assertUntouched();
  if (ends.length === 0) throw new Error('it ended in nothing');
  return ends;
}

async function timed<Input>({ check }: Opened<Input>, input: Input) {
  const startedAt = performance.now();
  const ends = check(input);
  if (!(ends instanceof Promise)) return { ends, millis: performance.now() - startedAt };
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${HANG_MILLIS} ms`)), HANG_MILLIS);
  });
  try {
    const settled = await Promise.race([ends, hangs]);
    return { ends: settled, millis: performance.now() - startedAt };
  } finally {
    clearTimeout(timer);
  }
}

const PROTOTYPES = [
  Object.prototype,
  Array.prototype,
  String.prototype,
  Function.prototype,
  Map.prototype,
];
const countKeys = () => PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length);
const KEYS = countKeys();

/** No input may add to what every object inherits. */
function assertUntouched(): void {
  const now = countKeys();
  if (now.some((count, at) => count !== KEYS[at])) {
    throw new Error('a prototype that every object inherits has changed');
  }
}

function failureOf<Input>(details: fc.RunDetails<[Input]>): Failure {
  const { seed, counterexample, counterexamplePath, numShrinks, errorInstance } = details;
  return {
    seed,
    path: counterexamplePath ?? '',
    input: fc.stringify(counterexample?.[0]),
    shrunk: numShrinks,
    error: errorInstance instanceof Error ? errorInstance.message : String(errorInstance),
  };
}
