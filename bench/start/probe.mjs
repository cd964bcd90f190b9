// @ts-check
/** Loads a bundle as Lambda does and says how long it took. Plain JavaScript: it has no loader. */
import { pathToFileURL } from 'node:url';

const before = performance.now();
await import(pathToFileURL(process.argv[2] ?? '').href);
const importMillis = performance.now() - before;
const { user, system } = process.cpuUsage();
process.send?.({ importMillis, cpuMillis: (user + system) / 1_000 }, () => process.exit(0));
