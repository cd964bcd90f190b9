/**
 * The local cloud: runs a synthesized assembly on this machine. It alone knows all parts and
 * connects them; each part knows its own service only.
 *
 * Owns the life of the parts. Keeps these invariants: what was started is ended, in an order in
 * which nothing is handed to a part that is gone, also when starting fails half way; all waiting
 * goes through one scheduler, all chance comes from one seed.
 *
 * Queues live in memory: `close` forgets what waits in them. Await `idle` first to keep promises.
 */
import { type Clock, systemClock } from '../core/base/time.ts';
import type { ApiCaller } from './api/caller.ts';
import { operatorView } from './api/operator-view.ts';
import type { DataPlanePublication } from './api/publish-requests.ts';
import type { DeviceAccess } from './api/registry-requests.ts';
import { startApiServer } from './api/server.ts';
import { checkPlan } from './assembly/deploy-checks.ts';
import { type CloudPlan, planCloud } from './assembly/plan.ts';
import { type Assembly, readAssembly } from './assembly/read-assembly.ts';
import { seededChance } from './chance.ts';
import type { Faults, Observer } from './contracts.ts';
import { createTables, openTableEngine, type TableEngine } from './dynamodb/tables.ts';
import type { IotBroker } from './iot/broker.ts';
import { startGateway } from './iot/gateway.ts';
import { createFunctionPool, type FunctionPool, isFunctionKey } from './lambda/function-pool.ts';
import { createJournal, type Journal } from './lambda/journal.ts';
import { createMessaging } from './lambda/messaging.ts';
import type { Queue } from './sqs/queue.ts';
import { type Scheduler, systemScheduler } from './timers.ts';

export interface CloudOptions {
  /** The folder that `cdk synth` wrote. */
  readonly assembly: string;
  /** Where the broker listens, 127.0.0.1 unless said; the API is always on loopback. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly mqttPort: number;
  /** Where devices with certificates connect, over TLS; there is no such listener without it. */
  readonly mqttsPort?: number;
  /**
   * An MQTT 5 broker outside, in place of the embedded one: `mqtt://host:port`. `host`, `mqttPort`,
   * `mqttsPort` and the template's device policies do not matter then; its access list does.
   */
  readonly brokerUrl?: string;
  readonly apiPort: number;
  /** Tables, devices and the authority of their certificates are kept there; in memory without it. */
  readonly dataDir?: string;
  /** A DynamoDB endpoint outside, in place of the embedded engine. */
  readonly dynamodbUrl?: string;
  readonly seed: number;
  readonly faults: Faults;
  /** Divides the waiting times of the cloud; 1 for AWS's own. */
  readonly speed: number;
  /**
   * How long the APIs hold an answer back, in real time: on AWS each has a way to go. Not at all
   * without it.
   */
  readonly answerAfterMillis?: number;
  readonly observe: Observer;
  /** Folders to run in place of a function's asset, by logical id, its beginning, or name. */
  readonly functionOverrides?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** For tests: all waiting goes through it, `speed` and `clock` do not matter then. */
  readonly scheduler?: Scheduler;
}

export interface LocalCloud {
  /** Of the broker, embedded or outside. */
  readonly mqttPort: number;
  /** Of the embedded broker's listener with TLS, if it has one. */
  readonly mqttsPort: number | undefined;
  /** False only where an outside broker refuses subscriptions to `$aws/rules/#`. */
  readonly basicIngest: boolean;
  readonly apiUrl: string;
  readonly region: string;
  readonly accountId: string;
  /** Physical name of the one table whose logical id begins like this. */
  tableName(logicalIdPrefix: string): string;
  /** Outputs of the stacks, by stack and name. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** May be set at any time; holds from the next message, receive or request. */
  faults: Faults;
  /** By name, dead-letter queues included. */
  readonly queues: ReadonlyMap<string, Queue>;
  /**
   * Moves every dead letter of this queue back to the queue it belongs to, body and time of arrival
   * kept; says how many.
   */
  redrive(deadLetterQueueName: string): number;
  /** Client ids that are connected to the broker; none are known of an outside one. */
  connectedClients(): readonly string[];
  /** Resolves when rules, queues and invocations are settled; dead-letter queues aside. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Batches of one queue, and environments of one function, that run at once. */
const localConcurrency = 2;

/** Ends what was started, last first. */
class Shutdown {
  readonly #steps: (() => Promise<unknown>)[] = [];
  #done: Promise<void> | undefined;

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  run(): Promise<void> {
    this.#done ??= this.#runAll();
    return this.#done;
  }

