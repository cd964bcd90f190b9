/** The local cloud in a process of its own, so that what it costs can be told from the devices. */
import { type CloudOptions, startCloud } from '../../local/cloud.ts';
import { type CloudEvent, noFaults } from '../../local/contracts.ts';
import { childrenOf, cpuMicrosOf, residentBytesOf } from '../../tools/machine.ts';
import { say, taskOf } from '../harness/program.ts';
import { createEffects } from '../truth/effects.ts';
import { isFunctionHost } from './function-hosts.ts';

export interface CloudTask {
  readonly assembly: string;
  /** A folder to run in place of the function of `charges`. */
  readonly charges?: string;
  /** Divides the waiting times of the cloud. */
  readonly speed: number;
  /** How long the APIs hold an answer back. */
  readonly answerAfterMillis?: number;
  readonly dynamodbUrl?: string;
  readonly dataDir?: string;
}

export type CloudQuestion =
  | { readonly ask: 'cost' }
  | { readonly ask: 'idle' }
  | { readonly ask: 'functions' }
  | { readonly ask: 'effects' }
  | { readonly ask: 'throttle'; readonly chance: number }
  | { readonly ask: 'close' };

export interface CloudReady {
  readonly port: number;
  readonly apiUrl: string;
  readonly ledger: string;
}

/** CPU since the start, and memory now. */
export interface CloudCost {
  readonly cloudMicros: number;
  readonly functionMicros: number;
  readonly cloudBytes: number;
  readonly functionBytes: number;
  /** Deliveries that wait in queues. */
  readonly queued: number;
}

const task = taskOf<CloudTask>();
const effects = createEffects();
const options: CloudOptions = {
  assembly: task.assembly,
  mqttPort: 0,
  apiPort: 0,
  seed: 7,
  speed: task.speed,
  faults: noFaults,
  observe: (event: CloudEvent) => {
    if (event.kind === 'table') effects.see(event);
  },
  ...(task.charges !== undefined && {
    functionOverrides: { RoutesChargesIngestFunction: task.charges },
  }),
  ...(task.answerAfterMillis !== undefined && { answerAfterMillis: task.answerAfterMillis }),
  ...(task.dynamodbUrl !== undefined && { dynamodbUrl: task.dynamodbUrl }),
  ...(task.dataDir !== undefined && { dataDir: task.dataDir }),
};
const cloud = await startCloud(options);

process.on('message', (question: CloudQuestion) => {
  answer(question).then(say, (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});
// Whoever has started it is gone: nobody would end it.
process.on('disconnect', () => process.exit(0));
await say({
  port: cloud.mqttPort,
  apiUrl: cloud.apiUrl,
  ledger: cloud.tableName('Ledger'),
} satisfies CloudReady);

async function answer(question: CloudQuestion): Promise<unknown> {
  switch (question.ask) {
    case 'cost':
      return costNow();
    case 'idle':
      await cloud.idle();
      return {};
    case 'functions':
      return functionHosts();
    case 'effects':
      return effects.list();
    case 'throttle':
      cloud.faults = { ...cloud.faults, throttle: question.chance };
      return {};
    case 'close':
      await cloud.close();
      setImmediate(() => process.disconnect());
      return {};
  }
}

function functionHosts(): readonly number[] {
  return childrenOf(process.pid).filter(isFunctionHost);
}

function costNow(): CloudCost {
  const hosts = functionHosts();
  const { user, system } = process.cpuUsage();
  return {
    cloudMicros: user + system,
    functionMicros: hosts.reduce((sum, pid) => sum + cpuMicrosOf(pid), 0),
    cloudBytes: process.memoryUsage.rss(),
    functionBytes: Math.max(0, ...hosts.map(residentBytesOf)),
    queued: [...cloud.queues.values()].reduce((sum, queue) => {
      const { visible, inFlight } = queue.depth();
      return sum + visible + inFlight;
    }, 0),
  };
}
