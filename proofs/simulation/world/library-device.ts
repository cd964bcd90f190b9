/**
 * A device that runs the real library: outbox, sender, releases and answers, on a disk in memory and
 * connections that fail. Owns the disk, which outlives it, and its present life.
 */
import { type EpochMillis, epochMillis, toIso } from '../../../core/base/time.ts';
import { DeviceError } from '../../../device/errors.ts';
import type { Outbox } from '../../../device/outbox/outbox.ts';
import { openOutbox } from '../../../device/outbox/start.ts';
import type { StoreChange, Timers } from '../../../device/ports.ts';
import { draftOf } from '../../../device/publish/body.ts';
import { checkRoutes, type DeviceRoute } from '../../../device/publish/profile.ts';
import { Sender } from '../../../device/publish/sender.ts';
import { amountText } from '../amounts.ts';
import { serialIn } from '../check/history.ts';
import { profileOf } from '../routes.ts';
import type { Broker } from './broker.ts';
import { Disk, DiskStore, Life } from './disk.ts';
import { Line } from './line.ts';
import type { Shared } from './shared.ts';

export interface LibraryDeviceOptions {
  readonly name: string;
  /** How its clock stands. */
  readonly aheadMillis: number;
  readonly queryBeforeResend: boolean;
  readonly nextSerial: () => number;
}

interface Running {
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly line: Line;
}

/** Shorter waits would only make a schedule longer. */
const RETRY = { firstMillis: 30_000, maxMillis: 4 * 3_600_000 };
const LIMITS = { messages: 1_000, bytes: 1_000_000 };

export class LibraryDevice {
  readonly #shared: Shared;
  readonly #broker: Broker;
  readonly #options: LibraryDeviceOptions;
  readonly #routes: ReadonlyMap<string, DeviceRoute>;
  readonly #disk = new Disk();
  /** Serials by the outbox's own keys. */
  readonly #serials = new Map<string, number>();
  /** Ids that were given to a full handshake. */
  readonly #used = new Set<string>();
  #life = new Life();
  #running: Running | undefined;
  #drawn = 0;
  #isOff = false;

  constructor(shared: Shared, broker: Broker, options: LibraryDeviceOptions) {
    this.#shared = shared;
    this.#broker = broker;
    this.#options = options;
    this.#routes = checkRoutes(profileOf(options.name), []);
    this.#disk.landed = (changes) => this.#note(changes);
  }

