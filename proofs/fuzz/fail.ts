/** How a check says that an input has no clean end. */
import { inspect } from 'node:util';

/** @throws always: what is wrong, and the values that show it */
export function fail(what: string, ...shown: readonly unknown[]): never {
  const values = shown.map((value) => inspect(value, { depth: 4, breakLength: 120 }).slice(0, 600));
  throw new Error([what, ...values].join(' · '));
}
