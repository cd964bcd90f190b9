/**
 * Collects problems while a configuration is read. A part that is wrong is replaced by a harmless
 * value, so that the rest can still be looked at; the result is used only when there is no problem.
 */
import { QUOTED_CHARS_MAX } from '../base/limits.ts';
import { printable } from '../base/printable.ts';
import type { Problem } from './problem.ts';

export type Fields = Readonly<Record<string, unknown>>;

export class Problems {
  readonly #found: Problem[] = [];

  get found(): readonly Problem[] {
    return this.#found;
  }

  add(at: string, got: string, allowed: string, fix: string): void {
    this.#found.push({ at, got, allowed, fix });
  }

  /** The fields of an object that has to be one; none where it is something else. */
  object(at: string, value: unknown, example: string): Fields {
    if (isObject(value)) return value;
    this.add(at, quote(value), 'an object', `write ${example}`);
    return {};
  }

  /** @param passed keys that have a problem of their own */
  onlyKeys(
    at: string,
    fields: Fields,
    keys: readonly string[],
    passed: readonly string[] = [],
  ): void {
    for (const key of Object.keys(fields)) {
      if (keys.includes(key) || passed.includes(key)) continue;
      const allowed = keys.filter((each) => each !== '').join(', ') || 'no key at all';
      this.add(`${at}.${key}`, 'an unknown key', allowed, 'correct its spelling or take it out');
    }
  }

  oneOf<T extends string | number>(
    at: string,
    value: unknown,
    allowed: readonly T[],
    preset: T,
  ): T {
    if (value === undefined) return preset;
    const found = allowed.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const list = allowed.map(quote).join(' or ');
    this.add(at, quote(value), list, `leave it out for ${quote(preset)}, or write one of these`);
    return preset;
  }

  wholeNumber(at: string, value: unknown, max: number, preset: number): number {
    if (value === undefined) return preset;
    if (isWhole(value) && value >= 1 && value <= max) return value;
    this.add(
      at,
      quote(value),
      `a whole number from 1 to ${max}`,
      `leave it out for ${preset}, or write such a number`,
    );
    return preset;
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value);
}

/** A value as a person should read it, short and without what a terminal would obey. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${printable(value, QUOTED_CHARS_MAX)}'`;
  if (Array.isArray(value)) return 'an array';
  if (isObject(value)) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
