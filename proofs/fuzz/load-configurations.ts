/** Loads configuration files as the app does, and prints how each of them ended. */
import { pathToFileURL } from 'node:url';
import { checkConfig } from '../../core/config/check.ts';
import { ConfigError } from '../../core/config/problem.ts';

for (const path of process.argv.slice(2)) process.stdout.write(`${await endOf(path)}\n`);

async function endOf(path: string): Promise<string> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch {
    // What is no module is refused by the loader itself, with the place in the file.
    return 'no module';
  }
  try {
    checkConfig(loaded.default);
    return 'a bridge';
  } catch (error) {
    // Anything else would be a stack trace to whoever has edited the file.
    return error instanceof ConfigError ? 'problems' : `no clean end: ${String(error)}`;
  }
}
