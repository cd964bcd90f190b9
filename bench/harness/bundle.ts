/** Bundles made the way that the template makes those of the functions. */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { BUNDLE_OPTIONS, PROJECT } from '../../lib/constructs/bundle-options.ts';

/** The options of the template, but for the source map. */
export const AS_DEPLOYED = {
  ...BUNDLE_OPTIONS,
  mainFields: [...BUNDLE_OPTIONS.mainFields],
  absWorkingDir: PROJECT,
  bundle: true,
  platform: 'node',
  logLevel: 'error',
} satisfies BuildOptions;

/** What is CommonJS inside asks for `require`, which a module of ES has not. */
export const WITH_REQUIRE = {
  js: "import { createRequire as requireHere } from 'node:module'; const require = requireHere(import.meta.url);",
};

export interface Bundle {
  readonly file: string;
  readonly bytes: number;
  readonly metafile: Metafile;
}

/** @param entry below the project's root */
export async function bundle(
  entry: string,
  file: string,
  options: BuildOptions = {},
): Promise<Bundle> {
  const { metafile } = await build({
    ...AS_DEPLOYED,
    ...options,
    entryPoints: [entry],
    outfile: file,
    metafile: true,
  });
  return { file, bytes: statSync(file).size, metafile };
}

/**
 * A program of a bench: not minified, so that a profile of it can be read.
 * @param external packages with native code, read where they are installed
 */
export function bundleProgram(
  entry: string,
  file: string,
  external: readonly string[] = [],
): Promise<Bundle> {
  const found = external.map((name) => [name, createRequire(import.meta.url).resolve(name)]);
  return bundle(entry, file, {
    minify: false,
    target: 'node20',
    external: found.map(([, path]) => path ?? ''),
    alias: { ...AS_DEPLOYED.alias, ...Object.fromEntries(found) },
    banner: WITH_REQUIRE,
  });
}
