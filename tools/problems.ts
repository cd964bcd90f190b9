import { checkConfig } from '../core/config/check.ts';
import { ConfigError, type Problem } from '../core/config/problem.ts';
import { charges } from './handlers/samples.ts';

/** What is wrong with a configuration; nothing where it is accepted. */
export function problemsOf(config: unknown): readonly Problem[] {
  try {
    checkConfig(config);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** Problems of the sample route with parts replaced, by where they stand. */
export function placesOf(changes: Readonly<Record<string, unknown>>): readonly string[] {
  return problemsOf({ routes: { charges: { ...charges, ...changes } } }).map(({ at }) => at);
}
