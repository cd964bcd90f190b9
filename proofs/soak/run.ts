/**
 * One soak: a fleet, a network, a cloud and a receiver with every fault on, for as long as one likes;
 * then everything is drained, mended as an operator would, and compared with what was meant.
 *
 * Owns every process that it starts. Whatever happens, all of them are ended.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededChance } from '../../local/chance.ts';
import { noFaults } from '../../local/contracts.ts';
import { type CuttingProxy, createCuttingProxy } from '../../local/faults/cutting-proxy.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';
import { bundleProgram } from '../../tools/clouds/bundle.ts';
import { freePort } from '../../tools/programs.ts';
import { Books, type Tables, unforwarded } from './books.ts';
import { Meter } from './meter.ts';
import { config, FAULTS, LOSS, prepare } from './plan.ts';
import { Cloud } from './processes/cloud.ts';
import { Fleet } from './processes/fleet.ts';
import { forwardTopics, mendForwards, unexplainedBy } from './processes/mend.ts';
import { Pressure } from './processes/pressure.ts';
import { ForwardReceiver } from './processes/receiver.ts';
import { progressLine } from './progress.ts';
import { resultOf, type SoakResult } from './result.ts';
import { type Schedule, scheduleOf } from './schedule.ts';
import { Deadline, wait, waitUntil } from './waiting.ts';
import { DEAD_LETTER } from './words.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly devices: number;
  /** Messages a second of all devices together. */
  readonly perSecond: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
  /** For everything but the load: faults that go on until they struck, draining, comparing. */
  readonly restMillisMax: number;
  /** Ends the load early; what was said is drained and compared all the same. */
  readonly signal: AbortSignal;
}

