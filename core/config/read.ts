/**
 * Reads a value by a schema: what is right in it, and a problem for everything else. What is wrong
 * is left out, so that the rest can still be looked at.
 */
import * as z from 'zod';
import { QUOTED_CHARS_MAX } from '../base/limits.ts';
import { printable } from '../base/printable.ts';
import type { Problem } from './problem.ts';
import type { IdPart } from './sources.ts';

export type Fields = Readonly<Record<string, unknown>>;
export type Words = Omit<Problem, 'at'>;

/** The parts of a value that are right. A source is right as a whole, but for those of `all(…)`. */
export type Sound<T> = T extends { readonly from: 'all' }
  ? { readonly from: 'all'; readonly parts: readonly (IdPart | undefined)[] }
  : T extends { readonly from: string } | readonly unknown[]
    ? T
    : T extends object
      ? { readonly [K in keyof T]?: Sound<T[K]> | undefined }
      : T;

export interface Read<T> {
  /** Undefined where nothing of the value is right. */
  readonly sound: Sound<T> | undefined;
  readonly problems: readonly Problem[];
}

type Path = readonly PropertyKey[];

/** @param path where the value stands in the configuration */
export function read<T>(schema: z.ZodType, path: Path, value: unknown): Read<T> {
  const issues = schema.safeParse(value).error?.issues ?? [];
  const sound = issues
    // A key that is unknown spoils none of its neighbours.
    .filter(({ code }) => code !== 'unrecognized_keys')
    .reduce((rest, issue) => without(rest, issue.path), value);
  return {
    // The schema has refused everything that is not of this type, and it is gone by now.
    sound: sound as Sound<T> | undefined,
    problems: issues.flatMap((issue) => problemsOf(path, issue)),
  };
}

function without(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return undefined;
  if (Array.isArray(value)) return value.with(Number(key), without(value[Number(key)], rest));
  if (!isObject(value)) return value;
  return { ...value, [key]: without(value[String(key)], rest) };
}

function problemsOf(path: Path, issue: z.core.$ZodIssue): readonly Problem[] {
  const at = [...path, ...issue.path];
  if (issue.code !== 'unrecognized_keys') {
    return [{ at: placeOf(at), ...(JSON.parse(issue.message) as Words) }];
  }
  const said = JSON.parse(issue.message) as Readonly<Record<string, Words>>;
  return Object.entries(said).map(([key, words]) => ({
    at: placeOf(at.length === 0 ? ['config', key] : [...at, key]),
    ...words,
  }));
}

function placeOf(path: Path): string {
  const steps = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return steps.join('').replace(/^\./, '') || 'config';
}

/** zod has one message for each issue, so what a problem says travels in it as JSON. */
export function words(allowed: string, fix: string, got: (value: unknown) => string = quote) {
  return {
    error: ({ input }: { readonly input?: unknown }) => message({ got: got(input), allowed, fix }),
  };
}

function message(said: Words | Readonly<Record<string, Words>>): string {
  return JSON.stringify(said);
}

/** An object with these keys and no others. */
export function fields<S extends z.ZodRawShape>(
  shape: S,
  example: string,
  unknownKey: (key: string) => Words = () => misspelt(Object.keys(shape)),
): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? message(Object.fromEntries(issue.keys.map((key) => [key, unknownKey(key)])))
        : message({ got: quote(issue.input), allowed: 'an object', fix: `write ${example}` }),
  });
}

export function misspelt(keys: readonly string[]): Words {
  const allowed = keys.filter((each) => each !== '').join(', ') || 'no key at all';
  return { got: 'an unknown key', allowed, fix: 'correct its spelling or take it out' };
}

/**
 * A source is written as one call, `payload('id')`, so it has one problem, whatever is wrong inside;
 * keys that no call makes have theirs beside it.
 */
export function source<T>(
  schema: z.ZodType<T>,
  said: (value: unknown) => Omit<Words, 'got'> & { readonly got?: string | undefined },
): z.ZodType<T> {
  return z.custom<T>().superRefine((value, context) => {
    const issues = schema.safeParse(value).error?.issues ?? [];
    const unknown = issues.filter((issue) => issue.code === 'unrecognized_keys');
    for (const issue of unknown) passOn(context, issue);
    if (unknown.length === issues.length) return;
    const { got = quoteSource(value), allowed, fix } = said(value);
    context.addIssue({ code: 'custom', message: message({ got, allowed, fix }) });
  });
}

/** An issue that another schema has found. */
export function passOn(context: z.RefinementCtx, issue: z.core.$ZodIssue, above: Path = []): void {
  const { message } = issue;
  const path = [...above, ...issue.path];
  context.addIssue(
    issue.code === 'unrecognized_keys'
      ? { code: issue.code, keys: issue.keys, path, message }
      : { code: 'custom', path, message },
  );
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a person should read it, short and without what a terminal would obey. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${printable(value, QUOTED_CHARS_MAX)}'`;
  if (Array.isArray(value)) return 'an array';
  if (isObject(value)) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** A source as the call that makes it, also where it is wrong. */
function quoteSource(value: unknown): string {
  if (!isObject(value) || typeof value.from !== 'string') return quote(value);
  const { from, ...rest } = value;
  const given = Array.isArray(rest.paths) ? rest.paths : Object.values(rest);
  const name = printable(from, QUOTED_CHARS_MAX).replaceAll(/-./g, ([, c = '']) => c.toUpperCase());
  return `${name}(${quoteAll(given)})`;
}

export function quoteAll(values: readonly unknown[]): string {
  return values.map(quote).join(', ');
}
