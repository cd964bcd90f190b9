/** One thing to measure, as often as asked. */
export interface Candidate<Result> {
  readonly name: string;
  measure(run: number): Promise<Result>;
}

/**
 * Measures a b c, a b c, …: a busy moment of the machine meets all alike. The results of each
 * candidate are in the order of its runs.
 */
export async function interleaved<Result>(
  candidates: readonly Candidate<Result>[],
  runs: number,
  note: (line: string) => void = () => {},
): Promise<readonly (readonly Result[])[]> {
  const results = candidates.map((): Result[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [index, candidate] of candidates.entries()) {
      note(`run ${run + 1} of ${runs}: ${candidate.name}`);
      results[index]?.push(await candidate.measure(run));
    }
  }
  return results;
}
