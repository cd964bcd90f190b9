/** When what breaks: the same for every seed, so that a short run has something of everything. */

type Mishap = 'kill the receiver' | 'outage' | 'deadly functions' | 'restart the cloud';

export type Schedule = readonly { readonly atSeconds: number; readonly what: Mishap }[];

const OUTAGE_SECONDS = 60;

/**
 * Tables fail all the time. Receiver and cloud are started again in the first half alone: the memory
 * of the second is that of processes which live on.
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
    ...every(Math.min(OUTAGE_SECONDS, seconds), 'outage'),
    ...at('kill the receiver', 0.1, 0.35),
    ...at('restart the cloud', 0.15, 0.3),
    ...at('deadly functions', 0.2, 0.7),
  ].toSorted((one, other) => one.atSeconds - other.atSeconds);
}
