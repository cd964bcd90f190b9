/** What tests of the queue's consumers share: a queue on a manual scheduler, a steered function. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { epochMillis } from '../../../core/base/time.ts';
import { seededChance } from '../../../local/chance.ts';
import { type CloudEvent, noFaults } from '../../../local/contracts.ts';
import type { InvocationOutcome } from '../../../local/lambda/outcome.ts';
import { createQueue, type Queue } from '../../../local/sqs/queue.ts';
import { manualScheduler } from '../../../local/timers.ts';

export const start = epochMillis(1_795_217_651_000);

export const ok = (result: unknown): InvocationOutcome => ({ kind: 'ok', result });
export const failed: InvocationOutcome = { kind: 'error', errorType: 'Error', message: 'boom' };

/** Lets everything run that needs no time to pass: what wakes up may wake up others. */
export async function turn(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await nextTurn();
}

/** A function whose invocations end when the test says so. */
export function steered() {
  const calls: {
    readonly event: unknown;
    readonly requestId: string | undefined;
    readonly end: (outcome: InvocationOutcome) => void;
  }[] = [];
  return {
    calls,
    invoke: (_name: string, event: unknown, requestId?: string) =>
      new Promise<InvocationOutcome>((end) => calls.push({ event, requestId, end })),
  };
}

export function bench() {
  const scheduler = manualScheduler(start);
  const events: CloudEvent[] = [];
  const common = {
    scheduler,
    observe: (event: CloudEvent) => void events.push(event),
    changed: () => undefined,
  };
  const make = (name: string, maximumBytes = 1_048_576): Queue =>
    createQueue({
      ...common,
      name,
      arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
      url: `https://sqs.us-east-1.amazonaws.com/000000000000/${name}`,
      visibilityMillis: 30_000,
      retentionMillis: 345_600_000,
      maximumBytes,
      redrive: undefined,
      chance: seededChance(1),
      faults: () => noFaults,
    });
  return { scheduler, events, common, make };
}
