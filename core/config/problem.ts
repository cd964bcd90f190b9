/** One thing that is wrong with a configuration: what was got, what is allowed, what to do. */
export interface Problem {
  /** Where it stands, e.g. `routes.charges.topic`. */
  readonly at: string;
  readonly got: string;
  readonly allowed: string;
  readonly fix: string;
}

/** A configuration that cannot be used; the message lists every problem at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(`tollbridge.config.ts has ${count}\n\n${problems.map(describe).join('\n\n')}\n`);
    this.problems = problems;
  }
}

function describe(problem: Problem): string {
  return [
    `  ${problem.at}`,
    `    got:     ${problem.got}`,
    `    allowed: ${problem.allowed}`,
    `    fix:     ${problem.fix}`,
  ].join('\n');
}
