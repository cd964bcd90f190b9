/** When what breaks: the same for every seed, so that a short run has something of everything. */

export type Mishap =
  | 'kill a device'
  | 'kill the receiver'
  | 'outage'
  | 'long outage'
  | 'restart the cloud';

export type Schedule = readonly { readonly atSeconds: number; readonly what: Mishap }[];

const DEVICE_KILL_SECONDS = 4;
const OUTAGE_SECONDS = 60;
/** A shorter run has no time for an outage that leaves dead letters. */
const LONG_OUTAGE_RUN_SECONDS = 60;

/**
 * Devices die and tables fail all the time. Receiver and cloud are started again in the first half
 * alone: the memory of the second is that of processes which live on.
 */
export function scheduleOf(seconds: number): Schedule {
  const every = (period: number, what: Mishap) =>
    Array.from({ length: Math.floor(seconds / period) }, (_, n) => ({
      atSeconds: (n + 0.5) * period,
      what,
    }));
  const at = (what: Mishap, ...parts: readonly number[]) =>
    parts.map((part) => ({ atSeconds: part * seconds, what }));
  return [
    ...every(DEVICE_KILL_SECONDS, 'kill a device'),
    ...every(Math.min(OUTAGE_SECONDS, seconds), 'outage'),
    ...at('kill the receiver', 0.1, 0.4),
    ...at('restart the cloud', 0.3, 0.45),
    ...(seconds < LONG_OUTAGE_RUN_SECONDS ? [] : at('long outage', 0.2, 0.7)),
  ].toSorted((one, other) => one.atSeconds - other.atSeconds);
}
