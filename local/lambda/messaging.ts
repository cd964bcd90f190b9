/**
 * Queues, event source mappings and asynchronous invocation of one template, connected.
 *
 * Owns all three. Keeps this invariant: what a rule's action hands over is taken by a target that
 * the rule is allowed to use, or refused so that the rule's error action takes over.
 */

import { roleAllows } from '../api/caller.ts';
import type { CloudPlan } from '../assembly/plan.ts';
import type { ActionSink, Chance, Faults, Observer } from '../contracts.ts';
import { createQueue, type Queue } from '../sqs/queue.ts';
import { RedriveError, redrive } from '../sqs/redrive.ts';
import type { Scheduler } from '../timers.ts';
import { type AsyncInvoker, createAsyncInvoker } from './async-invoke.ts';
import { createEventSource } from './event-source.ts';
import { mayInvoke } from './invoke-permission.ts';
import type { Invoke } from './outcome.ts';

export interface MessagingOptions {
  readonly plan: CloudPlan;
  readonly invoke: Invoke;
  readonly scheduler: Scheduler;
  readonly chance: Chance;
  readonly faults: () => Faults;
  readonly observe: Observer;
  readonly changed: () => void;
  /** Batches of one mapping that run at once; the template can only lower it. */
  readonly maximumConcurrency: number;
}

export interface Messaging {
  /** By name. */
  readonly queues: ReadonlyMap<string, Queue>;
  /** Hands a rule's output to its target; rejects when the target does not take it. */
  readonly deliver: ActionSink;
  /** Moves every dead letter of the queue of this name back to where it belongs; says how many. */
  redrive(deadLetterQueueName: string): number;
  /** No message waits in a queue that a function reads, and no event waits for its function. */
  isQuiet(): boolean;
  /** Takes nothing more and forgets what waits; resolves when nothing runs. */
  close(): Promise<void>;
}

/** A rule's action was refused by its target. */
class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
}

export function createMessaging(options: MessagingOptions): Messaging {
  const { plan } = options;
  const byArn = createQueues(options);
  const queues = new Map([...byArn.values()].map((queue) => [queue.name, queue] as const));
  const sources = plan.mappings.map((mapping) =>
    createEventSource({
      ...options,
      queue: found(byArn, mapping.queueArn),
      functionName: mapping.functionName,
      batchSize: mapping.batchSize,
      windowMillis: mapping.windowSeconds * 1000,
      reportsItemFailures: mapping.reportsItemFailures,
      maximumConcurrency: Math.min(
        options.maximumConcurrency,
        mapping.maximumConcurrency ?? Number.POSITIVE_INFINITY,
      ),
      region: plan.environment.region,
    }),
  );
  const read = plan.mappings.map((mapping) => found(byArn, mapping.queueArn));
  const invokers = new Map(
    plan.functions.map((one) => {
      const invoker = createAsyncInvoker({
        ...options,
        functionName: one.name,
        functionArn: one.arn,
        maximumRetryAttempts: one.maximumRetryAttempts,
        maximumEventAgeMillis: one.maximumEventAgeSeconds * 1000,
        deadLetterQueue: one.deadLetterArn === undefined ? undefined : byArn.get(one.deadLetterArn),
        onFailure: one.onFailureArn === undefined ? undefined : byArn.get(one.onFailureArn),
      });
      return [one.arn, { name: one.name, invoker }] as const;
    }),
  );
  return {
    queues,
    deliver: createSink(plan, queues, invokers),
    redrive: (name) => redriveByName(plan, byArn, name),
    isQuiet: () =>
      sources.every((source) => source.running() === 0) &&
      [...invokers.values()].every(({ invoker }) => invoker.pending() === 0) &&
      read.every((queue) => queue.depth().visible + queue.depth().inFlight === 0),
    async close() {
      await Promise.all([
        ...sources.map((source) => source.close()),
        ...[...invokers.values()].map(({ invoker }) => invoker.close()),
      ]);
      for (const queue of queues.values()) queue.close();
    },
  };
}

function createQueues(options: MessagingOptions): ReadonlyMap<string, Queue> {
  const byArn = new Map<string, Queue>();
  for (const queue of options.plan.queues) {
    const { redrive } = queue;
    byArn.set(
      queue.arn,
      createQueue({
        ...options,
        name: queue.name,
        arn: queue.arn,
        url: queue.url,
        visibilityMillis: queue.visibilitySeconds * 1000,
        retentionMillis: queue.retentionSeconds * 1000,
        maximumBytes: queue.maximumBytes,
        redrive:
          redrive === undefined
            ? undefined
            : {
                target: () => found(byArn, redrive.deadLetterArn),
                maxReceiveCount: redrive.maxReceiveCount,
              },
      }),
    );
  }
  return byArn;
}

function redriveByName(plan: CloudPlan, byArn: ReadonlyMap<string, Queue>, name: string): number {
  const redrives = plan.queues.flatMap(({ arn, redrive }) =>
    redrive === undefined ? [] : [{ source: arn, target: found(byArn, redrive.deadLetterArn) }],
  );
  const sources = redrives.filter(({ target }) => target.name === name);
  const [first] = sources;
  if (first === undefined) {
    const known = [...new Set(redrives.map(({ target }) => target.name))].join(', ') || 'none';
    throw new RedriveError(
      `${name} is no dead-letter queue of another queue. There are: ${known}.`,
    );
  }
  return redrive(
    first.target,
    sources.map(({ source }) => found(byArn, source)),
  );
}

function found(queues: ReadonlyMap<string, Queue>, arn: string): Queue {
  const queue = queues.get(arn);
  if (queue !== undefined) return queue;
  throw new DeliveryError(`There is no queue ${arn}. There are: ${[...queues.keys()].join(', ')}.`);
}

function createSink(
  plan: CloudPlan,
  queues: ReadonlyMap<string, Queue>,
  invokers: ReadonlyMap<string, { readonly name: string; readonly invoker: AsyncInvoker }>,
): ActionSink {
  const service = 'iot.amazonaws.com';
  const sendToQueue = (queueUrl: string, roleArn: string, payload: string): void => {
    const queue = [...queues.values()].find((one) => one.url === queueUrl);
    if (queue === undefined) throw new DeliveryError(`There is no queue ${queueUrl}.`);
    const role = plan.roles.get(roleArn);
    if (role?.trusts.includes(service) !== true) {
      throw new DeliveryError(
        `The rule cannot assume ${roleArn}: the role does not trust ${service}.`,
      );
    }
    if (!roleAllows(role.documents, { action: 'sqs:SendMessage', resource: queue.arn })) {
      throw new DeliveryError(
        `The role ${role.name} does not allow sqs:SendMessage on ${queue.arn}.`,
      );
    }
    queue.send(payload);
  };
  return async (rule, action, payload) => {
    if (action.kind === 'sqs') return sendToQueue(action.queueUrl, action.roleArn, payload);
    const target = invokers.get(action.functionArn);
    if (target === undefined)
      throw new DeliveryError(`There is no function ${action.functionArn}.`);
    const request = {
      functionName: target.name,
      principal: service,
      sourceArn: rule.arn,
      sourceAccount: plan.environment.accountId,
    };
    if (!mayInvoke(plan.permissions, request)) {
      throw new DeliveryError(
        `${service} may not invoke ${target.name} for ${rule.arn}: no AWS::Lambda::Permission allows it.`,
      );
    }
    target.invoker.accept(payload);
  };
}
