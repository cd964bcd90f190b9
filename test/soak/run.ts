/**
 * One soak: a fleet, a network, a cloud and a receiver with every fault on, for as long as one likes;
 * then everything is drained, mended as an operator would, and compared with what was meant.
 *
 * Owns every process that it starts. Whatever happens, all of them are ended.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededChance } from '../../local/chance.ts';
import { type CuttingProxy, createCuttingProxy } from '../../local/cutting-proxy.ts';
import { noFaults } from '../../local/types.ts';
import { freePort } from '../interop/programs.ts';
import { bundleProgram } from '../support/bundle.ts';
import { synthesizeConfig } from '../support/synthesize.ts';
import { Books, countOf, type Differences, type Tables, unforwarded } from './books.ts';
import { Cloud } from './cloud.ts';
import { Fleet } from './fleet.ts';
import { forwardTopics, mendForwards, unexplainedBy } from './mend.ts';
import { Meter } from './meter.ts';
import { allowReceiver, config, FAULTS, LOSS } from './plan.ts';
import { ForwardReceiver } from './receiver.ts';
import { type Schedule, scheduleOf } from './schedule.ts';
import { until, wait } from './waiting.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly devices: number;
  /** Messages a second of all devices together. */
  readonly perSecond: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
  /** Ends the load early; what was said is drained and compared all the same. */
  readonly signal: AbortSignal;
}

export interface SoakResult {
  readonly figures: Readonly<Record<string, number>>;
  readonly differences: Differences;
  /** Missing forwards that no lost publication explains, before any was sent again. */
  readonly unexplainedForwards: readonly string[];
  readonly failed: readonly string[];
  readonly meter: Meter;
  readonly isClean: boolean;
}

const HOST = '127.0.0.1';
const TICK_MILLIS = 100;
const SAMPLE_MILLIS = 3_000;
const PROGRESS_MILLIS = 10_000;
const OUTAGE_MILLIS = 6_000;
/** An hour of the cloud's time: what is invoked directly is dead-lettered in it. */
const LONG_OUTAGE_MILLIS = 30_000;
/** A cloud that falls behind is given no more: copies of what waits would be all that it handles. */
const PENDING_MAX = 4;
const QUEUED_MAX = 100;
/** What is waited for in the end comes by then, or not at all. */

