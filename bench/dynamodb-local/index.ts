/**
 * Amazon's DynamoDB Local, for what the embedded engine cannot do. Its licence is the user's to
 * accept, so it is used where it is asked for alone; it runs in a network namespace of its own, and
 * what needs it runs there as a program.
 */
import { fileURLToPath } from 'node:url';
import { MissingError } from '../../tools/stores/dynamodb-local.ts';
import { type EmulatorPlace, prepareEmulator } from '../../tools/stores/loopback-namespace.ts';
import { runProgram } from '../harness/program.ts';
import type { BenchOptions } from '../harness/table.ts';
import { inWorkshop } from '../harness/workshop.ts';
import type { LocalJob, LocalTask, ResultOf } from './tasks.ts';

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url));

export const OPTION = '--with-dynamodb-local';

export type OnLocal<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'not done'; readonly why: string };

/** Does a task beside DynamoDB Local, or says why not. */
export async function onDynamoDbLocal<Task extends LocalTask>(
  task: Task,
  { withDynamoDbLocal, note }: BenchOptions,
): Promise<OnLocal<ResultOf<Task>>> {
  if (!withDynamoDbLocal) {
    const why = `it needs DynamoDB Local, whose licence is yours to accept: ${OPTION}`;
    return { kind: 'not done', why };
  }
  return inWorkshop(async (scratch) => {
    let place: EmulatorPlace;
    try {
      place = await prepareEmulator(scratch, note);
    } catch (error) {
      if (error instanceof MissingError) return { kind: 'not done', why: error.message };
      throw error;
    }
    const { emulator, inNamespace } = place;
    const job: LocalJob = { emulator, task };
    const flags = ['--import', 'tsx'];
    const result = await runProgram<ResultOf<Task>>(PROGRAM, job, { flags, inside: inNamespace });
    return { kind: 'done', result };
  });
}
