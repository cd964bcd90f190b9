/** What was meant beside what was booked. Pure. */
import type { Effect } from './effects.ts';

export interface Reckoning {
  readonly meant: number;
  /** Charges that stand in the books, however often. */
  readonly booked: number;
  readonly lost: number;
  /** Bookings beyond the first of each charge. */
  readonly doubled: number;
}

export function reckon(meant: readonly string[], effects: readonly Effect[]): Reckoning {
  const bookings = new Map(effects.map((effect) => [effect.id, effect.bookings]));
  const found = meant.map((id) => bookings.get(id) ?? 0);
  return {
    meant: meant.length,
    booked: found.filter((count) => count > 0).length,
    lost: found.filter((count) => count === 0).length,
    doubled: found.reduce((sum, count) => sum + Math.max(0, count - 1), 0),
  };
}
