/** Assemblies for tests and proofs: the real app, bundles included, from any configuration. */
import { checkConfig } from '../../core/config/check.ts';
import type { Config } from '../../core/config/route.ts';
import { keptFolder } from './kept-folder.ts';

/** The folder of the configuration's assembly; to be read, or copied and then changed. */
export function assemblyOf(config: Config): Promise<string> {
  const bridge = checkConfig(config);
  return keptFolder(JSON.stringify(bridge), async (folder) => {
    const { synthesize } = await import('./synthesize.ts');
    synthesize(bridge, folder);
  });
}
