/** Assemblies for tests: the real app, bundles included, from any configuration. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { checkConfig } from '../../core/config/check.ts';
import type { Config } from '../../core/config/route.ts';
import { buildApp } from '../../lib/build-app.ts';

export interface TestAssembly {
  readonly dir: string;
  remove(): void;
}

/** Synthesizes with real bundles; template validation is left to `test/infra`. */
export function synthesizeConfig(config: Config): TestAssembly {
  const dir = mkdtempSync(join(tmpdir(), 'tollbridge-test-'));
  process.env.CDK_VALIDATION = 'false';
  buildApp(checkConfig(config), new App({ outdir: dir, analyticsReporting: false })).app.synth();
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
