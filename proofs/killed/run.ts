/**
 * Devices, network and cloud that fail at random moments, and the ledger beside what was meant.
 * Every process is a child of this one and is ended by its handle; all chance but that of the
 * operating system comes from one seed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { keyOf } from '../../core/message/id.ts';
import { parseReceiptId } from '../../core/wire/receipt-ids.ts';
import { seededChance } from '../../local/chance.ts';
import type { Chance } from '../../local/contracts.ts';
import { type CuttingProxy, createCuttingProxy } from '../../local/faults/cutting-proxy.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { bundleProgram } from '../../tools/clouds/bundle.ts';
import { type Program, startProgram } from '../../tools/programs.ts';
import { CloudProcess } from './cloud-process.ts';
import { type Findings, Ledgers } from './findings.ts';
import { config, deviceName, kindOf, type Orders, type Promised, type Said } from './plan.ts';

export interface RunOptions {
  readonly devices: number;
  /** Per device. */
  readonly messages: number;
  readonly seed: number;
  /** How often each device is killed, and how often the cloud. */
  readonly deviceKills: number;
  readonly cloudKills: number;
  readonly tell: (text: string) => void;
}

const HOST = '127.0.0.1';
/** Some die before they have opened their outbox, most in the midst of their work. */
const LIFE_MILLIS_MIN = 100;
const LIFE_MILLIS_MAX = 2_500;
const CLOUD_LIFE_MILLIS_MAX = 8_000;

export async function runKilled(options: RunOptions): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-killed-'));
  const assembly = await assemblyOf(config);
  // It starts in a fraction of the time, and is killed at work more often.
  await bundleProgram('proofs/killed/device-process.ts', folder, 'device');
  const cloud = await CloudProcess.start(assembly, folder, options.seed);
  const proxy = await createCuttingProxy({
    host: HOST,
    targetPort: cloud.mqttPort,
    chance: seededChance(options.seed + 1),
    loss: 0.03,
  });
  try {
    return await new Run(options, folder, cloud, proxy).toTheEnd();
  } finally {
    await proxy.close();
    await cloud.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #folder: string;
  readonly #cloud: CloudProcess;
  readonly #proxy: CuttingProxy;
  readonly #at = new Date().toISOString();
  readonly #ledgers = new Ledgers();
  readonly #checks = new Map<string, Promise<void>>();
  readonly #living = new Set<Program>();

  constructor(options: RunOptions, folder: string, cloud: CloudProcess, proxy: CuttingProxy) {
    this.#options = options;
    this.#folder = folder;
    this.#cloud = cloud;
    this.#proxy = proxy;
  }

  async toTheEnd(): Promise<Findings> {
    const indexes = Array.from({ length: this.#options.devices }, (_, index) => index);
    const ended = new AbortController();
    try {
      const lives = Promise.all(indexes.map((index) => this.#liveAndDie(index)));
      const killer = this.#killCloud(ended.signal);
      await lives;
      ended.abort();
      await killer;
      await Promise.all(this.#checks.values());
      return this.#ledgers.compare(await this.#cloud.rows(), this.#proxy.cuts());
    } finally {
      ended.abort();
      await Promise.all([...this.#living].map((program) => program.end('SIGKILL')));
    }
  }

  /** Every life of a device but the last ends with SIGKILL; the last, when nothing is left. */
  async #liveAndDie(index: number): Promise<void> {
    const { deviceKills, seed, tell } = this.#options;
    const chance = seededChance(seed * 1_000 + index);
    for (let life = 0; life < deviceKills; life++) {
      const program = this.#startDevice(index);
      const over = new AbortController();
      const time = after(lifeMillis(chance), undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([program.ended, time]);
      over.abort();
      if ((await this.#end(program)) === 'SIGKILL') this.#ledgers.deviceKills++;
    }
    const program = this.#startDevice(index);
    const status = await program.ended;
    this.#living.delete(program);
    if (status !== 0) this.#ledgers.failed.push(`${deviceName(index)}: ${program.printed()}`);
    tell(`${deviceName(index)} has said everything`);
  }

  async #end(program: Program): Promise<number | NodeJS.Signals | null> {
    const status = await program.end('SIGKILL');
    this.#living.delete(program);
    return status;
  }

  async #killCloud(ended: AbortSignal): Promise<void> {
    const chance = seededChance(this.#options.seed + 2);
    for (let kill = 0; kill < this.#options.cloudKills; kill++) {
      const millis = 1_000 + chance.below(CLOUD_LIFE_MILLIS_MAX);
      await after(millis, undefined, { signal: ended }).catch(() => {});
      if (ended.aborted) return;
      await this.#cloud.kill();
      this.#ledgers.cloudKills++;
      this.#options.tell('the cloud was killed and is back');
    }
  }

  #startDevice(index: number): Program {
    const device = deviceName(index);
    const { messages } = this.#options;
    const serials = Array.from({ length: messages }, (_, at) => `${device}/${at + 1}`);
    const isLeft = this.#ledgers.leftOf(kindOf(index));
    const orders: Orders = {
      device,
      index,
      url: `mqtt://${HOST}:${this.#proxy.port}`,
      outbox: join(this.#folder, device),
      serials: serials.filter(isLeft),
      at: this.#at,
    };
    const script = join(this.#folder, 'device.mjs');
    const program = startProgram(process.execPath, [script, JSON.stringify(orders)], (line) =>
      this.#hear(device, line),
    );
    this.#living.add(program);
    return program;
  }

  #hear(device: string, line: string): void {
    if (!line.startsWith('{')) return;
    const said = JSON.parse(line) as Said;
    this.#ledgers.hear(device, said);
    if (said.kind !== 'booked' && said.kind !== 'receipt') return;
    const { route, id, bookedAt } = said;
    const promised = { route, id, bookedAt };
    // A promise and its event say the same, and so does the next life of a device that was killed.
    const name = `${device} ${JSON.stringify(promised)}`;
    if (!this.#checks.has(name)) this.#checks.set(name, this.#check(device, promised));
  }

  /** Whether a receipt is true now, or as soon as the cloud can be asked (I3). */
  async #check(device: string, promised: Promised): Promise<void> {
    const { route, id, bookedAt } = promised;
    const [meant] = parseReceiptId(route === 'counted' ? 'sequence' : 'plain', id);
    const row = meant && (await this.#cloud.row(keyOf(route, device, meant)));
    if (row?.bookedAtMillis?.N === String(bookedAt)) this.#ledgers.promises++;
    else this.#ledgers.untrue.push(`${device} ${JSON.stringify(promised)}: ${JSON.stringify(row)}`);
  }
}

/** Whether nothing was found that must not be. */
export function isClean({ faults }: Findings): boolean {
  return Object.values(faults).every((found) => found.length === 0);
}

function lifeMillis(chance: Chance): number {
  return LIFE_MILLIS_MIN + chance.below(LIFE_MILLIS_MAX - LIFE_MILLIS_MIN);
}
