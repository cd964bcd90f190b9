/** Inside the network namespace: starts DynamoDB Local, does the task beside it, and ends it. */
import { startDynamoDbLocal } from '../../tools/stores/dynamodb-local.ts';
import { assertLoopbackAlone } from '../../tools/stores/loopback-namespace.ts';
import { say, taskOf } from '../harness/program.ts';
import { throughCloud } from '../truth/through-cloud.ts';
import { bookers } from '../units/bookers.ts';
import { type Measured, measureBooker } from '../units/measure.ts';
import type { LocalJob, LocalTask } from './tasks.ts';

/** Nobody else is in this namespace. */
const PORT = 8000;

const { emulator, task } = taskOf<LocalJob>();
assertLoopbackAlone('npm run bench');
const engine = await startDynamoDbLocal(emulator, PORT);
try {
  await say(await resultOf(task));
} finally {
  await engine.end();
}
process.exit(0);

function resultOf(asked: LocalTask): Promise<unknown> {
  switch (asked.kind) {
    case 'truth':
      return throughCloud({ ...asked.how, dynamodbUrl: engine.url }, asked.plan);
    case 'units':
      return unitsOf(asked.bodySizes);
  }
}

async function unitsOf(bodySizes: readonly number[]): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const booker of bookers()) {
    measured.push(...(await measureBooker(engine.url, booker, bodySizes, 'by the engine')));
  }
  return measured;
}
