/** What can be done beside DynamoDB Local, and what each gives back. */
import type { OnCloud, Outcome, Plan } from '../truth/through-cloud.ts';
import type { Measured } from '../units/measure.ts';

interface TruthTask {
  readonly kind: 'truth';
  readonly how: OnCloud;
  readonly plan: Plan;
}

interface UnitsTask {
  readonly kind: 'units';
  readonly bodySizes: readonly number[];
}

export type LocalTask = TruthTask | UnitsTask;

export type ResultOf<Task extends LocalTask> = Task extends TruthTask
  ? Outcome
  : readonly Measured[];

/** What the program is started with. */
export interface LocalJob {
  /** The folder of the emulator. */
  readonly emulator: string;
  readonly task: LocalTask;
}
