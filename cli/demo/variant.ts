/** Bundles the function with one module of it exchanged for a faulty one. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Writes `index.mjs` into `dir`: the ingest function in which every import of `module` gets
 * `variant` instead. Both are paths from the project's root.
 */
export async function bundleVariant(module: string, variant: string, dir: string): Promise<void> {
  const from = join(root, module);
  const to = join(root, variant);
  const exchange: Plugin = {
    name: 'exchange',
    setup: ({ onResolve }) => {
      onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, importer }) =>
        // The variant itself may build on what it stands for.
        join(resolveDir, path) === from && importer !== to ? { path: to } : undefined,
      );
    },
  };
  await build({
    absWorkingDir: root,
    entryPoints: ['lambda/ingest/exactly-once.ts'],
    outfile: join(dir, 'index.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    plugins: [exchange],
  });
}