const HOST = '127.0.0.1';
const TICK_MILLIS = 100;
const SAMPLE_MILLIS = 3_000;
const PROGRESS_MILLIS = 10_000;
const DEVICE_KILL_MILLIS = 4_000;
const OUTAGE_MILLIS = 6_000;
/** By then functions that die have left dead letters on both paths, or never will. */
const DEADLY_MILLIS_MAX = 60_000;
const DEADLY_PER_SECOND = 5;
const CALM_MILLIS_MAX = 30_000;
/** What was tried last when the fault ended has its end by then. */
const RECOVERY_MILLIS = 3_000;

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-soak-'));
  const assembly = join(folder, 'assembly');
  cpSync(await assemblyOf(config), assembly, { recursive: true });
  prepare(assembly);
  const soak = await Soak.start(options, folder, assembly);
  try {
    return await soak.toTheEnd();
  } finally {
    await soak.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Parts {
  readonly cloud: Cloud;
  readonly receiver: ForwardReceiver;
  readonly fleet: Fleet;
  readonly books: Books;
  readonly openNetwork: () => Promise<CuttingProxy>;
  readonly network: CuttingProxy;
}

class Soak {
  readonly #options: SoakOptions;
  readonly #deadline: Deadline;
  readonly #parts: Parts;
  readonly #meter: Meter;
  readonly #pressure = new Pressure();
  readonly #figures = { outages: 0, deadly: 0, redriven: 0, restarts: 0, cuts: 0, mended: 0 };
  #loadSeconds = 0;
  #network: CuttingProxy;
  #isPaused = false;
  #perSecond: number;

  private constructor(options: SoakOptions, parts: Parts, deadline: Deadline) {
    this.#options = options;
    this.#deadline = deadline;
    deadline.standing = () => this.#progress();
    this.#parts = parts;
    this.#network = parts.network;
    this.#perSecond = options.perSecond;
    this.#meter = new Meter();
  }

  static async start(options: SoakOptions, folder: string, assembly: string): Promise<Soak> {
    const programs = await Promise.all(
      ['device', 'receiver'].map((name) =>
        bundleProgram(`proofs/soak/processes/${name}-child.ts`, folder, name),
      ),
    );
    const [deviceProgram = '', receiverProgram = ''] = programs;
    const deadline = new Deadline(options.minutes * 60_000 + options.restMillisMax);
    const [mqttPort, apiPort, roadPort] = [await freePort(), await freePort(), await freePort()];
    const dataDir = join(folder, 'cloud');
    mkdirSync(dataDir);
    const cloud = new Cloud({ assembly, dataDir, mqttPort, apiPort }, options.seed, deadline);
    await cloud.ready;
    const chance = seededChance(options.seed + 1_000);
    const openNetwork = () =>
      createCuttingProxy({ host: HOST, port: roadPort, targetPort: mqttPort, chance, loss: LOSS });
    const network = await openNetwork();
    const received = join(folder, 'receiver');
    mkdirSync(received);
    const receiverUrl = `mqtt://${HOST}:${mqttPort}`;
    const receiver = new ForwardReceiver(receiverProgram, receiverUrl, received, deadline);
    const books = new Books();
    await deadline.until('the receiver has subscribed', () => receiver.subscriptions > 0);
    const fleet = new Fleet({
      devices: options.devices,
      url: `mqtt://${HOST}:${roadPort}`,
      folder,
      program: deviceProgram,
      chance: seededChance(options.seed + 2_000),
      books,
      deadline,
    });
    return new Soak(options, { cloud, receiver, fleet, books, openNetwork, network }, deadline);
  }

  async toTheEnd(): Promise<SoakResult> {
    await this.#load();
    this.#options.tell('draining');
    return this.#settle();
  }

  async end(): Promise<void> {
    const { fleet, receiver, cloud } = this.#parts;
    await fleet.kill();
    await receiver.end();
    await this.#network.close();
    await cloud.kill();
  }

  /** Everything at once, until the time is over and all has broken, or a person has had enough. */
  async #load(): Promise<void> {
    const { minutes, signal } = this.#options;
    const { cloud, fleet } = this.#parts;
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const startedAt = Date.now();
    this.#meter.begin(startedAt);
    const breaking = this.#break(scheduleOf(minutes * 60), startedAt, ended);
    const loops = [
      breaking,
      this.#speak(ended),
      this.#watch(ended),
      this.#killDevices(ended),
      this.#pressure.watch(cloud, fleet, () => !this.#isPaused, ended),
    ];
    // A loop that fails ends the others.
    for (const loop of loops) loop.catch(() => over.abort());
    await wait(minutes * 60_000, ended);
    await breaking;
    over.abort();
    // Ctrl-C ends the load early.
    this.#deadline.endWithin(this.#options.restMillisMax);
    await this.#deadline.settled('the loops of the load end', Promise.all(loops));
    this.#isPaused = true;
    this.#loadSeconds = Math.round((Date.now() - startedAt) / 1_000);
  }

  async #speak(ended: AbortSignal): Promise<void> {
    let due = 0;
    while (!ended.aborted) {
      due += (this.#perSecond * TICK_MILLIS) / 1_000;
      const isHeld = this.#isPaused || this.#pressure.isHigh;
      for (; due >= 1; due--) if (!isHeld) this.#parts.fleet.sayOne();
      await wait(TICK_MILLIS, ended);
    }
  }

  async #killDevices(ended: AbortSignal): Promise<void> {
    for (;;) {
      await wait(DEVICE_KILL_MILLIS, ended);
      if (ended.aborted) return;
      await this.#parts.fleet.killOne();
    }
  }

  /** Memory every few seconds, and a line of progress. */
  async #watch(ended: AbortSignal): Promise<void> {
    let told = Date.now();
    while (!ended.aborted) {
      await wait(SAMPLE_MILLIS, ended);
      if (ended.aborted || this.#isPaused) continue;
      await this.#meter.sample(this.#parts);
      if (Date.now() - told < PROGRESS_MILLIS) continue;
      told = Date.now();
      this.#options.tell(this.#progress());
    }
  }

  /** What breaks at its time, one thing after the other. */
  async #break(schedule: Schedule, startedAt: number, ended: AbortSignal): Promise<void> {
    for (const { atSeconds, what } of schedule) {
      await wait(startedAt + atSeconds * 1_000 - Date.now(), ended);
      if (ended.aborted) return;
      switch (what) {
        case 'kill the receiver':
          await this.#parts.receiver.kill();
          break;
        case 'outage':
          await this.#outage(ended);
          break;
        case 'deadly functions':
          await this.#deadlyFunctions(ended);
          break;
        case 'restart the cloud':
          await this.#restart();
      }
    }
  }

  /** No table takes a write. */
  async #outage(ended: AbortSignal): Promise<void> {
    await this.#parts.cloud.faults({ ...FAULTS, throttle: 1 });
    await wait(OUTAGE_MILLIS, ended);
    this.#figures.outages += 1;
    await this.#recover(ended);
  }

  /**
   * Functions die at their first write, until there are dead letters by both paths. Little is on the
   * way then: of a great deal, nothing would come to its last try for long.
   */
  async #deadlyFunctions(ended: AbortSignal): Promise<void> {
    const { cloud } = this.#parts;
    const names = Object.values(DEAD_LETTER);
    const before = new Map<string, number>(
      names.map((name) => [name, cloud.counts.get(name) ?? 0]),
    );
    const isMore = (name: string) => (cloud.counts.get(name) ?? 0) > (before.get(name) ?? 0);
    this.#perSecond = 0;
    await waitUntil(() => this.#pressure.isCalm, CALM_MILLIS_MAX, ended);
    this.#perSecond = DEADLY_PER_SECOND;
    await cloud.faults({ ...FAULTS, crashBeforeWrite: 1 });
    await waitUntil(() => names.every(isMore), DEADLY_MILLIS_MAX, ended);
    this.#perSecond = this.#options.perSecond;
    this.#figures.deadly += 1;
    await this.#recover(ended);
  }

  /** The fault is over; dead letters are moved back, as the runbook says. */
  async #recover(ended: AbortSignal): Promise<void> {
    const { cloud } = this.#parts;
    await cloud.faults(FAULTS);
    await wait(RECOVERY_MILLIS, ended);
    this.#figures.redriven += await cloud.redrive();
  }

  /**
   * The cloud's queues and sessions live in memory: it is ended in good order, with the devices cut
   * off meanwhile, and what it has taken handled before.
   */
  async #restart(): Promise<void> {
    const { cloud, receiver, openNetwork } = this.#parts;
    this.#isPaused = true;
    this.#figures.cuts += this.#network.cuts();
    await this.#network.close();
    await this.#quiet();
    await cloud.close();
    const before = receiver.subscriptions;
    await cloud.restart();
    await this.#deadline.until('the receiver is back', () => receiver.subscriptions > before);
    this.#network = await openNetwork();
    this.#figures.restarts += 1;
    this.#isPaused = false;
  }

  /** Nothing is under way in the cloud, and the receiver has what was published. */
  async #quiet(): Promise<void> {
    const { cloud, receiver } = this.#parts;
    await cloud.faults(noFaults);
    for (let moved = 1; moved > 0; ) {
      await cloud.idle();
      moved = await cloud.redrive();
      this.#figures.redriven += moved;
    }
    await this.#deadline.until('the receiver has what went out', () =>
      [...cloud.forwarded].every((id) => receiver.effects.has(id)),
    );
  }

  async #settle(): Promise<SoakResult> {
    const { fleet, cloud, receiver, books } = this.#parts;
    await this.#deadline.until('every device has taken what it was told', () => fleet.isHeard);
    await fleet.drain();
    await this.#quiet();
    const { queued } = await cloud.state();
    if (queued > 0) books.failed.push(`${queued} messages are left in queues`);
    const first = await this.#tables();
    const missing = unforwarded({ ...first, effects: live(receiver) });
    const unexplainedForwards = unexplainedBy(cloud.droppedAt, forwardTopics(missing));
    const { apiUrl } = await cloud.ready;
    this.#figures.mended = await mendForwards(apiUrl, missing);
    await this.#quiet();
    await fleet.close();
    await receiver.close();
    const tables = { ...(await this.#tables()), effects: await receiver.counts() };
    return resultOf({ ...this.#parts, meter: this.#meter }, this.#all, tables, unexplainedForwards);
  }

  async #tables(): Promise<Omit<Tables, 'effects'>> {
    const { cloud } = this.#parts;
    return {
      ledger: await cloud.rows('Ledger'),
      dedupRecords: await cloud.rows('DedupRecords'),
      state: await cloud.rows('State'),
      quarantine: await cloud.rows('Quarantine'),
    };
  }

  get #all(): Readonly<Record<string, number>> {
    return {
      loadSeconds: this.#loadSeconds,
      heldPercent: this.#pressure.heldPercent,
      ...this.#figures,
      cuts: this.#figures.cuts + this.#network.cuts(),
      deviceKills: this.#parts.fleet.kills,
    };
  }

  #progress(): string {
    return progressLine(
      { ...this.#parts, pressure: this.#pressure, meter: this.#meter },
      this.#figures,
    );
  }
}

const live = ({ effects }: ForwardReceiver) => new Map([...effects].map((id) => [id, 1] as const));
