/**
 * The waiting times of the cloud. Visibility time-outs, retention and retry back-off go through a
 * scheduler, so that a demo can run them faster and a test can advance them by hand. Work itself (a
 * function, a write) takes the time that it takes: its own time-outs are never divided.
 */
import { type Clock, type EpochMillis, epochMillis } from '../core/base/time.ts';

/** Ends a wait; a second call, or one after the wait is over, changes nothing. */
export type CancelTimer = () => void;

export interface Scheduler {
  now(): EpochMillis;
  /** Calls `fn` once `millis` of the cloud's time have passed. */
  after(millis: number, fn: () => void): CancelTimer;
  /** How much of the cloud's time has passed since `start`: with a speed, more than the clock's. */
  since(start: EpochMillis): number;
}

/** The longest wait that a Node.js timer can hold; longer ones are waited for in parts. */
const longestTimerMillis = 2_147_483_647;

/** Real waiting, divided by `speed`. */
export function systemScheduler(clock: Clock, speed = 1): Scheduler {
  if (!(speed > 0 && Number.isFinite(speed))) {
    throw new RangeError(
      `The speed is ${speed}; it must be a number above 0, 1 for AWS's own times.`,
    );
  }
  const wait = (millis: number, fn: () => void): CancelTimer => {
    const part = Math.min(Math.max(millis, 0), longestTimerMillis);
    let cancelRest: CancelTimer | undefined;
    const timer = setTimeout(() => {
      if (part < millis) cancelRest = wait(millis - part, fn);
      else fn();
    }, part);
    return () => {
      clearTimeout(timer);
      cancelRest?.();
    };
  };
  return {
    now: clock,
    after: (millis, fn) => wait(millis / speed, fn),
    since: (start) => (clock() - start) * speed,
  };
}

/** A scheduler whose time stands still until a test advances it. */
export interface ManualScheduler extends Scheduler {
  /** Moves time on, calling what falls due on the way, in order, each at its own time. */
  advance(millis: number): void;
  /** How many waits are open. */
  waiting(): number;
}

export function manualScheduler(start: EpochMillis): ManualScheduler {
  let now = start;
  let serial = 0;
  const waits = new Map<number, { readonly due: number; readonly fn: () => void }>();
  const next = (until: number): number | undefined => {
    let first: { readonly id: number; readonly due: number } | undefined;
    for (const [id, { due }] of waits) {
      if (due <= until && (first === undefined || due < first.due)) first = { id, due };
    }
    return first?.id;
  };
  return {
    now: () => now,
    since: (from) => now - from,
    waiting: () => waits.size,
    after(millis, fn) {
      serial += 1;
      const id = serial;
      waits.set(id, { due: now + Math.max(millis, 0), fn });
      return () => void waits.delete(id);
    },
    advance(millis) {
      const end = now + millis;
      for (let id = next(end); id !== undefined; id = next(end)) {
        const wait = waits.get(id);
        waits.delete(id);
        if (wait === undefined) continue;
        now = epochMillis(wait.due);
        wait.fn();
      }
      now = epochMillis(end);
    },
  };
}
