/** What every part of the model world holds on to. */
import type { EpochMillis } from '../../../core/base/time.ts';
import type { Chance } from '../chance.ts';
import type { History } from '../check/history.ts';
import type { Faults } from '../faults.ts';
import type { Clockwork } from './clockwork.ts';

export interface Shared {
  readonly clockwork: Clockwork;
  readonly chance: Chance;
  readonly faults: Faults;
  readonly history: History;
  /** The cloud's clock. */
  readonly clock: () => EpochMillis;
}

/** A delivery as the harness knows it, whatever carries it. */
export interface Arrival {
  readonly arrival: number;
  readonly serial: number;
}

/** One that never ends: what a process that has died waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

export function errorNamed(name: string, message = 'told to fail'): Error {
  const { stackTraceLimit } = Error;
  // Thousands of them are made, and nobody looks where.
  Error.stackTraceLimit = 0;
  const error = Object.assign(new Error(message), { name });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}
