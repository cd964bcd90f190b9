import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Bridge } from '../core/config/route.ts';
import { pascalCase } from '../core/config/route.ts';
import { IngestStack } from './ingest-stack.ts';
import { OpsStack } from './ops-stack.ts';
import { StateStack } from './state-stack.ts';

export interface BridgeApp {
  readonly app: App;
  readonly state: StateStack;
  readonly ingest: IngestStack;
  readonly ops: OpsStack;
}

/** Every stack of a bridge. The stacks name no account: they deploy to whichever is current. */
export function buildApp(bridge: Bridge, app = new App()): BridgeApp {
  const name = pascalCase(bridge.name);
  const state = new StateStack(app, `${name}-State`, {
    description: `${name}: ledger, dedup records, state and quarantine (retained)`,
    terminationProtection: true,
  });
  const ingest = new IngestStack(app, `${name}-Ingest`, {
    description: `${name}: rules, queues and functions that book messages`,
    bridge,
    state,
  });
  const ops = new OpsStack(app, `${name}-Ops`, {
    description: `${name}: alarms, their topic and the dashboard`,
    bridge,
    state,
    ingest,
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, state, ingest, ops };
}
