/** What every bench gives back, and what `npm run bench` prints and writes. */

/** Something that a table was to reach, what it reached, and whether that is enough. */
export interface Goal {
  readonly goal: string;
  readonly got: string;
  readonly isMet: boolean;
}

export interface Table {
  /** As `--only` names it, e.g. `writes`. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  /** One cell for each column. */
  readonly rows: readonly (readonly string[])[];
  /** Whole sentences that stand under the table. */
  readonly notes: readonly string[];
  readonly goals: readonly Goal[];
}

export interface BenchOptions {
  /** How often each thing is measured, at least 1; what is counted and not timed is done once. */
  readonly runs: number;
  /** Smaller amounts of work, so that all tables are made in a few minutes. */
  readonly isQuick: boolean;
  /** Whether DynamoDB Local may be fetched and used, for what the embedded engine cannot do. */
  readonly withDynamoDbLocal: boolean;
  /** Says what is being measured now. */
  readonly note: (line: string) => void;
}

/** The `bench` that the `index.ts` of each folder exports. */
export type Bench = (options: BenchOptions) => Promise<readonly Table[]>;
