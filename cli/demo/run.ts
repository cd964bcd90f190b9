/**
 * One run of the demo: a fleet, a proxy that cuts its connections, the local cloud with faults on,
 * and at the end the ledger beside what was meant.
 */
import { setMaxListeners } from 'node:events';
import { sumOf } from '../../core/base/decimal.ts';
import type { Clock } from '../../core/base/time.ts';
import { seededChance } from '../../local/chance.ts';
import { type LocalCloud, startCloud } from '../../local/cloud.ts';
import { type CloudEvent, type Faults, noFaults, type Observer } from '../../local/contracts.ts';
import { createCuttingProxy } from '../../local/faults/cutting-proxy.ts';
import { localDynamoDB } from '../access/local-tables.ts';
import { type Charge, type DevicePlan, planCharges } from './charges.ts';
import { runDevice } from './device.ts';
import { type BookedRow, type Reconciliation, readRows, reconcile } from './reconcile.ts';
import type { DemoFigures, InjectedFaults } from './report.ts';
import { bundleVariant } from './variant.ts';

export interface DemoOptions {
  readonly assembly: string;
  /** A folder for the bundle of a broken function; made when it is needed. */
  readonly scratch: string;
  readonly devices: number;
  readonly messages: number;
  readonly seed: number;
  /** Chance that a connection is cut around a publication, and that a receipt is lost. */
  readonly loss: number;
  /** Runs the function with a key that differs for each delivery. */
  readonly broken: boolean;
  /** A DynamoDB endpoint outside, in place of the embedded engine; its ledger has to be empty. */
  readonly dynamodbUrl?: string;
  readonly clock: Clock;
  /** Told after each receipt how many charges are receipted. */
  readonly onProgress: (receipted: number) => void;
}

export interface DemoResult {
  readonly figures: DemoFigures;
  readonly injectedFaults: InjectedFaults;
  readonly reconciliation: Reconciliation;
  readonly example: BookedRow | undefined;
}

const HOST = '127.0.0.1';
/** The demo does not sit out the cloud's minutes: a redelivery comes after 1.5 s instead of 180. */
const SPEED = 120;
const PATIENCE_MILLIS = 2_000;
/** Whatever happens, the demo ends. */
const RUN_SECONDS_MAX = 600;

function faultsOf(loss: number): Faults {
  return {
    ...noFaults,
    duplicate: 0.05,
    reorder: 0.2,
    failAction: 0.02,
    crashAfterWrite: 0.005,
    loseAnswer: 0.005,
    drop: loss,
  };
}

export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const startedAt = options.clock();
  const chance = seededChance(options.seed);
  const plans = planCharges(options.devices, options.messages, chance, startedAt);
  const tally = new Tally(plans);
  const cloud = await startDemoCloud(options, tally.observe);
  try {
    const cuts = await runFleet(cloud, plans, options);
    await cloud.idle();
    const rows = await readRows(localDynamoDB(cloud.apiUrl), cloud.tableName('Ledger'));
    const reconciliation = reconcile(plans, rows);
    const seconds = Math.round((options.clock() - startedAt) / 100) / 10;
    return {
      reconciliation,
      figures: { devices: options.devices, ...tally.figures(), ...reconciliation, seconds },
      injectedFaults: { cuts, ...tally.injectedFaults() },
      example: rows.find(({ item }) => Number(item.tries?.N) > 1) ?? rows[0],
    };
  } finally {
    await cloud.close();
  }
}

async function startDemoCloud(
  { assembly, scratch, broken, dynamodbUrl, loss, seed, clock }: DemoOptions,
  observe: Observer,
): Promise<LocalCloud> {
  if (broken)
    await bundleVariant('core/guarantees/exactly-once/row.ts', 'cli/demo/broken-key.ts', scratch);
  return startCloud({
    assembly,
    host: HOST,
    mqttPort: 0,
    apiPort: 0,
    seed,
    speed: SPEED,
    faults: faultsOf(loss),
    observe,
    clock,
    ...(dynamodbUrl !== undefined && { dynamodbUrl }),
    ...(broken && { functionOverrides: { RoutesChargesIngestFunction: scratch } }),
  });
}

/** Ends when every device has a receipt for every charge; returns how often it was cut off. */
async function runFleet(
  cloud: LocalCloud,
  plans: readonly DevicePlan[],
  { loss, seed, onProgress }: DemoOptions,
): Promise<number> {
  const proxy = await createCuttingProxy({
    host: HOST,
    targetPort: cloud.mqttPort,
    chance: seededChance(seed + 1),
    loss,
  });
  const overtime = AbortSignal.timeout(RUN_SECONDS_MAX * 1_000);
  // Every device listens to it.
  setMaxListeners(plans.length, overtime);
  let receipted = 0;
  const onReceipt = () => onProgress(++receipted);
  try {
    const rejected = await Promise.all(
      plans.map((plan) =>
        runDevice(plan, {
          host: HOST,
          port: proxy.port,
          topic: `billing/${plan.device}/charges`,
          patienceMillis: PATIENCE_MILLIS,
          onReceipt,
          signal: overtime,
        }),
      ),
    );
    assertNoneRejected(rejected.flat());
    return proxy.cuts();
  } finally {
    await proxy.close();
  }
}

function assertNoneRejected(rejected: readonly Charge[]): void {
  const [first] = rejected;
  if (first === undefined) return;
  throw new Error(
    `${rejected.length} charges were rejected, the first is ${first.body}; ` +
      'the demo speaks to the route `charges` as tollbridge.config.ts came with it',
  );
}

/** Counts what passes the rule, and what was broken on the way. */
class Tally {
  readonly #amounts: ReadonlyMap<string, string>;
  readonly #seen = new Set<string>();
  readonly #delivered: string[] = [];
  readonly #injectedFaults = { crashes: 0, fallbacks: 0, receiptsDropped: 0 };

  constructor(plans: readonly DevicePlan[]) {
    this.#amounts = new Map(
      plans.flatMap(({ charges }) =>
        charges.map(({ serial, amount }) => [serial, amount] as const),
      ),
    );
  }

  readonly observe = (event: CloudEvent): void => {
    if (event.kind === 'delivery') this.#deliver(event.payload);
    if (event.kind === 'fallback') this.#injectedFaults.fallbacks++;
    if (event.kind === 'fault' && event.fault === 'drop') this.#injectedFaults.receiptsDropped++;
    if (event.kind === 'fault' && event.fault === 'crashAfterWrite') this.#injectedFaults.crashes++;
  };

  #deliver(payload: Buffer): void {
    const { serial } = JSON.parse(payload.toString()) as { serial?: string };
    const amount = serial === undefined ? undefined : this.#amounts.get(serial);
    if (serial === undefined || amount === undefined) return;
    this.#seen.add(serial);
    this.#delivered.push(amount);
  }

  figures(): Pick<DemoFigures, 'deliveries' | 'duplicates' | 'naiveTotal'> {
    return {
      deliveries: this.#delivered.length,
      duplicates: this.#delivered.length - this.#seen.size,
      naiveTotal: sumOf(this.#delivered),
    };
  }

  injectedFaults(): Omit<InjectedFaults, 'cuts'> {
    return this.#injectedFaults;
  }
}
