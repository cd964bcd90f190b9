/**
 * A small fleet in this process: real MQTT clients, through a proxy that can cut their connections,
 * that mean a charge now and then and send it until they hold a receipt for that very body.
 *
 * Owns the proxy, the clients and their timers. Invariants: devices, rate and the charges of a run
 * are bounded; what was started is ended by `close`; a fleet that is told to stop still delivers what
 * it has meant, for as long as receipts may come.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/base/time.ts';
import type { ExactlyOnceRoute } from '../../core/config/route.ts';
import type { Chance, Observer } from '../contracts.ts';
import { type CuttingProxy, createCuttingProxy } from '../faults/cutting-proxy.ts';
import { contradicted, drawCharge, type FleetCharge } from './charges.ts';
import { FleetDevice } from './device.ts';

export const FLEET_DEVICES_MAX = 20;
export const FLEET_RATE_MAX = 50;
export const FLEET_CUTS_MAX = 0.5;
/** Then the fleet stops by itself; a run that was forgotten must not fill the memory. */
const FLEET_CHARGES_MAX = 20_000;

export interface FleetOptions {
  readonly route: ExactlyOnceRoute;
  /** Of the broker. */
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly observe: Observer;
  /** Told of every charge before it is sent for the first time. */
  readonly meant: (charge: FleetCharge) => void;
}

export interface FleetPlan {
  readonly devices: number;
  /** Charges of the whole fleet a second. */
  readonly perSecond: number;
  /** The chance that the connection is cut at a publication. */
  readonly cuts: number;
}

export interface FleetStatus {
  readonly state: 'idle' | 'running' | 'finishing';
  readonly plan: FleetPlan;
  readonly run: string;
  readonly devices: readonly string[];
  readonly meant: number;
  readonly unreceipted: number;
  readonly rejected: number;
  readonly connectionsCut: number;
}

/** How long a fleet that was told to stop waits for its last receipts. */
const FINISH_MILLIS_MAX = 60_000;
const IDLE_PLAN: FleetPlan = { devices: 8, perSecond: 8, cuts: 0 };

/** One run, from its start to the last receipt. */
export class Fleet {
  /** Begins every id of the run: short, because it stands in every row of the page. */
  readonly run = randomBytes(4).readUInt32BE().toString(36).padStart(7, '0');
  readonly #options: FleetOptions;
  readonly #devices: FleetDevice[] = [];
  #plan: FleetPlan = IDLE_PLAN;
  #proxy: CuttingProxy | undefined;
  #pace: NodeJS.Timeout | undefined;
  #finish: NodeJS.Timeout | undefined;
  #state: FleetStatus['state'] = 'idle';
  #meant = 0;
  #closed: Promise<void> | undefined;
  #receipted: { readonly device: FleetDevice; readonly charge: FleetCharge } | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts the run; a fleet is started once. */
  async start(plan: FleetPlan): Promise<void> {
    this.#state = 'running';
    this.#plan = plan;
    const { host, port, chance, observe } = this.#options;
    const fleet = this;
    this.#proxy = await createCuttingProxy({
      host,
      targetPort: port,
      chance,
      observe,
      // Read with each connection, so that it can be changed while the fleet runs.
      get loss() {
        return fleet.#plan.cuts;
      },
    });
    for (let number = 1; number <= plan.devices; number += 1) this.#addDevice(number);
    this.#pace = setInterval(() => this.#beat(), 1_000 / plan.perSecond);
  }

  /** Changes how often connections are cut, from each device's next connection on. */
  cut(cuts: number): void {
    this.#plan = { ...this.#plan, cuts };
    for (const device of this.#devices) device.reconnect();
  }

  /** Means nothing new, and ends when all is receipted. */
  stop(): void {
    if (this.#state !== 'running') return;
    clearInterval(this.#pace);
    this.#state = 'finishing';
    this.#finish = setTimeout(() => void this.close(), FINISH_MILLIS_MAX);
    this.#endWhenDone();
  }

  /**
   * Sends another body under the id of the last charge that has a receipt; false while there is
   * none. Before its receipt the other body could come first, and be the one that is booked.
   */
  useAnIdTwice(): boolean {
    if (this.#receipted === undefined || this.#state === 'idle') return false;
    const { device, charge } = this.#receipted;
    device.publish(charge.topic, contradicted(charge, `1${charge.amount}`));
    return true;
  }

  status(): FleetStatus {
    const sum = (of: (device: FleetDevice) => number) =>
      this.#devices.reduce((total, device) => total + of(device), 0);
    return {
      state: this.#state,
      plan: this.#plan,
      run: this.run,
      devices: this.#devices.map(({ name }) => name),
      meant: this.#meant,
      unreceipted: sum((device) => device.unreceipted),
      rejected: sum((device) => device.rejected),
      connectionsCut: this.#proxy?.cuts() ?? 0,
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#pace);
    clearTimeout(this.#finish);
    this.#state = 'idle';
    await Promise.all(this.#devices.map((device) => device.end()));
    await this.#proxy?.close();
  }

  #addDevice(number: number): void {
    const name = `fleet-${String(number).padStart(2, '0')}`;
    const { host } = this.#options;
    const port = this.#proxy?.port ?? 0;
    const settled = (charge: FleetCharge) => {
      this.#receipted = { device, charge };
      this.#endWhenDone();
    };
    const device = new FleetDevice({ name, host, port, settled });
    this.#devices.push(device);
  }

  #beat(): void {
    if (this.#meant >= FLEET_CHARGES_MAX) {
      this.stop();
      return;
    }
    // In turn, so that every device of the fleet is seen; one that holds too much is passed over.
    const device = this.#devices[this.#meant % this.#devices.length];
    if (device === undefined || device.isFull) return;
    this.#meant += 1;
    const { route, chance, clock, meant } = this.#options;
    const charge = drawCharge({ route, run: this.run, chance }, device.name, this.#meant, clock());
    meant(charge);
    device.send(charge);
  }

  #endWhenDone(): void {
    const isDone = this.#devices.every(({ unreceipted }) => unreceipted === 0);
    if (this.#state === 'finishing' && isDone) void this.close();
  }
}
