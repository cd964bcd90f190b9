/**
 * One run of the demo: a fleet, a proxy that cuts its connections, the local cloud with faults on,
 * and at the end the ledger beside what was meant.
 */
import { setMaxListeners } from 'node:events';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { HOUR_MILLIS } from '../../core/base/limits.ts';
import { type Clock, type EpochMillis, epochMillis } from '../../core/base/time.ts';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import { seededChance } from '../../local/chance.ts';
import { type LocalCloud, startCloud } from '../../local/cloud.ts';
import { routesOf } from '../../local/console/routes.ts';
import { type CloudEvent, type Faults, noFaults, type Observer } from '../../local/contracts.ts';
import { createCuttingProxy } from '../../local/faults/cutting-proxy.ts';
import { drawCharge, type FleetCharge, fleetRoute } from '../../local/fleet/charges.ts';
import { FleetDevice } from '../../local/fleet/device.ts';
import { bookedRow, FleetStats, type Reconciliation } from '../../local/fleet/stats.ts';
import { localDynamoDB } from '../access/local-tables.ts';
import type { Item } from '../output/items.ts';
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
  readonly unit: string;
  /** A row of the ledger that has copies. */
  readonly example: Item | undefined;
}

const HOST = '127.0.0.1';
/** The demo does not sit out the cloud's minutes: a redelivery comes after 1.5 s instead of 180. */
const SPEED = 120;
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

/** @throws Error where no route of the assembly can be billed on */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const startedAt = options.clock();
  const route = fleetRoute(routesOf(options.assembly).values());
  if (typeof route === 'string') {
    throw new Error(`${route} The demo needs one in tollbridge.config.ts; npm start runs any.`);
  }
  const { unit } = route.entry;
  const stats = new FleetStats(unit);
  const plans = planCharges(route, options, startedAt);
  for (const charge of plans.flatMap(({ charges }) => charges)) stats.mean(charge);
  const tally = new Tally(stats);
  const cloud = await startDemoCloud(options, tally.observe);
  try {
    const cuts = await runFleet(cloud, plans, options);
    await cloud.idle();
    const items = await readItems(cloud);
    const reconciliation = stats.reconcile(items.map(bookedRow));
    const { deliveries, copies, deliveredAmount } = stats.headline();
    const seconds = Math.round((options.clock() - startedAt) / 100) / 10;
    return {
      reconciliation,
      unit,
      figures: {
        devices: options.devices,
        deliveries,
        duplicates: copies,
        naiveTotal: deliveredAmount,
        meant: reconciliation.meant,
        booked: reconciliation.rows,
        lost: reconciliation.missing,
        doubleBooked: reconciliation.billedTwice,
        misread: reconciliation.misread,
        trueTotal: reconciliation.meantAmount,
        bookedTotal: reconciliation.bookedAmount,
        seconds,
      },
      injectedFaults: { cuts, ...tally.injectedFaults },
      example: items.find(({ tries }) => Number(tries?.N) > 1) ?? items[0],
    };
  } finally {
    await cloud.close();
  }
}

interface DevicePlan {
  readonly device: string;
  readonly charges: readonly FleetCharge[];
}

/** Every device counts its ids from 1: the same ids on all of them, and no two the same charge. */
function planCharges(
  route: ExactlyOnceRoute,
  { devices, messages, seed }: DemoOptions,
  now: EpochMillis,
): readonly DevicePlan[] {
  const chance = seededChance(seed);
  const draw = (device: string, number: number) =>
    drawCharge(
      { route, run: 'charge', chance },
      device,
      number,
      epochMillis(now - chance.below(HOUR_MILLIS)),
    );
  return Array.from({ length: devices }, (_, index) => {
    const device = `meter-${String(index + 1).padStart(2, '0')}`;
    return { device, charges: Array.from({ length: messages }, (_, at) => draw(device, at + 1)) };
  });
}

/** Every row of the ledger; the demo's tables are its own and small. */
async function readItems(cloud: LocalCloud): Promise<readonly Item[]> {
  const client = localDynamoDB(cloud.apiUrl);
  const query = { TableName: cloud.tableName('Ledger'), ConsistentRead: true };
  const items: Item[] = [];
  for await (const { Items = [] } of paginateScan({ client }, query)) items.push(...Items);
  return items;
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
      plans.map((plan) => runDevice(plan, proxy.port, onReceipt, overtime)),
    );
    assertNoneRejected(rejected.reduce((sum, count) => sum + count, 0));
    return proxy.cuts();
  } finally {
    await proxy.close();
  }
}

/** Ends when each charge has a receipt; returns how many were rejected. */
async function runDevice(
  { device: name, charges }: DevicePlan,
  port: number,
  onReceipt: () => void,
  overtime: AbortSignal,
): Promise<number> {
  const waiting = [...charges];
  let settled = () => {};
  const device = new FleetDevice({
    ...{ name, host: HOST, port },
    settled: () => settled(),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const next = () => {
        while (!device.isFull && waiting.length > 0) device.send(waiting.shift() as FleetCharge);
        if (device.unreceipted === 0) resolve();
      };
      settled = () => {
        onReceipt();
        next();
      };
      overtime.addEventListener('abort', () => {
        const open = device.unreceipted + waiting.length;
        reject(new Error(`${name} still waits for ${open} receipts`));
      });
      next();
    });
    return device.rejected;
  } finally {
    await device.end();
  }
}

function assertNoneRejected(rejected: number): void {
  if (rejected === 0) return;
  throw new Error(
    `${rejected} charges were rejected: the route asks more of a body than the demo knows; ` +
      'npm start and its console say why each was',
  );
}

/** Counts what passes the rule, and what was broken on the way. */
class Tally {
  readonly injectedFaults = { crashes: 0, fallbacks: 0, receiptsDropped: 0 };
  readonly #stats: FleetStats;

  constructor(stats: FleetStats) {
    this.#stats = stats;
  }

  readonly observe = (event: CloudEvent): void => {
    if (event.kind === 'delivery') this.#stats.delivered(event.payload);
    if (event.kind === 'fallback') this.injectedFaults.fallbacks++;
    if (event.kind === 'fault' && event.fault === 'drop') this.injectedFaults.receiptsDropped++;
    if (event.kind === 'fault' && event.fault === 'crashAfterWrite') this.injectedFaults.crashes++;
  };
}
