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
} from '../../../device/ports.ts';
import { serialIn } from '../check/history.ts';
import { addressOf } from '../routes.ts';
import type { Broker, Listener } from './broker.ts';
import type { Life } from './disk.ts';
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
  /** Calls that say of a publication that it is lost, each with what is published. */
  readonly #unanswered = new Map<() => void, Publication>();

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
      const bytes = Buffer.from(payload);
      if (topic.endsWith('/release')) this.#noteEarlyReleases(bytes.toString());
      this.#unanswered.set(lose, { topic, payload, qos: 1 });
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
    for (const lose of [...this.#unanswered.keys()]) lose();
    this.#listener?.down();
    this.#reconnect(minutes * 60_000 + this.#shared.chance.int(500, 5_000));
  }

  #noteEarlyReleases(text: string): void {
    const { route, ids } = JSON.parse(text) as { route: string; ids: readonly unknown[] };
    for (const { topic, payload } of this.#unanswered.values()) {
      const { visible, rule = visible.split('/')[0] } = addressOf(topic);
      if (rule !== route) continue;
      const body = JSON.parse(Buffer.from(payload).toString());
      const id = route === 'counted' ? `${body.boot}:${body.seq}` : body.id;
      if (!ids.includes(id)) continue;
      this.#shared.history.add({
        ...{ kind: 'released-early', device: this.#device, serial: body.serial },
      });
    }
  }

  #reconnect(millis: number): void {
    this.#shared.clockwork.after(millis, () => {
      if (this.#life.isOver || this.#isUp) return;
      this.#isUp = true;
      this.#listener?.up();
    });
  }
}
