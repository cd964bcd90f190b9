/**
 * How much is on the way, and whether more may be said: the load is as high as devices and cloud
 * can follow, and no constant. A cloud that falls behind would handle copies of what waits alone.
 * Owns the last look at both.
 */

import { wait } from '../waiting.ts';
import { unlessEnded } from './child.ts';
import type { Cloud } from './cloud.ts';
import type { Fleet } from './fleet.ts';

const LOOK_MILLIS = 250;
/** A cloud or device that does not answer for so long has too much to do. */
const LOOK_MILLIS_MAX = 1_500;
/** Messages of a device without an answer, on average. */
const PENDING_MAX = 8;
/** Messages in the queues that functions read. */
const QUEUED_MAX = 100;
const PENDING_CALM_MAX = 1;
const QUEUED_CALM_MAX = 5;

export class Pressure {
  #pending = 0;
  #queued = 0;
  #looks = 0;
  #highLooks = 0;
  #lookedAt = 0;

  get isHigh(): boolean {
    const isOld = Date.now() - this.#lookedAt > LOOK_MILLIS_MAX;
    return isOld || this.#pending > PENDING_MAX || this.#queued > QUEUED_MAX;
  }

  /** Next to nothing is on the way. */
  get isCalm(): boolean {
    return this.#pending <= PENDING_CALM_MAX && this.#queued <= QUEUED_CALM_MAX;
  }

  /** Per cent of the looks at which there was too much on the way. */
  get heldPercent(): number {
    return Math.round((100 * this.#highLooks) / Math.max(1, this.#looks));
  }

  line(): string {
    return `${this.#pending.toFixed(1)} pending a device, ${this.#queued} queued`;
  }

  /** Looks again and again until the load is over. */
  async watch(
    cloud: Cloud,
    fleet: Fleet,
    /** While the cloud is started again there is nothing to see. */
    isThere: () => boolean,
    ended: AbortSignal,
  ): Promise<void> {
    for (; !ended.aborted; await wait(LOOK_MILLIS, ended)) {
      if (!isThere()) continue;
      await unlessEnded(async () => {
        [this.#queued, this.#pending] = await Promise.all([cloud.waiting(), fleet.pending()]);
        this.#looks += 1;
        this.#lookedAt = Date.now();
        if (this.isHigh) this.#highLooks += 1;
      });
    }
  }
}
