/**
 * The connections of a device that runs the library, one after another. Invariants as of the real
 * session: `up` is followed by one `down`; every publication is answered, `lost` at the latest when
 * its connection ends.
 */
import type {
  Publication,
  PublishOutcome,
  Transport,
  TransportListener,
} from '../../device/ports.ts';
import type { Broker, Listener } from './broker.ts';
import type { Life } from './disk.ts';
import { serialIn } from './history.ts';
import type { Shared } from './shared.ts';

/** As the real session: without a PUBACK for so long the connection is given up. */
const PUBACK_MILLIS = 20_000;

export class Line implements Transport, Listener {
  readonly #shared: Shared;
  readonly #broker: Broker;
  readonly #device: string;
  readonly #life: Life;
  #listener: TransportListener | undefined;
  #isUp = false;
  /** Calls that say of a publication that it is lost. */
  readonly #unanswered = new Set<() => void>();

  constructor(shared: Shared, broker: Broker, device: string, life: Life) {
    this.#shared = shared;
    this.#broker = broker;
    this.#device = device;
    this.#life = life;
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    this.#broker.listen(this.#device, this);
    this.#reconnect(this.#shared.chance.int(100, 3_000));
  }

  publish({ topic, payload }: Publication): Promise<PublishOutcome> {
    if (!this.#isUp || this.#life.isOver) return Promise.resolve({ kind: 'lost' });
    const { clockwork } = this.#shared;
    return new Promise((resolve) => {
      const cancel = clockwork.after(PUBACK_MILLIS, () => this.cut(0));
      const answer = (outcome: PublishOutcome) => {
        cancel();
        if (this.#unanswered.delete(lose)) resolve(outcome);
      };
      const lose = () => answer({ kind: 'lost' });
      this.#unanswered.add(lose);
      const bytes = Buffer.from(payload);
      const serial = topic.startsWith('tollbridge/') ? undefined : serialIn(bytes.toString());
      const packet = { topic, payload: bytes, client: this.#device, serial, isCopy: false };
      this.#broker.carry(packet, {
        acknowledged: () => answer({ kind: 'acknowledged' }),
        refused: () => answer({ kind: 'refused', reasonCode: 0x97 }),
        cut: () => {
          if (this.#unanswered.has(lose)) this.cut(0);
        },
      });
    });
  }

  hear(payload: Buffer): boolean {
    if (!this.#isUp || this.#life.isOver) return false;
    this.#listener?.receipts(payload);
    return true;
  }

  /** The connection ends with all that is on it, and comes back after so many minutes. */
  cut(minutes: number): void {
    if (!this.#isUp || this.#life.isOver) return;
    this.#shared.faults.count('connection-cut');
    this.#isUp = false;
    for (const lose of [...this.#unanswered]) lose();
    this.#listener?.down();
    this.#reconnect(minutes * 60_000 + this.#shared.chance.int(500, 5_000));
  }

  #reconnect(millis: number): void {
    this.#shared.clockwork.after(millis, () => {
      if (this.#life.isOver || this.#isUp) return;
      this.#isUp = true;
      this.#listener?.up();
    });
  }
}
