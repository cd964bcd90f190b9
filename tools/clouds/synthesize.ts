/**
 * What the CDK makes of the sources. Loaded only when there is something to make. Its own template
 * check costs seconds and is left to `test/infra/cdk-synth.programs.ts`.
 */
import { App, type AppProps } from 'aws-cdk-lib';
import type { Bridge } from '../../core/config/route.ts';
import { buildApp } from '../../lib/build-app.ts';
import { StateStack } from '../../lib/state-stack.ts';

const PROPS: AppProps = { analyticsReporting: false, builtinCloudFormationValidation: false };

export function synthesize(bridge: Bridge, outdir: string): void {
  buildApp(bridge, new App({ ...PROPS, outdir })).app.synth();
}

/** The stack of the tables alone, which is the same for every configuration: `State.template.json`. */
export function synthesizeTables(outdir: string): void {
  const app = new App({ ...PROPS, outdir });
  new StateStack(app, 'State');
  app.synth();
}