  async start(): Promise<void> {
    const { clockwork, chance } = this.#shared;
    const { name, queryBeforeResend } = this.#options;
    const life = new Life();
    this.#life = life;
    const outbox = await openOutbox(name, {
      store: new DiskStore(this.#shared, this.#disk, life),
      limits: LIMITS,
      clock: this.#clock,
      drawEpoch: () => `boot-${this.#drawn++}`,
      onError: (error) => this.#complain(error),
    });
    if (life.isOver) return;
    const timers: Timers = {
      now: () => clockwork.now,
      after: (millis, task) =>
        clockwork.after(millis, () => {
          if (!life.isOver) task();
        }),
    };
    const line = new Line(this.#shared, this.#broker, name, life);
    const sender = new Sender(
      {
        ...{
          deviceId: name,
          inFlightMax: 100,
          perSecondMax: 100,
          retry: RETRY,
          queryBeforeResend: queryBeforeResend,
        },
        ...{ releaseLingerMillis: 1_000, qosOf: () => 1 },
      },
      {
        ...{ outbox, transport: line, timers, random: () => chance.float() },
        emit: (event, ...args) => {
          if (event === 'error') this.#complain(args[0]);
        },
        settled: () => {},
      },
    );
    this.#running = { outbox, sender, line };
    line.start(sender);
  }

  /** Means one message; nothing is meant while the device is off, or when its outbox refuses it. */
  publish(route: string, given: number | undefined): void {
    const running = this.#running;
    const profile = this.#routes.get(route);
    if (running === undefined || profile === undefined) return;
    const { name } = this.#options;
    const serial = this.#options.nextSerial();
    const ownTime = this.#clock();
    const amount = amountText(serial);
    const body = {
      ...{ serial, by: name, account: 'acme', kWh: amount, at: toIso(ownTime) },
    };
    const id = this.#idFor(profile, given);
    try {
      const draft = draftOf(profile, body, id, {
        draw: () => `${name}-${this.#drawn++}`,
        nextNumber: (counted) => running.outbox.nextNumber(counted),
      });
      const { entry, written, isNew } = running.outbox.enqueue(draft);
      if (!isNew) return;
      const called = route === 'status' ? String(ownTime) : (id ?? `new-${serial}`);
      this.#shared.history.add({
        ...{
          kind: 'meant',
          serial,
          route,
          by: name,
          as: name,
          name: called,
          form: 'good',
          ownTime,
          amount,
        },
      });
      written.then(() => running.sender.add(entry)).catch((error) => this.#complain(error));
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.#shared.history.add({ kind: 'note', text: `${name} refuses to keep ${serial}` });
    }
  }

  /** A released id is never used again: what an application owes the full handshake. */
  #idFor({ name, id, handshake }: DeviceRoute, given: number | undefined): string | undefined {
    if (given === undefined || id.from !== 'field') return undefined;
    const key = `${name} ${given}`;
    if (handshake === 'full' && this.#used.has(key)) return undefined;
    this.#used.add(key);
    return `k${given}`;
  }

  /** Ends at once, whatever is under way, and starts again. */
  reboot(isWiped: boolean): void {
    if (this.#isOff) return;
    this.#isOff = true;
    const { clockwork, chance, faults } = this.#shared;
    this.#life.isOver = true;
    this.#running = undefined;
    faults.count(isWiped ? 'reboot-without-outbox' : 'reboot-with-outbox');
    const millis = chance.int(1_000, 60_000);
    clockwork.after(millis, () => {
      this.#isOff = false;
      if (isWiped) this.#wipe();
      void this.start();
    });
  }

  cut(minutes: number): void {
    this.#running?.line.cut(minutes);
  }

  /** What the device still owes: messages without an answer, and ids that are not completed. */
  waiting(): readonly number[] {
    return [...this.#disk.records.keys()].flatMap((record) => {
      const [, key] = /^message\/(.*)$/.exec(record) ?? [];
      return key === undefined ? [] : (this.#serials.get(key) ?? -1);
    });
  }

  readonly #clock = (): EpochMillis =>
    epochMillis(this.#shared.clock() + this.#options.aheadMillis);

  #wipe(): void {
    const serials = this.#heldBodies();
    this.#disk.records.clear();
    this.#serials.clear();
    this.#shared.history.add({ kind: 'wiped', device: this.#options.name, serials });
  }

  #heldBodies(): readonly number[] {
    return [...this.#disk.records.keys()].flatMap((record) => {
      const [, key] = /^body\/(.*)$/.exec(record) ?? [];
      return key === undefined ? [] : (this.#serials.get(key) ?? []);
    });
  }

  #note(changes: readonly StoreChange[]): void {
    const device = this.#options.name;
    const { history } = this.#shared;
    for (const { area, key, value } of changes) {
      if (area !== 'body') continue;
      if (value === undefined) {
        history.add({ kind: 'dropped', device, serial: this.#serials.get(key) ?? -1 });
        continue;
      }
      const serial = serialIn(Buffer.from(value).toString()) ?? -1;
      this.#serials.set(key, serial);
      history.add({ kind: 'kept', device, serial });
    }
  }

  /** No disk of a simulated device fails, so every complaint is a fault of the code. */
  #complain(error: unknown): void {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#shared.history.add({ kind: 'note', text: `${this.#options.name} complains: ${text}` });
  }
}
