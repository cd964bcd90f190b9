/** Options that name a time. */
import { InvalidArgumentError } from 'commander';
import { readInstant } from '../../core/base/instant.ts';
import { type EpochMillis, epochMillis, toIso } from '../../core/base/time.ts';
import { type Period, readPeriod } from '../../core/operations/period.ts';

export function period(text: string): Period {
  const reading = readPeriod(text);
  if (reading.ok) return reading.period;
  throw new InvalidArgumentError(`${reading.detail}.`);
}

/** A moment, as ISO 8601 in UTC with milliseconds, like the times in the tables. */
export function moment(text: string): string {
  // A day alone begins at midnight in UTC, like a period.
  const time = readInstant(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  if (time !== undefined) return toIso(time);
  throw new InvalidArgumentError(
    'allowed is a time with its offset, such as 2026-12-03T00:00:00Z, or a day in UTC, such as 2026-12-03.',
  );
}

const UNIT_MILLIS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A span of time such as 90m, 24h or 7d, in milliseconds. */
export function span(text: string): number {
  const [, digits, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? [];
  const millis = Number(digits) * UNIT_MILLIS[(unit ?? 'm') as keyof typeof UNIT_MILLIS];
  if (millis > 0) return millis;
  throw new InvalidArgumentError('allowed is a number of minutes, hours or days: 90m, 24h, 7d.');
}

export function before(now: EpochMillis, millis: number): EpochMillis {
  return epochMillis(now - millis);
}
