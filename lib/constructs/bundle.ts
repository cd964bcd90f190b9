/**
 * The bundle of a function, made in this process. The CDK's own construct starts `npx` for each, which
 * takes longer than esbuild does.
 */
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { BUNDLE_OPTIONS, PROJECT } from './bundle-options.ts';

/** @param entry below `lambda/`; the handler is `index.handler` */
export function bundledCode(
  entry: string,
  constants: Readonly<Record<string, unknown>> = {},
): Code {
  const define = Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  const tryBundle = (folder: string): boolean => {
    buildSync({
      ...BUNDLE_OPTIONS,
      mainFields: [...BUNDLE_OPTIONS.mainFields],
      absWorkingDir: PROJECT,
      entryPoints: [`lambda/${entry}`],
      outfile: `${folder}/index.mjs`,
      bundle: true,
      platform: 'node',
      define,
      sourcemap: true,
      sourcesContent: false,
    });
    return true;
  };
  return Code.fromAsset(PROJECT, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never run: what is bundled here is not bundled in Docker.
      image: DockerImage.fromRegistry('none'),
      // The CDK knows by it whether it has this bundle already.
      command: [entry, JSON.stringify(define)],
      local: { tryBundle },
    },
  });
}
