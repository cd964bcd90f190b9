/** The real app, bundles included. `assembly.ts` loads this only when there is something to make. */
import { App } from 'aws-cdk-lib';
import type { Bridge } from '../../core/config/route.ts';
import { buildApp } from '../../lib/build-app.ts';

/** Template validation costs seconds and is done by `test/infra/cdk-synth.programs.ts`. */
export function synthesize(bridge: Bridge, outdir: string): void {
  const app = new App({
    outdir,
    analyticsReporting: false,
    builtinCloudFormationValidation: false,
  });
  buildApp(bridge, app).app.synth();
}
