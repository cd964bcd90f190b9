/** Values of command-line options, refused with what was got and what is allowed. */
import { InvalidArgumentError } from 'commander';

/** Reads a whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`allowed is a whole number from ${min} to ${max}.`);
  };
}

/** Reads a chance from 0 (never) to 1 (always), or to a bound below. */
export function chanceUpTo(max: number): (text: string) => number {
  return (text) => {
    const value = /^(\d|\.)[\d.]*$/.test(text) ? Number(text) : Number.NaN;
    if (value >= 0 && value <= max) return value;
    const always = max === 1 ? ' (always)' : '';
    throw new InvalidArgumentError(`allowed is a number from 0 (never) to ${max}${always}.`);
  };
}

/** Reads a chance from 0 (never) to 1 (always). */
export const chance = chanceUpTo(1);

/** Reads an http or https address. */
export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw new InvalidArgumentError('allowed is an address such as http://127.0.0.1:8000.');
}
