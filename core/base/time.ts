/** Times carry their unit in the type; the clock is always a parameter. */

declare const unit: unique symbol;

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMillis = number & { readonly [unit]: 'epoch-millis' };

/** Reads the current time. */
export type Clock = () => EpochMillis;

/** Marks a number that is known to be epoch milliseconds. */
export function epochMillis(value: number): EpochMillis {
  return value as EpochMillis;
}

/** The machine's own clock, bound once at the edges (handlers, commands). */
export const systemClock: Clock = () => epochMillis(Date.now());

/** ISO 8601 in UTC with milliseconds, e.g. `2026-11-20T09:00:51.000Z`. */
export function toIso(time: EpochMillis): string {
  return new Date(time).toISOString();
}
