import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import config from '../../tollbridge.config.ts';
import { assemblyOf } from '../../tools/clouds/assembly.ts';

const BUNDLE_BYTES_MAX = 400_000;

describe('the bundles that are deployed', () => {
  let assembly: string;
  let bundles: readonly string[];

  beforeAll(async () => {
    assembly = await assemblyOf(config);
    bundles = readdirSync(assembly)
      .filter((name) => name.startsWith('asset.'))
      .map((name) => join(assembly, name, 'index.mjs'))
      // CDK's own look-up function is an asset of another form.
      .filter(existsSync);
  });

  it('are two, of at most 400 KB each: a cold start reads every byte of them', () => {
    expect(bundles).toHaveLength(2);
    for (const bundle of bundles) {
      expect(statSync(bundle).size).toBeLessThanOrEqual(BUNDLE_BYTES_MAX);
    }
  });

  it('hold no schema of the configuration: their routes come checked, as JSON', () => {
    for (const bundle of bundles) {
      expect(/ZodError|unrecognized_keys/.test(readFileSync(bundle, 'utf8'))).toBe(false);
    }
  });

  it('read credentials from the environment and know no other place for them', () => {
    for (const bundle of bundles) {
      const code = readFileSync(bundle, 'utf8');
      // Booleans: a failure must not print the bundle.
      expect(code.includes('AWS_SECRET_ACCESS_KEY')).toBe(true);
      expect(/sso_start_url|AWS_WEB_IDENTITY_TOKEN_FILE/.test(code)).toBe(false);
    }
  });
});
