/**
 * Runs the functions of a template, each in warm child processes of its own.
 *
 * Owns the execution environments. Keeps these invariants: an environment runs one event at a time;
 * a function never has more environments than its bound; events that find none free wait in the
 * order in which they came; an access key belongs to one environment for ever, so that a request of
 * an ended child is never taken for an operator's.
 */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Clock } from '../../core/base/time.ts';
import type { FunctionPlan } from '../assembly/plan.ts';
import type { Observer } from '../contracts.ts';
import { ExecutionEnvironment, type InvocationContext } from './execution-environment.ts';
import { environmentOf, reservedVariables } from './function-environment.ts';
import { failureOf, type InvocationOutcome, type Invoke } from './outcome.ts';

export interface FunctionPoolOptions {
  readonly functions: readonly FunctionPlan[];
  readonly region: string;
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly changed: () => void;
  /** Environments per function at most; a template's reserved concurrency can only lower it. */
  readonly maximumEnvironments?: number;
  /** Folders to run in place of assets, by logical id (or its unique beginning) or by name. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** Who stands behind an access key. */
interface FunctionCaller {
  readonly functionName: string;
  readonly roleArn: string;
}

export interface FunctionPool {
  readonly invoke: Invoke;
  /** The function whose child holds, or held, this key. */
  callerOf(accessKeyId: string): FunctionCaller | undefined;
  /** Ends the child that holds the key with SIGKILL; false when it has ended before. */
  kill(accessKeyId: string): Promise<boolean>;
  /** Invocations that run or wait. */
  busy(): number;
  /** Ends all children and waits until they are gone. */
  close(): Promise<void>;
}

class FunctionPoolError extends Error {
  override readonly name = 'FunctionPoolError';
}

const defaultMaximumEnvironments = 2;

/** Keys of functions look like AWS's: 20 characters, here with a prefix that AWS does not give. */
const keyPrefix = 'LOCAL';
/** Whether a key has the form of a function's key, of this run or of an earlier one. */
export function isFunctionKey(accessKeyId: string): boolean {
  return /^LOCAL\d{15}$/.test(accessKeyId);
}

export function createFunctionPool(options: FunctionPoolOptions): FunctionPool {
  const folders = foldersOf(options);
  // What has been killed may still have a request under way: its key is known for good, and the
  // environment, with its pipes, until it has ended.
  const callers = new Map<string, FunctionCaller>();
  const environments = new Map<string, ExecutionEnvironment>();
  const functions = new Map<string, FunctionRunner>();
  for (const plan of options.functions) {
    checkVariables(plan);
    const start = (onExit: () => void): StartedEnvironment => {
      const accessKeyId = keyPrefix + String(callers.size + 1).padStart(15, '0');
      const folder = folders.get(plan.name) ?? plan.folder;
      const environment = new ExecutionEnvironment({
        folder,
        memoryMegabytes: plan.memoryMegabytes,
        environment: environmentOf(plan, { ...options, accessKeyId, folder }),
        onLine: (line) => options.observe({ kind: 'log', functionName: plan.name, line }),
        onExit: () => {
          environments.delete(accessKeyId);
          onExit();
        },
      });
      environments.set(accessKeyId, environment);
      callers.set(accessKeyId, { functionName: plan.name, roleArn: plan.roleArn });
      return { environment, logStreamName: accessKeyId };
    };
    functions.set(plan.name, new FunctionRunner(plan, start, options));
  }

  return {
    async invoke(functionName, event, requestId = randomUUID()) {
      const runner = functions.get(functionName);
      if (runner !== undefined) return await runner.invoke(event, requestId);
      const known = [...functions.keys()].join(', ') || 'none';
      throw new FunctionPoolError(`There is no function "${functionName}". There are: ${known}.`);
    },
    callerOf: (accessKeyId) => callers.get(accessKeyId),
    async kill(accessKeyId) {
      const environment = environments.get(accessKeyId);
      if (environment === undefined || environment.hasEnded) return false;
      await environment.kill();
      return true;
    },
    busy: () => [...functions.values()].reduce((sum, runner) => sum + runner.busy, 0),
    async close() {
      for (const runner of functions.values()) runner.close();
      await Promise.all([...environments.values()].map((environment) => environment.kill()));
    },
  };
}

interface StartedEnvironment {
  readonly environment: ExecutionEnvironment;
  readonly logStreamName: string;
}

/** The environments of one function, and the events that wait for one. */
class FunctionRunner {
  readonly #plan: FunctionPlan;
  readonly #start: (onExit: () => void) => StartedEnvironment;
  readonly #options: FunctionPoolOptions;
  readonly #bound: number;
  /** The one used last stands last and is used first, so that a calm function keeps one warm. */
  readonly #idle: StartedEnvironment[] = [];
  readonly #waiting: ((started: StartedEnvironment | undefined) => void)[] = [];
  #alive = 0;
  #busy = 0;
  #closed = false;

