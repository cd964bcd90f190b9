/**
 * The receiver of forwards: the real one of the device library, on a broker that keeps what it has
 * not acknowledged. Owns what its handler did, which is in one transaction with the receiver's ids
 * where its order is `with-effect`.
 */
import { epochMillis } from '../../../core/base/time.ts';
import type { Inbound, Subscription } from '../../../device/ports.ts';
import { createReceiver } from '../../../device/receiver/receiver.ts';
import type { ReceivedMessage, ReceiveOptions } from '../../../device/receiver/types.ts';
import { serialIn } from '../check/history.ts';
import type { Plan } from '../plan.ts';
import { Disk, DiskStore, Life } from './disk.ts';
import type { BridgePublication } from './functions.ts';
import { never, type Shared } from './shared.ts';

/** Longer than any schedule, so that the bridge never forwards again after it. */
const REMEMBER_DAYS = 1_000;
const AGAIN_MILLIS = 5_000;

export class Receiving {
  readonly #shared: Shared;
  readonly #order: Plan['receiver'];
  readonly #disk = new Disk();
  /** Ids whose effect is done, in the handler's own store. */
  readonly #effects = new Set<string>();
  readonly #unacknowledged = new Set<Inbound>();
  #life = new Life();
  #subscription: Subscription | undefined;

  constructor(shared: Shared, order: Plan['receiver']) {
    this.#shared = shared;
    this.#order = order;
  }

  start(): void {
    const { clockwork, chance, clock } = this.#shared;
    const life = new Life();
    this.#life = life;
    const seen = { has: async (id: string) => this.#effects.has(id) };
    const options: ReceiveOptions =
      this.#order === 'with-effect'
        ? { order: 'with-effect', seen, rememberDays: REMEMBER_DAYS }
        : { order: 'effect-first', rememberDays: REMEMBER_DAYS };
    createReceiver(
      {
        subscriptions: {
          subscribe: (subscription) => {
            this.#subscription = subscription;
            return async () => {};
          },
        },
        store: new DiskStore(this.#shared, this.#disk, life),
        clock: () => epochMillis(clock()),
        timers: {
          now: () => clockwork.now,
          after: (millis, task) =>
            clockwork.after(millis, () => {
              if (!life.isOver) task();
            }),
        },
        random: () => chance.float(),
      },
      'booked/+/+',
      (message) => this.#handle(message, life),
      options,
    );
    for (const inbound of [...this.#unacknowledged]) this.#hand(inbound);
  }

  offer({ topic, payload, userProperties }: BridgePublication): void {
    const { clockwork, chance, faults } = this.#shared;
    const inbound: Inbound = { topic, payload, qos: 1, retain: false, userProperties };
    this.#unacknowledged.add(inbound);
    clockwork.after(chance.int(1, 40), () => this.#hand(inbound));
    const again = faults.strike('forward-repeated');
    if (again === undefined) return;
    const copy = { ...inbound };
    this.#unacknowledged.add(copy);
    clockwork.after(chance.int(1, 40) + again * again, () => this.#hand(copy));
  }

  reboot(): void {
    const { clockwork, chance, faults } = this.#shared;
    faults.count('receiver-reboot');
    this.#life.isOver = true;
    this.#subscription = undefined;
    clockwork.after(chance.int(500, 30_000), () => {
      if (this.#subscription === undefined) this.start();
    });
  }

  #hand(inbound: Inbound): void {
    const life = this.#life;
    const subscription = this.#subscription;
    if (subscription === undefined || !this.#unacknowledged.has(inbound)) return;
    subscription.take(inbound).then(
      () => {
        if (!life.isOver) this.#unacknowledged.delete(inbound);
      },
      () => this.#shared.clockwork.after(AGAIN_MILLIS, () => this.#hand(inbound)),
    );
  }

  async #handle({ id, payload }: ReceivedMessage, life: Life): Promise<void> {
    const { clockwork, chance, history } = this.#shared;
    await clockwork.wait(chance.int(1, 20));
    if (life.isOver) return never();
    const serial = serialIn(Buffer.from(payload).toString()) ?? -1;
    // One step: the effect, and that it was done.
    if (id !== undefined) this.#effects.add(id);
    history.add({ kind: 'effect', serial });
    await clockwork.wait(chance.int(1, 5));
    if (life.isOver) return never();
  }
}
