/** How figures are written in tables. Pure. */
import type { Spread } from './statistics.ts';

/** Three significant digits, and all digits of what is greater: `0.0123`, `1.23`, `12.3`, `1,234`. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.floor(Math.log10(Math.abs(value)));
  return value.toLocaleString('en-US', {
    maximumFractionDigits: Math.min(20, Math.max(0, 2 - digits)),
  });
}

/** `median (min – max)`; the median alone where all runs agree. */
export function spreadText({ median, min, max }: Spread): string {
  if (min === max) return figure(median);
  return `${figure(median)} (${figure(min)} – ${figure(max)})`;
}

/** `1.23 ×`. */
export function timesText(ratio: number): string {
  return `${figure(ratio)} ×`;
}

/** A share of 0 to 1 as `12.3 %`. */
export function percentText(share: number): string {
  return `${figure(share * 100)} %`;
}

export function mebibytes(bytes: number): number {
  return bytes / 1_048_576;
}
