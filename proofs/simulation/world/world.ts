/**
 * Runs one schedule: the model world around the real code, from the first step to the calm in which
 * nothing strikes any more and everything has to come to its end.
 */
import { epochMillis } from '../../../core/base/time.ts';
import { Chance } from '../chance.ts';
import { check, type Finding } from '../check/check.ts';
import { History } from '../check/history.ts';
import { type Coverage, Faults } from '../faults.ts';
import { LIBRARY_DEVICES, type Plan, routeIn, type Step } from '../plan.ts';
import type { RouteName } from '../routes.ts';
import { START_MILLIS } from '../start.ts';
import { Broker } from './broker.ts';
import { Clockwork, withVirtualTime } from './clockwork.ts';
import { Functions } from './functions.ts';
import { LibraryDevice } from './library-device.ts';
import { Paths } from './paths.ts';
import { RawDevices } from './raw-devices.ts';
import { Receiving } from './receiving.ts';
import type { Shared } from './shared.ts';
import { Tables } from './tables.ts';

/** Faults still strike for so long after the last step: until the last dead letter is back. */
const AFTERMATH_MILLIS = 14 * 86_400_000;
/** In the calm everything has to end within so long; the longest wait of a device is five hours. */
const CALM_MILLIS = 24 * 3_600_000;
const HOUR_MILLIS = 3_600_000;

export interface Ran {
  readonly history: History;
  readonly coverage: Coverage;
  readonly finding: Finding | undefined;
}

export async function runPlan(plan: Plan): Promise<Ran> {
  const world = new World(plan);
  return withVirtualTime(world.clockwork, START_MILLIS, () => world.run());
}

class World {
  readonly clockwork: Clockwork;
  readonly #plan: Plan;
  readonly #shared: Shared;
  readonly #tables: Tables;
  readonly #paths: Paths;
  readonly #library: readonly LibraryDevice[];
  readonly #raw: RawDevices;
  readonly #receiving: Receiving;
  #serials = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    const chance = new Chance(plan.jitter);
    this.clockwork = new Clockwork(chance.named('ties'));
    const { clockwork } = this;
    const faults = new Faults(plan.strikes);
    const history = new History(() => clockwork.now);
    const clock = () => epochMillis(START_MILLIS + clockwork.now);
    const part = (name: string): Shared => ({
      ...{ clockwork, faults, history, clock, chance: chance.named(name) },
    });
    this.#shared = part('world');
    const broker = new Broker(part('broker'));
    this.#tables = new Tables(part('tables'), plan.sweep);
    const functions = new Functions(part('functions'), this.#tables, (publication) =>
      broker.bridge(publication),
    );
    this.#paths = new Paths(part('roads'), functions, plan);
    this.#receiving = new Receiving(part('receiver'), plan.receiver);
    broker.take = (packet) => this.#paths.take(packet);
    broker.forward = (publication) => this.#receiving.offer(publication);
    const nextSerial = () => this.#serials++;
    const aheadMillis = plan.clocks.map((hours) => Math.round(hours * HOUR_MILLIS));
    this.#library = LIBRARY_DEVICES.map(
      (name, n) =>
        new LibraryDevice(part(name), broker, {
          ...{
            name,
            aheadMillis: aheadMillis[n] ?? 0,
            queryBeforeResend: plan.queryBeforeResend,
            nextSerial,
          },
        }),
    );
    this.#raw = new RawDevices(part('raw'), broker, {
      aheadMillis: aheadMillis.slice(LIBRARY_DEVICES.length),
      nextSerial,
    });
  }

  async run(): Promise<Ran> {
    const { clockwork } = this;
    const { faults, history } = this.#shared;
    this.#countClocks();
    this.#receiving.start();
    for (const device of this.#library) void device.start();
    await clockwork.runUntil(1);
    for (const step of this.#plan.steps) {
      await clockwork.runUntil(clockwork.now + step.wait);
      this.#do(step);
    }
    await clockwork.runUntil(clockwork.now + AFTERMATH_MILLIS);
    faults.isCalm = true;
    this.#tables.downUntil = 0;
    this.#paths.redrive();
    await clockwork.runUntil(clockwork.now + CALM_MILLIS);
    this.#countLeft();
    const finding = check(history.events, this.#plan.receiver);
    return { history, coverage: faults.coverage, finding };
  }

  #do(step: Step): void {
    const route = routeIn(this.#plan, step);
    switch (step.do) {
      case 'publish':
        if (route !== undefined) this.#publish(step, route);
        break;
      case 'send': {
        const { device, form } = step;
        const id = step.id % this.#plan.ids;
        if (route !== undefined) this.#raw.send({ device, form, route, id });
        break;
      }
      case 'copy':
        this.#raw.copy(step);
        break;
      case 'reboot':
        this.#library[step.device]?.reboot(step.isWiped);
        break;
      case 'cut':
        this.#library[step.device]?.cut(step.minutes);
        break;
      case 'release':
        this.#raw.release(step.device, step.id % this.#plan.ids, step.isForeign);
        break;
      case 'query':
        this.#raw.query(step.which, step.isForeign);
        break;
      case 'store-down':
        this.#tables.downUntil = this.clockwork.now + step.hours * HOUR_MILLIS;
        break;
      case 'receiver-reboot':
        this.#receiving.reboot();
        break;
    }
  }

  #publish({ device, id, againMillis }: Extract<Step, { do: 'publish' }>, route: RouteName): void {
    const publish = () => this.#library[device]?.publish(route, this.#id(id));
    publish();
    if (id !== undefined && againMillis !== undefined) this.clockwork.after(againMillis, publish);
  }

  #id(nth: number | undefined): number | undefined {
    return nth === undefined ? undefined : nth % this.#plan.ids;
  }

  #countClocks(): void {
    for (const hours of this.#plan.clocks) {
      if (hours > 0) this.#shared.faults.count('device-ahead');
      if (hours < 0) this.#shared.faults.count('device-behind');
    }
  }

  /** What has not come to an end, and which ids were used twice. */
  #countLeft(): void {
    const { history, faults } = this.#shared;
    for (const { arrival, serial } of this.#paths.left()) {
      history.add({ kind: 'stuck', arrival, serial });
    }
    for (const [n, device] of this.#library.entries()) {
      for (const serial of device.waiting()) {
        history.add({ kind: 'waiting', device: LIBRARY_DEVICES[n] ?? '', serial });
      }
    }
    const seen = new Map<string, string>();
    for (const event of history.events) {
      if (event.kind !== 'meant' || event.form !== 'good') continue;
      const name = JSON.stringify([event.route, event.name]);
      const other = seen.get(name);
      if (other === event.as) faults.count('same-id-other-body');
      else if (other !== undefined) faults.count('same-ids-two-devices');
      seen.set(name, event.as);
    }
  }
}