  async #runAll(): Promise<void> {
    for (const step of this.#steps.reverse()) await step();
  }
}

/** Starts the assembly. When anything fails, what was started before is ended again. */
export async function startCloud(options: CloudOptions): Promise<LocalCloud> {
  const shutdown = new Shutdown();
  try {
    return await start(options, shutdown);
  } catch (cause) {
    await shutdown.run();
    throw cause;
  }
}

async function start(options: CloudOptions, shutdown: Shutdown): Promise<LocalCloud> {
  const assembly = readAssembly(options.assembly);
  let { faults } = options;
  const shared = sharedParts(options, () => faults);
  const { activity } = shared;

  const engine = await openTableEngine(options);
  shutdown.add(() => engine.close());
  const late = lateParts();
  const api = await startApi(options, assembly, engine, shared, late);
  shutdown.add(() => api.close());
  const plan = planCloud(assembly, { endpointAddress: `127.0.0.1:${api.port}` });
  checkPlan(plan);
  late.plan = plan;
  await createTables(engine, plan.environment.region, plan.tables);

  const pool = createFunctionPool({
    functions: plan.functions,
    region: plan.environment.region,
    apiUrl: api.url,
    clock: shared.clock,
    observe: shared.observe,
    changed: activity.changed,
    maximumEnvironments: localConcurrency,
    ...(options.functionOverrides === undefined ? {} : { overrides: options.functionOverrides }),
  });
  late.pool = pool;
  const messaging = createMessaging({
    ...shared,
    plan,
    invoke: pool.invoke,
    chance: seededChance(options.seed + 1),
    changed: activity.changed,
    maximumConcurrency: localConcurrency,
  });
  // Together: the batches under way end because their children do.
  shutdown.add(() => Promise.all([messaging.close(), pool.close()]));
  late.queues = messaging.queues;
  const { deliver } = messaging;
  const { rules, broker, devices } = await startGateway({ ...options, ...shared, plan, deliver });
  shutdown.add(() => rules.settled());
  shutdown.add(() => broker.close());
  late.devices = devices && { ...devices, endpointAddress: `localhost:${broker.tlsPort}` };
  late.brokerIs(broker);

  return {
    mqttPort: broker.port,
    mqttsPort: broker.tlsPort,
    basicIngest: broker.basicIngest,
    apiUrl: api.url,
    region: plan.environment.region,
    accountId: plan.environment.accountId,
    tableName: (prefix) => tableName(plan, prefix),
    outputs: plan.outputs,
    get faults() {
      return faults;
    },
    set faults(value) {
      faults = value;
    },
    queues: messaging.queues,
    redrive: (name) => messaging.redrive(name),
    connectedClients: () => broker.connectedClients(),
    async idle() {
      for (;;) {
        const changed = activity.next();
        await rules.settled();
        if (pool.busy() === 0 && messaging.isQuiet()) return;
        await changed;
      }
    },
    close: () => shutdown.run(),
  };
}

/** Tells those who wait for quiet that something has changed. */
interface Activity {
  changed(): void;
  next(): Promise<void>;
}

function createActivity(): Activity {
  let waiting: (() => void)[] = [];
  return {
    changed() {
      const told = waiting;
      waiting = [];
      for (const tell of told) tell();
    },
    next: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

/** What several parts are given. */
interface Shared {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly faults: () => Faults;
  readonly observe: Observer;
  readonly journal: Journal;
  readonly activity: Activity;
}

function sharedParts(options: CloudOptions, faults: () => Faults): Shared {
  const clock = options.clock ?? systemClock;
  const journal = createJournal(clock, options.observe);
  return {
    clock,
    scheduler: options.scheduler ?? systemScheduler(clock, options.speed),
    faults,
    observe: journal.observe,
    journal,
    activity: createActivity(),
  };
}

/** The API must listen before the template is resolved, because the template asks for its address. */
interface LateParts {
  plan: CloudPlan | undefined;
  queues: ReadonlyMap<string, Queue> | undefined;
  pool: FunctionPool | undefined;
  devices: DeviceAccess | undefined;
  /** Waited for: an outside broker hands over what it has kept before it is wholly attached. */
  readonly broker: Promise<IotBroker>;
  brokerIs(broker: IotBroker): void;
}

function lateParts(): LateParts {
  let brokerIs: LateParts['brokerIs'] = () => {};
  const broker = new Promise<IotBroker>((resolve) => {
    brokerIs = resolve;
  });
  return {
    plan: undefined,
    queues: undefined,
    pool: undefined,
    devices: undefined,
    broker,
    brokerIs,
  };
}

function startApi(
  options: CloudOptions,
  assembly: Assembly,
  engine: TableEngine,
  shared: Shared,
  late: LateParts,
) {
  return startApiServer({
    ...assembly.environment,
    port: options.apiPort,
    engineUrl: engine.url,
    ...(engine.ask !== undefined && { askEngine: engine.ask }),
    callerOf: (accessKeyId) => callerOf(accessKeyId, late),
    kill: async (accessKeyId) => (await late.pool?.kill(accessKeyId)) ?? false,
    deviceAccess: () => late.devices,
    publish: async (publication: DataPlanePublication) => (await late.broker).publish(publication),
    operators: operatorView(() => late.plan, shared.journal),
    deployed: {
      queues: () => late.queues,
      rules: () => late.plan?.rules,
      stacks: assembly.stacks,
    },
    faults: shared.faults,
    // Each part draws from a source of its own, so that one part's timing does not change what
    // happens in another.
    chance: seededChance(options.seed + 2),
    observe: shared.observe,
    ...(options.answerAfterMillis !== undefined && {
      answerAfterMillis: options.answerAfterMillis,
    }),
  });
}

function callerOf(accessKeyId: string, late: LateParts): ApiCaller {
  if (!isFunctionKey(accessKeyId)) return { kind: 'owner' };
  const caller = late.pool?.callerOf(accessKeyId);
  const role = caller === undefined ? undefined : late.plan?.roles.get(caller.roleArn);
  if (caller === undefined || role === undefined) return { kind: 'stranger' };
  return {
    kind: 'function',
    accessKeyId,
    functionName: caller.functionName,
    roleName: role.name,
    documents: role.documents,
  };
}

function tableName(plan: CloudPlan, prefix: string): string {
  const fitting = plan.tables.filter((table) => table.logicalId.startsWith(prefix));
  const [table, ...others] = fitting;
  if (table !== undefined && others.length === 0) return table.name;
  const known = plan.tables.map((one) => one.logicalId).join(', ') || 'none';
  throw new RangeError(
    `${fitting.length} tables have a logical id that begins with "${prefix}"; give the beginning of one of: ${known}.`,
  );
}