  constructor(
    plan: FunctionPlan,
    start: (onExit: () => void) => StartedEnvironment,
    options: FunctionPoolOptions,
  ) {
    this.#plan = plan;
    this.#start = start;
    this.#options = options;
    const bound = options.maximumEnvironments ?? defaultMaximumEnvironments;
    this.#bound = Math.min(bound, plan.reservedConcurrency ?? bound);
  }

  get busy(): number {
    return this.#busy;
  }

  async invoke(event: unknown, requestId: string): Promise<InvocationOutcome> {
    this.#busy += 1;
    try {
      const started = await this.#acquire();
      if (started === undefined) return { kind: 'crash' };
      const { clock, observe } = this.#options;
      const startedAt = clock();
      const context = contextOf(this.#plan, requestId, started.logStreamName);
      const { timeoutSeconds } = this.#plan;
      const outcome = await started.environment.run(event, context, timeoutSeconds * 1000);
      this.#release(started);
      const failure = outcome.kind === 'ok' ? undefined : failureOf(outcome);
      observe({
        kind: 'invocation',
        functionName: this.#plan.name,
        outcome: outcome.kind,
        durationMillis: clock() - startedAt,
        error: failure === undefined ? undefined : `${failure.errorType}: ${failure.errorMessage}`,
      });
      return outcome;
    } finally {
      this.#busy -= 1;
      this.#options.changed();
    }
  }

  /** Lets waiting events go unrun; the pool ends the children. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }

  async #acquire(): Promise<StartedEnvironment | undefined> {
    if (this.#closed) return undefined;
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#alive < this.#bound) return this.#startOne();
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  #startOne(): StartedEnvironment {
    this.#alive += 1;
    const started = this.#start(() => {
      this.#alive -= 1;
      const index = this.#idle.indexOf(started);
      if (index >= 0) this.#idle.splice(index, 1);
      if (!this.#closed && this.#waiting.length > 0) this.#waiting.shift()?.(this.#startOne());
    });
    return started;
  }

  #release(started: StartedEnvironment): void {
    // An environment that has ended made room for a new one when it did.
    if (started.environment.hasEnded || this.#closed) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(started);
    else next(started);
  }
}

function contextOf(
  plan: FunctionPlan,
  awsRequestId: string,
  logStreamName: string,
): InvocationContext {
  return {
    awsRequestId,
    functionName: plan.name,
    invokedFunctionArn: plan.arn,
    memoryLimitInMB: String(plan.memoryMegabytes),
    logGroupName: plan.logGroupName,
    logStreamName,
  };
}

function checkVariables(plan: FunctionPlan): void {
  const names = reservedVariables(plan);
  if (names.length === 0) return;
  throw new FunctionPoolError(
    `Function ${plan.name} sets ${names.join(', ')}, which Lambda reserves. Take other names.`,
  );
}

/** The folders of overrides, by function name. */
function foldersOf(options: FunctionPoolOptions): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  for (const [key, folder] of Object.entries(options.overrides ?? {})) {
    const exact = options.functions.filter((plan) => plan.name === key || plan.logicalId === key);
    const found =
      exact.length > 0 ? exact : options.functions.filter((plan) => plan.logicalId.startsWith(key));
    const [plan, ...others] = found;
    if (plan === undefined || others.length > 0) {
      const known = options.functions.map((one) => `${one.logicalId} (${one.name})`).join(', ');
      throw new FunctionPoolError(
        `The override "${key}" fits ${found.length} functions; it must fit one of: ${known}.`,
      );
    }
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new FunctionPoolError(`The override of ${key} is "${folder}", which is not a folder.`);
    }
    folders.set(plan.name, folder);
  }
  return folders;
}