export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tollbridge-soak-'));
  const assembly = synthesizeConfig(config);
  allowReceiver(assembly.dir);
  const soak = await Soak.start(options, folder, assembly.dir);
  try {
    return await soak.toTheEnd();
  } finally {
    await soak.end();
    assembly.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Parts {
  readonly cloud: Cloud;
  readonly receiver: ForwardReceiver;
  readonly fleet: Fleet;
  readonly books: Books;
  readonly openRoad: () => Promise<CuttingProxy>;
  readonly road: CuttingProxy;
}

class Soak {
  readonly #options: SoakOptions;
  readonly #parts: Parts;
  readonly #meter: Meter;
  readonly #figures = { outages: 0, redriven: 0, restarts: 0, cuts: 0, mended: 0 };
  #road: CuttingProxy;
  #isPaused = false;

  private constructor(options: SoakOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#road = parts.road;
    this.#meter = new Meter();
  }

  static async start(options: SoakOptions, folder: string, assembly: string): Promise<Soak> {
    const programs = await Promise.all(
      ['device', 'receiver'].map((name) =>
        bundleProgram(`test/soak/${name}-child.ts`, folder, name),
      ),
    );
    const [deviceProgram = '', receiverProgram = ''] = programs;
    const [mqttPort, apiPort, roadPort] = [await freePort(), await freePort(), await freePort()];
    const dataDir = join(folder, 'cloud');
    mkdirSync(dataDir);
    const cloud = new Cloud({ assembly, dataDir, mqttPort, apiPort }, options.seed);
    await cloud.ready;
    const chance = seededChance(options.seed + 1_000);
    const openRoad = () =>
      createCuttingProxy({ host: HOST, port: roadPort, targetPort: mqttPort, chance, loss: LOSS });
    const road = await openRoad();
    const received = join(folder, 'receiver');
    mkdirSync(received);
    const receiver = new ForwardReceiver(receiverProgram, `mqtt://${HOST}:${mqttPort}`, received);
    const books = new Books();
    await until('the receiver has subscribed', () => receiver.subscriptions > 0);
    const fleet = new Fleet({
      devices: options.devices,
      url: `mqtt://${HOST}:${roadPort}`,
      folder,
      program: deviceProgram,
      chance: seededChance(options.seed + 2_000),
      books,
    });
    return new Soak(options, { cloud, receiver, fleet, books, openRoad, road });
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
    await this.#road.close();
    await cloud.kill();
  }

  /** Everything at once, until the time is over or a person has had enough. */
  async #load(): Promise<void> {
    const { minutes, signal } = this.#options;
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const startedAt = Date.now();
    this.#meter.begin(startedAt);
    const loops = [
      this.#speak(ended),
      this.#watch(ended),
      this.#break(scheduleOf(minutes * 60), startedAt, ended),
    ];
    // A loop that fails ends the others.
    for (const loop of loops) loop.catch(() => over.abort());
    await wait(minutes * 60_000, ended);
    over.abort();
    await Promise.all(loops);
    this.#isPaused = true;
  }

  async #speak(ended: AbortSignal): Promise<void> {
    const { perSecond } = this.#options;
    let due = 0;
    while (!ended.aborted) {
      due += (perSecond * TICK_MILLIS) / 1_000;
      const { pending, queued } = this.#meter;
      const isHeld = this.#isPaused || pending > PENDING_MAX || queued > QUEUED_MAX;
      for (; due >= 1; due--) if (!isHeld) this.#parts.fleet.sayOne();
      await wait(TICK_MILLIS, ended);
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
        case 'kill a device':
          await this.#parts.fleet.killOne();
          break;
        case 'kill the receiver':
          await this.#parts.receiver.kill();
          break;
        case 'outage':
          await this.#outage(OUTAGE_MILLIS, ended);
          break;
        case 'long outage':
          await this.#outage(LONG_OUTAGE_MILLIS, ended);
          break;
        case 'restart the cloud':
          await this.#restart();
      }
    }
  }

  /** No table takes a write; then dead letters are moved back, as the runbook says. */
  async #outage(millis: number, ended: AbortSignal): Promise<void> {
    const { cloud } = this.#parts;
    await cloud.faults({ ...FAULTS, throttle: 1 });
    await wait(millis, ended);
    await cloud.faults(FAULTS);
    this.#figures.outages += 1;
    await wait(3_000, ended);
    this.#figures.redriven += await cloud.redrive();
  }

  /**
   * The cloud's queues and sessions live in memory: it is ended in good order, with the devices cut
   * off meanwhile, and what it has taken handled before.
   */
  async #restart(): Promise<void> {
    const { cloud, receiver, openRoad } = this.#parts;
    this.#isPaused = true;
    this.#figures.cuts += this.#road.cuts();
    await this.#road.close();
    await this.#quiet();
    await cloud.close();
    const before = receiver.subscriptions;
    await cloud.restart();
    await until('the receiver is back', () => receiver.subscriptions > before);
    this.#road = await openRoad();
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
    await until('the receiver has what went out', () =>
      [...cloud.forwarded].every((id) => receiver.effects.has(id)),
    );
  }

  async #settle(): Promise<SoakResult> {
    const { fleet, cloud, receiver, books } = this.#parts;
    await until('every device has taken what it was told', () => fleet.isHeard);
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
    return this.#result(books.compare(tables), unexplainedForwards, tables);
  }

  async #tables(): Promise<Omit<Tables, 'effects'>> {
    const { cloud } = this.#parts;
    return {
      ledger: await cloud.rows('Ledger'),
      deliveries: await cloud.rows('Deliveries'),
      state: await cloud.rows('State'),
      quarantine: await cloud.rows('Quarantine'),
    };
  }

  #result(
    differences: Differences,
    unexplainedForwards: readonly string[],
    { ledger, deliveries, state, quarantine, effects }: Tables,
  ): SoakResult {
    const { books, cloud, fleet, receiver } = this.#parts;
    const lost = [...cloud.counts].filter(([name]) => name.startsWith('lost'));
    const failed = [
      ...books.failed,
      ...receiver.troubles,
      ...lost.map(([name, count]) => `${name} (${count} times)`),
    ];
    const tries = [...ledger, ...deliveries].reduce((sum, row) => sum + Number(row.tries?.N), 0);
    const rows = {
      charges: ledger.length,
      events: deliveries.length,
      values: state.length,
      quarantined: quarantine.length,
    };
    return {
      figures: {
        ...books.figures,
        ...rows,
        deliveriesOfThem: tries,
        forwards: effects.size,
        droppedForwards: cloud.droppedAt.length,
        ...this.#figures,
        cuts: this.#figures.cuts + this.#road.cuts(),
        deviceKills: fleet.kills,
        receiverKills: receiver.kills,
        ...Object.fromEntries([...cloud.counts].toSorted()),
      },
      differences,
      unexplainedForwards,
      failed,
      meter: this.#meter,
      isClean: countOf(differences) + unexplainedForwards.length + failed.length === 0,
    };
  }

  #progress(): string {
    const { books, fleet, receiver, cloud } = this.#parts;
    const { meant, kept, receipts } = books.figures;
    const crashes = cloud.counts.get('invocation crash') ?? 0;
    return (
      `${meant} said, ${kept} kept, ${receipts} receipts, ${receiver.effects.size} forwards, ` +
      `${this.#meter.pending} pending a device, ${this.#meter.queued} queued; ` +
      `${fleet.kills} devices and ${crashes} functions killed, ${this.#figures.outages} outages; ` +
      this.#meter.line()
    );
  }
}

const live = ({ effects }: ForwardReceiver) => new Map([...effects].map((id) => [id, 1] as const));
