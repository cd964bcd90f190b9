/** The memory of a run's processes over time, and whether it grows. */

import { childrenRss, growing, growthOf, type Measured, type Sample } from './memory.ts';
import { unlessEnded } from './processes/child.ts';
import type { Cloud } from './processes/cloud.ts';
import type { Fleet } from './processes/fleet.ts';
import type { ForwardReceiver } from './processes/receiver.ts';

const MB = 1_048_576;

/** How much a minute each may grow by: what a line through noise can show without a leak. */
const BOUNDS = {
  'local cloud, reachable, without its log journal': 1 * MB,
  'devices, reachable, mean of those that live on': 0.25 * MB,
  'receiver of forwards, reachable': 0.25 * MB,
  'functions, resident, mean of those that live': 3 * MB,
} as const;
type Name = keyof typeof BOUNDS;

export class Meter {
  readonly #samples = new Map<Name, Sample[]>();
  #startedAt = 0;

  begin(startedAt: number): void {
    this.#startedAt = startedAt;
  }

  /** A process that has just ended is left out of this sample. */
  async sample(parts: {
    readonly cloud: Cloud;
    readonly fleet: Fleet;
    readonly receiver: ForwardReceiver;
  }): Promise<void> {
    const { cloud, fleet, receiver } = parts;
    await unlessEnded(async () => {
      const [state, devices, received] = await Promise.all([
        cloud.state(),
        fleet.memories(),
        receiver.memory(),
      ]);
      const functions = cloud.pid === undefined ? [] : childrenRss(cloud.pid);
      this.#add('local cloud, reachable, without its log journal', [
        state.memory.usedBytes - state.journalBytes,
      ]);
      const used = devices.map(({ usedBytes }) => usedBytes);
      this.#add('devices, reachable, mean of those that live on', used);
      this.#add('receiver of forwards, reachable', [received.usedBytes]);
      this.#add('functions, resident, mean of those that live', functions);
    });
  }

  #add(name: Name, bytes: readonly number[]): void {
    if (bytes.length === 0) return;
    const samples = this.#samples.get(name) ?? [];
    samples.push({ seconds: (Date.now() - this.#startedAt) / 1_000, bytes: meanOf(bytes) });
    this.#samples.set(name, samples);
  }

  get measured(): readonly Measured[] {
    return [...this.#samples].map(([name, samples]) => ({
      name,
      samples,
      boundBytesPerMinute: BOUNDS[name],
    }));
  }

  /** What grows faster than it may. */
  growing(): readonly string[] {
    return growing(this.measured);
  }

  /** The last samples, short. */
  line(): string {
    return this.measured
      .map(({ name, samples }) => `${name.split(',')[0]} ${mb(samples.at(-1)?.bytes ?? 0)} MB`)
      .join(', ');
  }

  /** Name, samples, mean, growth a minute and what is allowed, in MB. */
  rows(): readonly (readonly string[])[] {
    return this.measured.map(({ name, samples, boundBytesPerMinute }) => {
      const growth = growthOf(samples);
      const shown =
        growth === undefined
          ? ['too few', '-', '-']
          : [String(growth.samples), mb(growth.meanBytes), mb(growth.bytesPerMinute)];
      return [name, ...shown, mb(boundBytesPerMinute)];
    });
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function mb(bytes: number): string {
  return (bytes / MB).toFixed(2);
}
